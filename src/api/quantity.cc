// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/quantity.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr uint64_t kWholeMax = static_cast<uint64_t>(INT64_MAX);
constexpr uint32_t kNano = 1'000'000'000;
constexpr size_t kTextMax = 256;  // longer text is no quantity

enum class Form : uint8_t { kDecimal, kBinary, kExponent };  // "1k", "1Ki", "1e3"

// (negative ? -1 : 1) * (whole + nanos / 10^9): no 128-bit integers, so that 32-bit machines
// compute the same.
struct Amount {
  bool negative = false;
  uint64_t whole = 0;
  uint32_t nanos = 0;
  Form form = Form::kDecimal;

  bool zero() const { return whole == 0 && nanos == 0; }
  void cap() {
    whole = kWholeMax;
    nanos = 0;
  }
  void add_whole() {
    if (whole < kWholeMax) whole++;
  }
};

struct Suffix {
  std::string_view text;
  Form form;
  int exponent;  // of 10, or of 2 for kBinary
};

constexpr Suffix kSuffixes[] = {
    {"", Form::kDecimal, 0},   {"m", Form::kDecimal, -3}, {"Mi", Form::kBinary, 20},
    {"Gi", Form::kBinary, 30}, {"Ki", Form::kBinary, 10}, {"k", Form::kDecimal, 3},
    {"M", Form::kDecimal, 6},  {"G", Form::kDecimal, 9},  {"T", Form::kDecimal, 12},
    {"P", Form::kDecimal, 15}, {"E", Form::kDecimal, 18}, {"u", Form::kDecimal, -6},
    {"n", Form::kDecimal, -9}, {"Ti", Form::kBinary, 40}, {"Pi", Form::kBinary, 50},
    {"Ei", Form::kBinary, 60},
};

std::optional<Suffix> find_suffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  text.remove_prefix(text.size() > 1 && text[1] == '+' ? 2 : 1);
  const std::optional<int64_t> exponent = parse_signed(text);
  if (!exponent) return std::nullopt;
  // Beyond +-1000 every value is capped or rounded anyway.
  return Suffix{{}, Form::kExponent, static_cast<int>(std::clamp<int64_t>(*exponent, -1000, 1000))};
}

std::string_view suffix_text(Form form, int exponent) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.form == form && suffix.exponent == exponent) return suffix.text;
  }
  return {};
}

// The number before the suffix, as digits with a decimal point somewhere.
struct Digits {
  std::string_view before;  // the point
  std::string_view after;

  size_t size() const { return before.size() + after.size(); }
  uint32_t operator[](size_t i) const {
    return static_cast<uint32_t>((i < before.size() ? before[i] : after[i - before.size()]) - '0');
  }
};

Amount from_decimal(const Digits& digits, int exponent) {
  Amount amount;
  const auto point = static_cast<int64_t>(digits.before.size()) + exponent;
  const auto last = std::max(static_cast<int64_t>(digits.size()), point);
  int64_t from = 0;
  while (from < static_cast<int64_t>(digits.size()) && digits[static_cast<size_t>(from)] == 0)
    from++;
  if (from == static_cast<int64_t>(digits.size())) return amount;
  if (point - from > 19) {
    amount.cap();
    return amount;
  }
  uint32_t unit = kNano / 10;
  for (int64_t i = std::min(from, point); i < last; i++) {
    const bool given = i >= 0 && i < static_cast<int64_t>(digits.size());
    const uint32_t digit = given ? digits[static_cast<size_t>(i)] : 0;
    if (i < point) {
      if (amount.whole > (kWholeMax - digit) / 10) {
        amount.cap();
        return amount;
      }
      amount.whole = amount.whole * 10 + digit;
    } else if (unit > 0) {
      amount.nanos += digit * unit;
      unit /= 10;
    } else if (digit > 0) {  // finer than a billionth: away from zero
      if (++amount.nanos == kNano) {
        amount.nanos = 0;
        amount.add_whole();
      }
      break;
    }
  }
  return amount;
}

// whole + fraction / 10^18, doubled `exponent` times.
Amount from_binary(const Digits& digits, int exponent) {
  constexpr uint64_t kOne = 1'000'000'000'000'000'000;
  Amount amount = from_decimal({digits.before, {}}, 0);
  uint64_t fraction = 0;
  uint64_t unit = kOne / 10;
  bool more = false;
  for (const char c : digits.after) {
    fraction += static_cast<uint64_t>(c - '0') * unit;
    more = more || (unit == 0 && c != '0');
    unit /= 10;
  }
  for (int i = 0; i < exponent; i++) {
    fraction *= 2;
    const uint64_t carry = fraction >= kOne ? 1 : 0;
    fraction -= carry * kOne;
    if (amount.whole > (kWholeMax - carry) / 2) {
      amount.cap();
      return amount;
    }
    amount.whole = amount.whole * 2 + carry;
  }
  amount.nanos = static_cast<uint32_t>(fraction / kNano);
  if (fraction % kNano != 0 || more) amount.nanos++;
  if (amount.nanos == kNano) {
    amount.nanos = 0;
    amount.add_whole();
  }
  return amount;
}

