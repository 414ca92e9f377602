// SPDX-License-Identifier: GPL-2.0-or-later
// UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. Only for src/json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coracle::json {

// Bytes of the character at the start of `text` (1 to 4), 0 if it is not valid UTF-8 or `text` is
// empty.
size_t utf8_length(std::string_view text);
// Writes 1 to 4 bytes, returns how many. `code` is a valid scalar value.
size_t utf8_put(char* to, uint32_t code);
// The text with NUL and every byte that is not part of a character replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

}  // namespace coracle::json
