// SPDX-License-Identifier: GPL-2.0-or-later
// The children of one object by name. Small objects are walked, large ones sorted once, so that no
// pair of hostile documents makes comparing or merging them quadratic. Only for src/json.
#pragma once

#include <string_view>
#include <vector>

#include "json/item.h"

namespace coracle::json {

// Stays right while values change in place and children are added that are not asked for; not when
// children are removed and asked for again.
class Lookup {
 public:
  explicit Lookup(const Item* object);
  Item* operator[](std::string_view name) const;

 private:
  const Item* object_;
  std::vector<Item*> sorted_;  // empty: walk
};

// Unlinks every child whose name comes again later in the object; calls found(name) for each.
using DuplicateFound = void (*)(void* context, std::string_view name);
void drop_duplicates(Item* object, size_t children, DuplicateFound found, void* context);

}  // namespace coracle::json
