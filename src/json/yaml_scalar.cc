// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/yaml_scalar.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace coracle::json {

namespace {

using Kind = YamlScalar::Kind;

constexpr size_t kNumberBytesMax = 128;
constexpr uint64_t kIntegerMax = uint64_t{1} << 53;

struct Word {
  std::string_view text;
  YamlScalar value;
};
constexpr YamlScalar kNull{.kind = Kind::kNull};
constexpr YamlScalar kTrue{.kind = Kind::kBoolean, .boolean = true};
constexpr YamlScalar kFalse{.kind = Kind::kBoolean, .boolean = false};
constexpr YamlScalar kNotFinite{.kind = Kind::kRefused, .why = "a number that is not finite"};
constexpr YamlScalar kTooBig{.kind = Kind::kRefused, .why = "integer beyond +-2^53"};
constexpr YamlScalar kMergeKey{.kind = Kind::kRefused, .why = "merge keys are not supported"};
constexpr Word kWords[] = {
    {"", kNull},           {"~", kNull},          {"null", kNull},       {"Null", kNull},
    {"NULL", kNull},       {"y", kTrue},          {"Y", kTrue},          {"yes", kTrue},
    {"Yes", kTrue},        {"YES", kTrue},        {"true", kTrue},       {"True", kTrue},
    {"TRUE", kTrue},       {"on", kTrue},         {"On", kTrue},         {"ON", kTrue},
    {"n", kFalse},         {"N", kFalse},         {"no", kFalse},        {"No", kFalse},
    {"NO", kFalse},        {"false", kFalse},     {"False", kFalse},     {"FALSE", kFalse},
    {"off", kFalse},       {"Off", kFalse},       {"OFF", kFalse},       {".nan", kNotFinite},
    {".NaN", kNotFinite},  {".NAN", kNotFinite},  {".inf", kNotFinite},  {".Inf", kNotFinite},
    {".INF", kNotFinite},  {"+.inf", kNotFinite}, {"+.Inf", kNotFinite}, {"+.INF", kNotFinite},
    {"-.inf", kNotFinite}, {"-.Inf", kNotFinite}, {"-.INF", kNotFinite}, {"<<", kMergeKey},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

size_t digits(std::string_view text, size_t at) {
  size_t count = 0;
  while (at + count < text.size() && is_digit(text[at + count]))
    count++;
  return count;
}

int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

// Go's strconv.ParseInt with base 0: 0x, 0o, 0b, a bare leading 0 for octal. False if it is no
// integer.
bool integer(std::string_view text, YamlScalar& out) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  uint64_t base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  if (text.empty()) return false;
  uint64_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<uint64_t>(digit_value(c));
    if (digit >= base) return false;
    if (value <= kIntegerMax) value = value * base + digit;
  }
  if (value > kIntegerMax) {
    out = kTooBig;
    return true;
  }
  const auto exact = static_cast<double>(value);
  out = {.kind = Kind::kNumber, .number = negative && value != 0 ? -exact : exact};
  return true;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool fraction(std::string_view text, YamlScalar& out) {
  size_t at = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const size_t whole = digits(text, at);
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const size_t decimals = digits(text, ++at);
    if (whole + decimals == 0) return false;
    at += decimals;
  } else if (whole == 0) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    at++;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) at++;
    const size_t exponent = digits(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  if (at != text.size()) return false;
  const double value = std::strtod(std::string(text).c_str(), nullptr);
  out = kNotFinite;
  if (std::isfinite(value)) out = {.kind = Kind::kNumber, .number = value};
  return true;
}

}  // namespace

YamlScalar resolve_yaml(std::string_view plain) {
  for (const Word& word : kWords) {
    if (word.text == plain) return word.value;
  }
  YamlScalar value;
  const char hint = plain[0];
  if (plain.size() > kNumberBytesMax) return value;
  if (hint == '.') {
    fraction(plain, value);
  } else if (is_digit(hint) || hint == '-' || hint == '+') {
    std::string bare;
    for (const char c : plain) {
      if (c != '_') bare += c;
    }
    if (!integer(bare, value)) fraction(bare, value);
  }
  return value;
}

}  // namespace coracle::json
