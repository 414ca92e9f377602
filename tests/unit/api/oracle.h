// SPDX-License-Identifier: GPL-2.0-or-later
// Reads upstream's test data from $CORACLE_ORACLE, by default ../shared/oracle beside the tree.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace coracle::api {

inline std::optional<std::string> read_oracle(const std::string& name) {
  const char* root = std::getenv("CORACLE_ORACLE");
  const std::string path =
      std::string(root == nullptr ? "../shared/oracle" : root) + "/kubernetes/" + name;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return std::nullopt;
  std::string content;
  char block[65536];
  for (size_t n = 0; (n = std::fread(block, 1, sizeof block, file)) > 0;)
    content.append(block, n);
  std::fclose(file);
  return content;
}

}  // namespace coracle::api
