// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/lookup.h"

#include <algorithm>
#include <cstring>

namespace coracle::json {

namespace {

constexpr size_t kWalkMax = 16;

// Any total order will do: sizes first is the cheapest.
int compare(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.empty() ? 0 : std::memcmp(a.data(), b.data(), a.size());
}

struct Place {
  Item* item;
  size_t order;
};

void drop_in_small(Item* object, DuplicateFound found, void* context) {
  for (Item* child = object->first(); child != nullptr;) {
    Item* following = child->following();
    for (Item* later = following; later != nullptr; later = later->following()) {
      if (compare(later->key(), child->key()) != 0) continue;
      found(context, child->key());
      unlink(object, child);
      break;
    }
    child = following;
  }
}

}  // namespace

Lookup::Lookup(const Item* object) : object_(object) {
  size_t children = 0;
  for (const Item* child = object->first(); child != nullptr; child = child->following())
    children++;
  if (children <= kWalkMax) return;
  sorted_.reserve(children);
  for (Item* child = object->first(); child != nullptr; child = child->following()) {
    sorted_.push_back(child);
  }
  std::sort(sorted_.begin(), sorted_.end(),
            [](const Item* a, const Item* b) { return compare(a->key(), b->key()) < 0; });
}

Item* Lookup::operator[](std::string_view name) const {
  if (sorted_.empty()) return find_child(object_, name);
  const auto at = std::lower_bound(
      sorted_.begin(), sorted_.end(), name,
      [](const Item* item, std::string_view wanted) { return compare(item->key(), wanted) < 0; });
  return at != sorted_.end() && (*at)->key() == name ? *at : nullptr;
}

void drop_duplicates(Item* object, size_t children, DuplicateFound found, void* context) {
  if (children <= kWalkMax) return drop_in_small(object, found, context);
  std::vector<Place> places;
  places.reserve(children);
  for (Item* child = object->first(); child != nullptr; child = child->following()) {
    places.push_back({child, places.size()});
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    const int order = compare(a.item->key(), b.item->key());
    return order != 0 ? order < 0 : a.order < b.order;
  });
  for (size_t i = 0; i + 1 < places.size(); i++) {
    if (places[i].item->key() != places[i + 1].item->key()) continue;
    found(context, places[i].item->key());
    unlink(object, places[i].item);
  }
}

}  // namespace coracle::json
