// SPDX-License-Identifier: GPL-2.0-or-later
// JSON pointers (RFC 6901).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/tree.h"

namespace coracle::json {

// The reference tokens of a pointer, decoded ("~1" is '/', "~0" is '~'); 400 BadRequest if
// malformed.
Result<std::vector<std::string>> parse_pointer(std::string_view text);

// A token as array index: digits without leading zeros.
std::optional<size_t> array_index(std::string_view token);

// What `pointer` names below `root`; null Node if there is nothing or the pointer is malformed.
Node find(Node root, std::string_view pointer);

}  // namespace coracle::json
