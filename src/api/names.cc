// SPDX-License-Identifier: GPL-2.0-or-later
// Names, label keys and label values by the rules and with the words of apimachinery
// pkg/util/validation.
#include <cstddef>

#include "api/processing.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr size_t kLabelMax = 63;
constexpr size_t kSubdomainMax = 253;

constexpr std::string_view kLabelWords =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kSubdomainWords =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kDns1035Words =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kQualifiedWords =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kValueWords =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_or_digit(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_letter_or_digit(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool is_label(std::string_view text) {
  if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back()))
    return false;
  for (const char c : text) {
    if (!is_lower_or_digit(c) && c != '-') return false;
  }
  return true;
}

bool is_subdomain(std::string_view text) {
  size_t begin = 0;
  while (true) {
    const size_t dot = text.find('.', begin);
    if (!is_label(text.substr(begin, dot == std::string_view::npos ? dot : dot - begin)))
      return false;
    if (dot == std::string_view::npos) return true;
    begin = dot + 1;
  }
}

// The name part of a label key, and a label value that is not empty.
bool is_qualified(std::string_view text) {
  if (text.empty() || !is_letter_or_digit(text.front()) || !is_letter_or_digit(text.back()))
    return false;
  for (const char c : text) {
    if (!is_letter_or_digit(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

std::string problem(bool matches, std::string_view words, size_t size, size_t size_max) {
  if (size <= size_max) return std::string(matches ? std::string_view() : words);
  const std::string too_long = join({"must be no more than ", std::to_string(size_max), " bytes"});
  return matches ? too_long : join({too_long, "; ", words});
}

void append(std::string& all, std::string_view part, std::string_view more) {
  if (more.empty()) return;
  if (!all.empty()) all += "; ";
  all += part;
  all += more;
}

}  // namespace

std::string dns1123_label_problem(std::string_view name) {
  return problem(is_label(name), kLabelWords, name.size(), kLabelMax);
}

std::string dns1123_subdomain_problem(std::string_view name) {
  return problem(is_subdomain(name), kSubdomainWords, name.size(), kSubdomainMax);
}

std::string dns1035_label_problem(std::string_view name) {
  const bool matches = is_label(name) && is_lower(name.front());
  return problem(matches, kDns1035Words, name.size(), kLabelMax);
}

std::string label_key_problem(std::string_view key) {
  const size_t slash = key.find('/');
  std::string all;
  std::string_view name = key;
  if (slash != std::string_view::npos) {
    const std::string_view prefix = key.substr(0, slash);
    name = key.substr(slash + 1);
    if (name.find('/') != std::string_view::npos) {
      return join({"a qualified name ", kQualifiedWords,
                   " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"});
    }
    append(all, "prefix part ",
           prefix.empty() ? "must be non-empty" : dns1123_subdomain_problem(prefix));
  }
  if (name.empty()) append(all, "name part ", "must be non-empty");
  append(all, "name part ", problem(is_qualified(name), kQualifiedWords, name.size(), kLabelMax));
  return all;
}

std::string label_value_problem(std::string_view value) {
  return problem(value.empty() || is_qualified(value), kValueWords, value.size(), kLabelMax);
}

}  // namespace coracle::api
