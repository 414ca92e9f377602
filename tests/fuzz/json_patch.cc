// SPDX-License-Identifier: GPL-2.0-or-later
// The input is {"target": ..., "patch": [...]}. A patched document keeps the bounds of a parsed
// one.
#include <cstddef>
#include <cstdint>

#include "json/merge.h"

using namespace coracle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  json::Tree input, work, again;
  auto root = input.parse(text);
  if (!root) return 0;
  json::Node target = work.make_root((*root)["target"]);
  if (!json::json_patch(target, (*root)["patch"])) return 0;
  auto parsed = again.parse(json::write(target));
  ASSERT(parsed && json::equal(target, *parsed));
  return 0;
}
