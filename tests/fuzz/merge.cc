// SPDX-License-Identifier: GPL-2.0-or-later
// The input is {"target": ..., "patch": ...}. RFC 7396 merging is idempotent and leaves what the
// patch says; strategic merging leaves a document that parses. The schema makes every list called
// "o..." a list merged by "name" and every list called "s..." a merged list of scalars, at any
// depth.
#include "json/merge.h"

#include <cstddef>
#include <cstdint>

using namespace coracle;

namespace {

constexpr char kAny = 0;

json::FieldRule rule(const void* type, std::string_view name) {
  json::FieldRule rule{.type = type};
  if (name.starts_with('o')) rule.merge_key = "name";
  if (name.starts_with('s')) rule.merge_primitives = true;
  return rule;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  json::Tree input, merged, strategic, again;
  auto root = input.parse(text);
  if (!root || !(*root)["target"] || !(*root)["patch"]) return 0;
  const json::Node patch = (*root)["patch"];
  json::Node target = merged.make_root((*root)["target"]);
  json::merge_patch(target, patch);
  const std::string once = json::write(target);
  json::merge_patch(target, patch);
  ASSERT(json::write(target) == once);

  target = strategic.make_root((*root)["target"]);
  auto done = json::strategic_merge_patch(target, patch, {&kAny, rule});
  if (!done) {
    ASSERT(done.error().code == Code::kBadRequest);
    return 0;
  }
  auto parsed = again.parse(json::write(target));
  ASSERT(parsed && json::equal(target, *parsed));
  return 0;
}
