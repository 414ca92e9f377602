// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/checks.h"

#include <algorithm>

#include "api/processing.h"
#include "base/bytes.h"
#include "base/ip.h"

namespace coracle::api {
namespace {

constexpr std::string_view kNotYet = "not supported by Coracle yet";
constexpr int64_t kPortMax = 65535;

void check_range(
    json::Node value, int64_t least, int64_t most, std::string_view path, Errors& errors) {
  const int64_t number = value.integer();
  if (number >= least && number <= most) return;
  errors.invalid(path, value,
                 join({"must be between ", std::to_string(least), " and ", std::to_string(most),
                       ", inclusive"}));
}

bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// IANA_SVC_NAME, RFC 6335 section 5.1 (apimachinery pkg/util/validation, IsValidPortName).
void check_port_name_text(std::string_view name, std::string_view path, Errors& errors) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_allowed = [](char c) { return is_lower_alphanumeric(c) || c == '-'; };
  if (name.size() > 15) errors.invalid(path, name, "must be no more than 15 characters");
  if (!std::all_of(name.begin(), name.end(), is_allowed))
    errors.invalid(path, name,
                   "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!std::any_of(name.begin(), name.end(), is_letter))
    errors.invalid(path, name, "must contain at least one letter (a-z)");
  if (name.find("--") != std::string_view::npos)
    errors.invalid(path, name, "must not contain consecutive hyphens");
  if (!name.empty() && (name.front() == '-' || name.back() == '-'))
    errors.invalid(path, name, "must not begin or end with a hyphen");
}

void check_requirement(json::Node requirement, std::string_view path, Errors& errors) {
  const std::string_view op = requirement["operator"].string();
  const bool wants_values = op == "In" || op == "NotIn";
  const bool known = wants_values || op == "Exists" || op == "DoesNotExist";
  const size_t values = requirement["values"].size();
  const std::string values_path = field(path, "values");
  if (!known && !op.empty())
    errors.invalid(field(path, "operator"), op, "not a valid selector operator");
  if (wants_values && values == 0)
    errors.required(values_path, "must be specified when `operator` is 'In' or 'NotIn'");
  if (known && !wants_values && values > 0)
    errors.forbidden(values_path,
                     "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  const std::string_view key = requirement["key"].string();
  const std::string problem = key.empty() ? std::string() : label_key_problem(key);
  if (!problem.empty()) errors.invalid(field(path, "key"), key, problem);
  size_t index = 0;
  for (json::Node value : requirement["values"]) {
    const std::string wrong = label_value_problem(value.string());
    if (!wrong.empty()) errors.invalid(item(values_path, index), value, wrong);
    ++index;
  }
}

bool is_percentage(std::string_view text) {
  if (text.size() < 2 || text.back() != '%') return false;
  return parse_unsigned(text.substr(0, text.size() - 1)).has_value();
}

}  // namespace

void positive(json::Node value, std::string_view path, Errors& errors) {
  if (value.integer() <= 0) errors.invalid(path, value, "must be greater than 0");
}

void not_negative(json::Node value, std::string_view path, Errors& errors) {
  if (value.integer() < 0) errors.invalid(path, value, "must be greater than or equal to 0");
}

void is_port(json::Node value, std::string_view path, Errors& errors) {
  check_range(value, 1, kPortMax, path, errors);
}

void is_user_id(json::Node value, std::string_view path, Errors& errors) {
  check_range(value, 0, INT32_MAX, path, errors);
}

void is_group_id(json::Node value, std::string_view path, Errors& errors) {
  check_range(value, 0, INT32_MAX, path, errors);
}

void is_file_mode(json::Node value, std::string_view path, Errors& errors) {
  if (value.integer() < 0 || value.integer() > 0777)
    errors.invalid(path, value, "must be a number between 0 and 0777 (octal), both inclusive");
}

bool says_something(json::Node value) {
  if (!value || value.is_null()) return false;
  if (value.is_boolean()) return value.boolean();
  if (value.is_string()) return !value.string().empty();
  if (value.is_array()) return value.size() > 0;
  return true;
}

void refuse(std::string_view path, Errors& errors) {
  errors.forbidden(path, kNotYet);
}

void not_yet(json::Node value, std::string_view path, Errors& errors) {
  if (says_something(value)) refuse(path, errors);
}

void check_label_name(json::Node value, std::string_view path, Errors& errors) {
  const std::string problem = dns1123_label_problem(value.string());
  if (!problem.empty()) errors.invalid(path, value, problem);
}

void check_subdomain_name(json::Node value, std::string_view path, Errors& errors) {
  const std::string problem = dns1123_subdomain_problem(value.string());
  if (!problem.empty()) errors.invalid(path, value, problem);
}

void check_port_name(json::Node value, std::string_view path, Errors& errors) {
  check_port_name_text(value.string(), path, errors);
}

void check_number_or_port_name(json::Node value, std::string_view path, Errors& errors) {
  if (value.is_string()) return check_port_name(value, path, errors);
  is_port(value, path, errors);
}

void check_labels(json::Node map, std::string_view path, Errors& errors) {
  for (json::Node label : map) {
    const std::string wrong_key = label_key_problem(label.key());
    if (!wrong_key.empty()) errors.invalid(path, label.key(), wrong_key);
    const std::string wrong_value = label_value_problem(label.string());
    if (!wrong_value.empty()) errors.invalid(path, label, wrong_value);
  }
}

void check_label_selector(json::Node selector, std::string_view path, Errors& errors) {
  check_labels(selector["matchLabels"], field(path, "matchLabels"), errors);
  size_t index = 0;
  for (json::Node requirement : selector["matchExpressions"])
    check_requirement(requirement, item(field(path, "matchExpressions"), index++), errors);
}

void check_ip(json::Node value, std::string_view path, Errors& errors) {
  if (parse_ip4(value.string())) return;
  const bool is_ipv6 = value.string().find(':') != std::string_view::npos;
  errors.invalid(path, value,
                 is_ipv6 ? "IPv6 is not supported by Coracle yet"
                         : "must be a valid IP address, (e.g. 10.9.8.7)");
}

void check_qualified_name_text(std::string_view name, std::string_view path, Errors& errors) {
  const std::string problem = label_key_problem(name);
  if (!problem.empty()) errors.invalid(path, name, problem);
}

void check_qualified_name(json::Node value, std::string_view path, Errors& errors) {
  check_qualified_name_text(value.string(), path, errors);
}

void check_immutable(json::Node now, json::Node old, std::string_view path, Errors& errors) {
  if (!says_something(now) && !says_something(old)) return;
  if (!json::equal(now, old)) errors.invalid(path, now, "field is immutable");
}

// 25% counts as 25: what matters here is whether it is 0 or above 100%.
int64_t check_share(json::Node share, std::string_view path, Errors& errors) {
  if (share.is_string() && !is_percentage(share.string())) {
    errors.invalid(path, share,
                   "a valid percent string must be a numeric string followed by an ending '%' "
                   "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
    return 1;
  }
  if (share.is_string())
    return parse_signed(share.string().substr(0, share.string().size() - 1)).value_or(1);
  if (share.integer() < 0) errors.invalid(path, share, "must be greater than or equal to 0");
  return share.integer();
}

void check_share_limit(json::Node share, int64_t says, std::string_view path, Errors& errors) {
  if (share.is_string() && says > 100) errors.invalid(path, share, "must not be greater than 100%");
}

void check_counts(json::Node status, std::string_view names, Errors& errors) {
  for (std::string_view name : split(names, '|')) {
    if (status[name]) not_negative(status[name], field("status", name), errors);
  }
}

bool is_one_of(std::string_view word, std::string_view words) {
  for (std::string_view each : split(words, '|')) {
    if (each == word) return true;
  }
  return false;
}

bool same_but(json::Node a, json::Node b, std::string_view names) {
  const auto differs = [names](json::Node one, json::Node other) {
    for (const json::Node child : one) {
      if (!is_one_of(child.key(), names) && !json::equal(child, other[child.key()])) return true;
    }
    return false;
  };
  return !differs(a, b) && !differs(b, a);
}

}  // namespace coracle::api
