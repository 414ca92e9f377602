// SPDX-License-Identifier: GPL-2.0-or-later
// RFC 7396.
#include "json/item.h"
#include "json/lookup.h"
#include "json/merge.h"

namespace coracle::json {

namespace {

void merge(Arena& arena, Item* target, const Item* patch) {
  if (!patch->is(cJSON_Object)) return take_value(target, copy_item(arena, patch));
  if (!target->is(cJSON_Object)) {
    Item empty{};
    empty.type = cJSON_Object;
    take_value(target, &empty);
  }
  const Lookup members(target);
  for (const Item* change = patch->first(); change != nullptr; change = change->following()) {
    Item* member = members[change->key()];
    if (change->is(cJSON_NULL)) {
      if (member != nullptr) unlink(target, member);
      continue;
    }
    if (member == nullptr) {
      member = new_item(arena, cJSON_NULL);
      name_item(arena, member, change->key());
      link_last(target, member);
    }
    merge(arena, member, change);
  }
}

}  // namespace

void merge_patch(Node target, Node patch) {
  if (!target || !patch) return;
  merge(Inside::arena(Inside::tree(target)), Inside::item(target), Inside::item(patch));
}

}  // namespace coracle::json
