// SPDX-License-Identifier: GPL-2.0-or-later
// YAML that is accepted is JSON afterwards.
#include <cstddef>
#include <cstdint>

#include "json/tree.h"

using namespace coracle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  json::Tree tree, again;
  json::ParseNotes notes;
  auto root = tree.parse_yaml(text, &notes);
  if (!root) {
    ASSERT(root.error().code == Code::kBadRequest);
    return 0;
  }
  auto parsed = again.parse(json::write(*root));
  ASSERT(parsed && json::equal(*root, *parsed));
  return 0;
}
