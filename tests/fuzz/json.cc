// SPDX-License-Identifier: GPL-2.0-or-later
// What is accepted must be written so that it reads back the same, compact and pretty, and as YAML.
#include <cstddef>
#include <cstdint>

#include "json/tree.h"

using namespace coracle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  json::Tree tree, compact, pretty, yaml;
  json::ParseNotes notes;
  auto root = tree.parse(text, &notes);
  if (!root) {
    ASSERT(root.error().code == Code::kBadRequest);
    return 0;
  }
  const std::string written = json::write(*root);
  auto again = compact.parse(written);
  ASSERT(again && json::equal(*root, *again) && json::write(*again) == written);
  again = pretty.parse(json::write_pretty(*root));
  ASSERT(again && json::write(*again) == written);
  const std::string as_yaml = json::write_yaml(*root);
  again = yaml.parse_yaml(as_yaml);
  ASSERT(again && json::equal(*root, *again));
  return 0;
}
