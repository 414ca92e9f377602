// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/merge_list.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::json {

namespace {

constexpr size_t kNowhere = SIZE_MAX;

struct Element {
  Item* item;
  size_t wanted;
  size_t before;
};

size_t position(const Ranks& ranks, const Item* id) {
  const auto at = ranks.find(id);
  return at == ranks.end() ? kNowhere : at->second;
}

}  // namespace

const Item* identity(const Item* element, std::string_view merge_key) {
  if (!merge_key.empty()) {
    if (!element->is(cJSON_Object)) return nullptr;
    element = find_child(element, merge_key);
  }
  return element == nullptr || element->is_container() ? nullptr : element;
}

Result<std::vector<const Item*>> identities(const Item* list, std::string_view merge_key) {
  std::vector<const Item*> ids;
  for (const Item* element = list->first(); element != nullptr; element = element->following()) {
    const Item* id = identity(element, merge_key);
    if (id == nullptr && merge_key.empty()) {
      return fail(Code::kBadRequest, "a list of scalars has an element that is none");
    }
    if (id == nullptr) {
      return fail(Code::kBadRequest,
                  join({"a list element does not contain the merge key `", merge_key, "`"}));
    }
    ids.push_back(id);
  }
  return ids;
}

bool ScalarLess::operator()(const Item* a, const Item* b) const {
  const int x = a->type & 0xFF;
  const int y = b->type & 0xFF;
  if (x != y) return x < y;
  if (x == cJSON_Number) return a->valuedouble < b->valuedouble;
  return x == cJSON_String && a->text() < b->text();
}

Ranks rank(const std::vector<const Item*>& identities) {
  Ranks ranks;
  for (size_t i = 0; i < identities.size(); i++)
    ranks.emplace(identities[i], i);
  return ranks;
}

Result<> reorder(Item* list,
                 std::string_view merge_key,
                 const std::vector<const Item*>& wanted,
                 const std::vector<const Item*>& before) {
  const Ranks wanted_ranks = rank(wanted);
  const Ranks before_ranks = rank(before);
  const std::vector<const Item*> ids = TRY(identities(list, merge_key));
  std::vector<Element> named;
  std::vector<Element> others;
  size_t i = 0;
  for (Item* item = list->first(); item != nullptr; item = item->following(), i++) {
    const Element element{item, position(wanted_ranks, ids[i]), position(before_ranks, ids[i])};
    (element.wanted == kNowhere ? others : named).push_back(element);
  }
  std::stable_sort(named.begin(), named.end(),
                   [](const Element& a, const Element& b) { return a.wanted < b.wanted; });
  std::stable_sort(others.begin(), others.end(),
                   [](const Element& a, const Element& b) { return a.before < b.before; });
  list->child = nullptr;
  auto left = others.begin();
  auto right = named.begin();
  while (left != others.end() || right != named.end()) {
    const bool take_left =
        right == named.end() ||
        (left != others.end() && right->before != kNowhere && left->before < right->before);
    link_last(list, take_left ? (left++)->item : (right++)->item);
  }
  return {};
}

}  // namespace coracle::json