std::optional<Amount> parse(std::string_view text) {
  if (text.empty() || text.size() > kTextMax) return std::nullopt;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t end = 0;
  while (end < text.size() && is_digit(text[end]))
    end++;
  Digits digits{text.substr(0, end), {}};
  if (end < text.size() && text[end] == '.') {
    const size_t begin = ++end;
    while (end < text.size() && is_digit(text[end]))
      end++;
    digits.after = text.substr(begin, end - begin);
  }
  const std::optional<Suffix> suffix = find_suffix(text.substr(end));
  if (digits.size() == 0 || !suffix) return std::nullopt;
  Amount amount = suffix->form == Form::kBinary ? from_binary(digits, suffix->exponent)
                                                : from_decimal(digits, suffix->exponent);
  amount.negative = negative && !amount.zero();
  amount.form = suffix->form;
  return amount;
}

std::string with_suffix(const Amount& amount, std::string_view digits, std::string_view suffix) {
  const size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return join({amount.negative ? "-" : "", digits.substr(zeros), suffix});
}

std::string decimal_text(const Amount& amount) {
  const auto suffix = [&](int exponent) {
    if (amount.form != Form::kExponent) return std::string(suffix_text(Form::kDecimal, exponent));
    return exponent == 0 ? std::string() : join({"e", std::to_string(exponent)});
  };
  uint64_t whole = amount.whole;
  int exponent = 0;
  if (amount.nanos == 0) {
    while (whole % 1000 == 0 && exponent < 18) {
      whole /= 1000;
      exponent += 3;
    }
    return with_suffix(amount, std::to_string(whole), suffix(exponent));
  }
  uint32_t part = amount.nanos;
  exponent = -9;
  while (part % 1000 == 0) {
    part /= 1000;
    exponent += 3;
  }
  std::string fraction = std::to_string(part);
  fraction.insert(0, static_cast<size_t>(-exponent) - fraction.size(), '0');
  return with_suffix(amount, std::to_string(whole) + fraction, suffix(exponent));
}

std::string canonical(const Amount& amount) {
  if (amount.zero()) return "0";
  // Upstream leaves the binary form when it would round or gain nothing.
  if (amount.form != Form::kBinary || amount.nanos != 0 || amount.whole < 1024)
    return decimal_text(amount);
  uint64_t whole = amount.whole;
  int exponent = 0;
  while (whole % 1024 == 0 && exponent < 60) {
    whole /= 1024;
    exponent += 10;
  }
  return with_suffix(amount, std::to_string(whole),
                     exponent == 0 ? "" : suffix_text(Form::kBinary, exponent));
}

// Rounds the magnitude up to a multiple of `unit` billionths.
void round_up(Amount& amount, uint32_t unit) {
  const uint32_t rest = amount.nanos % unit;
  if (rest == 0) return;
  amount.nanos += unit - rest;
  if (amount.nanos == kNano) {
    amount.nanos = 0;
    amount.add_whole();
  }
}

}  // namespace

std::optional<std::string> canonical_quantity(std::string_view text) {
  const std::optional<Amount> amount = parse(text);
  if (!amount) return std::nullopt;
  return canonical(*amount);
}

std::optional<std::string> canonical_resource(std::string_view text) {
  std::optional<Amount> amount = parse(text);
  if (!amount) return std::nullopt;
  round_up(*amount, kNano / 1000);
  return canonical(*amount);
}

std::optional<int64_t> quantity_value(std::string_view text) {
  std::optional<Amount> amount = parse(text);
  if (!amount) return std::nullopt;
  round_up(*amount, kNano);
  const auto value = static_cast<int64_t>(amount->whole);
  return amount->negative ? -value : value;
}

std::optional<int64_t> quantity_millis(std::string_view text) {
  std::optional<Amount> amount = parse(text);
  if (!amount) return std::nullopt;
  round_up(*amount, kNano / 1000);
  const uint64_t part = amount->nanos / 1'000'000;
  const bool fits = amount->whole <= (kWholeMax - part) / 1000;
  const auto value = static_cast<int64_t>(fits ? amount->whole * 1000 + part : kWholeMax);
  return amount->negative ? -value : value;
}

std::string bytes_quantity(int64_t bytes) {
  Amount amount;
  amount.negative = bytes < 0;
  amount.whole = bytes < 0 ? 0 - static_cast<uint64_t>(bytes) : static_cast<uint64_t>(bytes);
  amount.form = Form::kBinary;
  return canonical(amount);
}

std::string millis_quantity(int64_t millis) {
  Amount amount;
  amount.negative = millis < 0;
  const uint64_t size =
      millis < 0 ? 0 - static_cast<uint64_t>(millis) : static_cast<uint64_t>(millis);
  amount.whole = size / 1000;
  amount.nanos = static_cast<uint32_t>(size % 1000) * 1'000'000;
  return canonical(amount);
}

int compare_quantities(std::string_view a, std::string_view b) {
  const Amount x = parse(a).value_or(Amount{});
  const Amount y = parse(b).value_or(Amount{});
  if (x.negative != y.negative) return x.negative ? -1 : 1;
  int order = x.whole < y.whole ? -1 : x.whole > y.whole ? 1 : 0;
  if (order == 0) order = x.nanos < y.nanos ? -1 : x.nanos > y.nanos ? 1 : 0;
  return x.negative ? -order : order;
}

}  // namespace coracle::api
