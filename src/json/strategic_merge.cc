// SPDX-License-Identifier: GPL-2.0-or-later
// Behaves as apimachinery pkg/util/strategicpatch StrategicMergeMapPatch does. Upstream leaves
// nulls and directives in what a patch adds and lets typed decoding drop them; here they are
// dropped at once.
#include <algorithm>

#include "base/bytes.h"
#include "json/item.h"
#include "json/lookup.h"
#include "json/merge.h"
#include "json/merge_list.h"

namespace coracle::json {

namespace {

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kSetElementOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";

Error malformed(std::initializer_list<std::string_view> why) {
  return fail(Code::kBadRequest, "strategic merge patch: " + join(why));
}

bool is_directive(std::string_view name) {
  return name == kPatch || name == kRetainKeys || name.starts_with(kSetElementOrder) ||
         name.starts_with(kDeleteFromList);
}

// A copy without null members and directives; null if `from` itself is marked with $patch.
Item* clean_copy(Arena& arena, const Item* from) {
  if (!from->is_container()) return copy_item(arena, from);
  if (from->is(cJSON_Object) && find_child(from, kPatch) != nullptr) return nullptr;
  Item* copy = new_item(arena, from->type);
  const bool object = from->is(cJSON_Object);
  for (const Item* child = from->first(); child != nullptr; child = child->following()) {
    if (object && (child->is(cJSON_NULL) || is_directive(child->key()))) continue;
    Item* made = clean_copy(arena, child);
    if (made == nullptr) continue;
    if (object) name_item(arena, made, child->key());
    link_last(copy, made);
  }
  return copy;
}

bool is_boolean(const Item* item) {
  return item->is(cJSON_True) || item->is(cJSON_False);
}

bool same_type(const Item* a, const Item* b) {
  return (a->type & 0xFF) == (b->type & 0xFF) || (is_boolean(a) && is_boolean(b));
}

class Merge {
 public:
  Merge(Arena& arena, FieldRule (*rule)(const void*, std::string_view))
      : arena_(arena),
        rule_(rule) {}

  Result<> object(Item* target, const Item* patch, const void* type);

 private:
  Result<> marked(Item* target, const Item* patch, const Item* directive);
  Result<> retain_keys(Item* target, const Item* patch);
  Result<> ordered_list(Item* target, const Item* patch, const Item* order, const void* type);
  Result<> delete_from_list(Item* target, const Item* values, const void* type);
  Result<> member(Item* target, Item* before, const Item* change, const void* type);
  Result<> list(Item* target, const Item* patch, const FieldRule& rule);
  Result<> objects(Item* target, const Item* patch, const FieldRule& rule);
  Result<> scalars(Item* target, const Item* patch);
  Result<> drop_marked(Item* target, const Item* patch, std::string_view key, bool& replace);

  void put(Item* object, Item* member, const Item* value);
  FieldRule rule_of(const void* type, std::string_view name) const {
    return rule_ == nullptr || type == nullptr ? FieldRule() : rule_(type, name);
  }

