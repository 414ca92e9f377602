// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes are std::string (owned) and std::string_view (borrowed) everywhere; this file holds the
// codings of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coracle {

// CRC-32C (Castagnoli). `seed` chains: crc32c(b, crc32c(a)) == crc32c(a + b).
uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);

std::string hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::string base64(std::string_view bytes);  // RFC 4648 section 4, padded
std::optional<std::string> from_base64(
    std::string_view text);                     // strict: padding required, no white space
std::string base64url(std::string_view bytes);  // RFC 4648 section 5, not padded
std::optional<std::string> from_base64url(std::string_view text);

// Little-endian integers of fixed size, for disk and wire formats.
void put_u32(std::string& out, uint32_t value);
void put_u64(std::string& out, uint64_t value);
uint32_t get_u32(const char* at);
uint64_t get_u64(const char* at);

// Whole-string decimal; nullopt for anything else (sign only for the signed form).
std::optional<uint64_t> parse_unsigned(std::string_view text);
std::optional<int64_t> parse_signed(std::string_view text);

// "a,b,,c" -> {"a","b","","c"}; views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

// Concatenates with one allocation: join({"a", "/", name}).
std::string join(std::initializer_list<std::string_view> parts);

}  // namespace coracle
