// SPDX-License-Identifier: GPL-2.0-or-later
// The order of merged lists in a strategic merge patch. Only for src/json.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/item.h"

namespace coracle::json {

// What makes a list element itself: the value of its merge key, or the element if there is no merge
// key. Null if the element is not an object with a scalar at that key, or not a scalar.
const Item* identity(const Item* element, std::string_view merge_key);

// The identities of all elements; 400 if one has none.
Result<std::vector<const Item*>> identities(const Item* list, std::string_view merge_key);

struct ScalarLess {
  bool operator()(const Item* a, const Item* b) const;
};
using Ranks =
    std::map<const Item*, size_t, ScalarLess>;  // identity -> position of its first appearance
Ranks rank(const std::vector<const Item*>& identities);

// Puts the children of `list` into the order upstream's normalizeElementOrder gives them: those in
// `wanted` as there, the others as in `before`, and the two kinds interleaved by `before` as far as
// it tells.
Result<> reorder(Item* list,
                 std::string_view merge_key,
                 const std::vector<const Item*>& wanted,
                 const std::vector<const Item*>& before);

}  // namespace coracle::json