  Arena& arena_;
  FieldRule (*rule_)(const void*, std::string_view);
};

// `member` of `object` (null: absent) becomes `value`, or goes if nothing of the value is left.
void Merge::put(Item* object, Item* member, const Item* value) {
  Item* made = clean_copy(arena_, value);
  if (made == nullptr) {
    if (member != nullptr) unlink(object, member);
  } else if (member != nullptr) {
    take_value(member, made);
  } else {
    name_item(arena_, made, value->key());
    link_last(object, made);
  }
}

Result<> Merge::object(Item* target, const Item* patch, const void* type) {
  if (const Item* directive = find_child(patch, kPatch)) return marked(target, patch, directive);
  TRY(retain_keys(target, patch));
  std::vector<std::string_view> ordered;
  for (const Item* change = patch->first(); change != nullptr; change = change->following()) {
    if (!change->key().starts_with(kSetElementOrder)) continue;
    TRY(ordered_list(target, patch, change, type));
    ordered.push_back(change->key().substr(kSetElementOrder.size()));
  }
  std::sort(ordered.begin(), ordered.end());
  const Lookup members(target);
  for (const Item* change = patch->first(); change != nullptr; change = change->following()) {
    const std::string_view name = change->key();
    if (name.starts_with(kDeleteFromList)) {
      TRY(delete_from_list(target, change, type));
    } else if (!is_directive(name) && !std::binary_search(ordered.begin(), ordered.end(), name)) {
      TRY(member(target, members[name], change, type));
    }
  }
  return {};
}

Result<> Merge::marked(Item* target, const Item* patch, const Item* directive) {
  const std::string_view what = directive->is(cJSON_String) ? directive->text() : "";
  if (what != "replace" && what != "delete") {
    return malformed({"$patch of an object must be replace or delete"});
  }
  Item* made = new_item(arena_, cJSON_Object);
  if (what == "replace") {
    for (const Item* child = patch->first(); child != nullptr; child = child->following()) {
      if (!child->is(cJSON_NULL) && !is_directive(child->key())) put(made, nullptr, child);
    }
  }
  take_value(target, made);
  return {};
}

Result<> Merge::retain_keys(Item* target, const Item* patch) {
  const Item* keys = find_child(patch, kRetainKeys);
  if (keys == nullptr) return {};
  if (!keys->is(cJSON_Array)) return malformed({"$retainKeys must be a list of strings"});
  std::vector<std::string_view> kept;
  for (const Item* key = keys->first(); key != nullptr; key = key->following()) {
    if (!key->is(cJSON_String)) return malformed({"$retainKeys must be a list of strings"});
    kept.push_back(key->text());
  }
  std::sort(kept.begin(), kept.end());
  const auto retained = [&](const Item* item) {
    return std::binary_search(kept.begin(), kept.end(), item->key());
  };
  for (const Item* change = patch->first(); change != nullptr; change = change->following()) {
    if (change->is(cJSON_NULL) || is_directive(change->key()) || retained(change)) continue;
    return malformed({"a field of the patch is not in $retainKeys"});
  }
  for (Item* child = target->first(); child != nullptr;) {
    Item* following = child->following();
    if (!retained(child)) unlink(target, child);
    child = following;
  }
  return {};
}

// The patch's elements must come in the same relative order as $setElementOrder names them.
Result<> check_order(const Item* patch,
                     const std::vector<const Item*>& wanted,
                     std::string_view key) {
  if (patch->child == nullptr || wanted.empty()) return {};
  const ScalarLess less;
  size_t at = 0;
  for (const Item* element = patch->first(); element != nullptr; element = element->following()) {
    if (element->is(cJSON_Object) && find_child(element, kPatch) != nullptr) continue;
    const Item* id = identity(element, key);
    if (id == nullptr) return malformed({"a list element does not contain the merge key"});
    while (at < wanted.size() && (less(wanted[at], id) || less(id, wanted[at])))
      at++;
    if (at++ == wanted.size()) {
      return malformed({"the order in the patch list does not match $setElementOrder"});
    }
  }
  return {};
}

Result<> Merge::ordered_list(Item* target, const Item* patch, const Item* order, const void* type) {
  const std::string_view name = order->key().substr(kSetElementOrder.size());
  if (name.empty() || is_directive(name)) return malformed({"$setElementOrder names no field"});
  if (!order->is(cJSON_Array)) return malformed({"$setElementOrder must be a list"});
  const Item* change = find_child(patch, name);
  Item* existing = find_child(target, name);
  if ((change != nullptr && !change->is(cJSON_Array)) ||
      (existing != nullptr && !existing->is(cJSON_Array))) {
    return malformed({"$setElementOrder names a field that is not a list"});
  }
  const FieldRule rule = rule_of(type, name);
  if (rule.merge_key.empty() && !rule.merge_primitives) {
    if (change != nullptr) put(target, existing, change);
    return {};
  }
  const std::vector<const Item*> wanted = TRY(identities(order, rule.merge_key));
  if (change != nullptr) TRY(check_order(change, wanted, rule.merge_key));
  std::vector<const Item*> before;
  if (existing != nullptr) before = TRY(identities(existing, rule.merge_key));
  if (change != nullptr && existing == nullptr) {
    put(target, nullptr, change);
    existing = find_child(target, name);
  } else if (change != nullptr) {
    TRY(list(existing, change, rule));
  }
  if (existing == nullptr) return {};
  return reorder(existing, rule.merge_key, wanted, before);
}

Result<> Merge::delete_from_list(Item* target, const Item* values, const void* type) {
  const std::string_view name = values->key().substr(kDeleteFromList.size());
  if (name.empty() || !values->is(cJSON_Array)) {
    return malformed({"$deleteFromPrimitiveList must name a field and be a list"});
  }
  Item* existing = find_child(target, name);
  if (existing == nullptr || !existing->is(cJSON_Array)) return {};
  if (!rule_of(type, name).merge_primitives) {
    return malformed({"$deleteFromPrimitiveList names a field that is not a merged list"});
  }
  const Ranks gone = rank(TRY(identities(values, {})));
  for (Item* element = existing->first(); element != nullptr;) {
    Item* following = element->following();
    if (!element->is_container() && gone.contains(element)) unlink(existing, element);
    element = following;
  }
  return {};
}

Result<> Merge::member(Item* target, Item* before, const Item* change, const void* type) {
  if (change->is(cJSON_NULL)) {
    if (before != nullptr) unlink(target, before);
    return {};
  }
  if (before == nullptr || !same_type(before, change) || !change->is_container()) {
    put(target, before, change);
    return {};
  }
  const FieldRule rule = rule_of(type, change->key());
  if (change->is(cJSON_Object) && !rule.replace) return object(before, change, rule.type);
  if (rule.replace || (rule.merge_key.empty() && !rule.merge_primitives)) {
    put(target, before, change);
    return {};
  }
  return list(before, change, rule);
}

Result<> Merge::list(Item* target, const Item* patch, const FieldRule& rule) {
  return rule.merge_key.empty() ? scalars(target, patch) : objects(target, patch, rule);
}

// Carries out the list's {"$patch": ...} elements.
Result<> Merge::drop_marked(Item* target, const Item* patch, std::string_view key, bool& replace) {
  std::vector<const Item*> gone;
  for (const Item* element = patch->first(); element != nullptr; element = element->following()) {
    if (!element->is(cJSON_Object)) return malformed({"list element types are not identical"});
    const Item* directive = find_child(element, kPatch);
    if (directive == nullptr) continue;
    const std::string_view what = directive->is(cJSON_String) ? directive->text() : "";
    if (what == "replace") {
      replace = true;
    } else if (what != "delete") {
      return malformed({"$patch of a list element must be replace or delete"});
    } else {
      const Item* id = identity(element, key);
      if (id == nullptr) {
        return malformed({"a list element does not contain the merge key `", key, "`"});
      }
      gone.push_back(id);
    }
  }
  if (gone.empty()) return {};
  const Ranks matching = rank(gone);
  for (Item* element = target->first(); element != nullptr;) {
    Item* following = element->following();
    const Item* id = identity(element, key);
    if (id != nullptr && matching.contains(id)) unlink(target, element);
    element = following;
  }
  return {};
}

Result<> Merge::objects(Item* target, const Item* patch, const FieldRule& rule) {
  bool replace = false;
  TRY(drop_marked(target, patch, rule.merge_key, replace));
  if (replace) {
    take_value(target, clean_copy(arena_, patch));
    return {};
  }
  const std::vector<const Item*> before = TRY(identities(target, rule.merge_key));
  std::map<const Item*, Item*, ScalarLess> places;
  size_t i = 0;
  for (Item* element = target->first(); element != nullptr; element = element->following()) {
    places.emplace(before[i++], element);
  }
  std::vector<const Item*> wanted;
  for (const Item* element = patch->first(); element != nullptr; element = element->following()) {
    if (find_child(element, kPatch) != nullptr) continue;
    const Item* id = identity(element, rule.merge_key);
    if (id == nullptr) {
      return malformed({"a list element does not contain the merge key `", rule.merge_key, "`"});
    }
    wanted.push_back(id);
    const auto found = places.find(id);
    if (found != places.end()) {
      TRY(object(found->second, element, rule.type));
      continue;
    }
    Item* made = clean_copy(arena_, element);
    link_last(target, made);
    places.emplace(id, made);
  }
  return reorder(target, rule.merge_key, wanted, before);
}

Result<> Merge::scalars(Item* target, const Item* patch) {
  const std::vector<const Item*> before = TRY(identities(target, {}));
  const std::vector<const Item*> wanted = TRY(identities(patch, {}));
  Ranks seen;
  for (Item* element = target->first(); element != nullptr;) {
    Item* following = element->following();
    if (!seen.emplace(element, 0).second) unlink(target, element);
    element = following;
  }
  for (const Item* value : wanted) {
    if (seen.emplace(value, 0).second) link_last(target, copy_item(arena_, value));
  }
  return reorder(target, {}, wanted, before);
}

}  // namespace

Result<> strategic_merge_patch(Node target, Node patch, MergeSchema schema) {
  if (!target.is_object() || !patch.is_object()) {
    return malformed({"both the object and the patch must be JSON objects"});
  }
  Merge merge(Inside::arena(Inside::tree(target)), schema.rule);
  return merge.object(Inside::item(target), Inside::item(patch), schema.type);
}

}  // namespace coracle::json
