// SPDX-License-Identifier: GPL-2.0-or-later
// Upstream's serialised kinds: JSON and YAML of one object must be the same tree, and must read
// back.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "json/tree.h"

namespace coracle::json {
namespace {

std::string content(const std::filesystem::path& path) {
  std::string text;
  FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return text;
  char buffer[4096];
  for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;) {
    text.append(buffer, got);
  }
  std::fclose(file);
  return text;
}

// Upstream fills integers with any 64-bit value; those beyond 2^53 are refused by design.
bool refused_for_size(const Error& error) {
  return error.message.find("beyond +-2^53") != std::string::npos;
}

TEST(Oracle, JsonAndYamlOfEveryKindAgree) {
  const char* folder = std::getenv("CORACLE_ORACLE");
  const std::filesystem::path root =
      std::filesystem::path(folder != nullptr ? folder : "../shared/oracle") /
      "kubernetes/api-testdata";
  std::error_code error;
  if (!std::filesystem::is_directory(root, error)) GTEST_SKIP() << "skipped: no oracle";
  size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    std::filesystem::path path = entry.path();
    if (path.extension() != ".json") continue;
    Tree json, yaml, again;
    auto from_json = json.parse(content(path));
    auto from_yaml = yaml.parse_yaml(content(path.replace_extension(".yaml")));
    ASSERT_EQ(from_json.has_value(), from_yaml.has_value()) << path;
    if (!from_json) {
      EXPECT_TRUE(refused_for_size(from_json.error())) << from_json.error().message << path;
      EXPECT_TRUE(refused_for_size(from_yaml.error())) << from_yaml.error().message << path;
      continue;
    }
    EXPECT_TRUE(equal(*from_json, *from_yaml)) << path;
    auto read = again.parse_yaml(write_yaml(*from_json));
    ASSERT_TRUE(read) << path;
    EXPECT_TRUE(equal(*read, *from_json)) << path;
    EXPECT_EQ(write_pretty(*from_json), content(entry.path())) << path;
    EXPECT_EQ(write_yaml(*from_json), content(path)) << path;
    compared++;
  }
  EXPECT_GT(compared, 100u);
}

}  // namespace
}  // namespace coracle::json
