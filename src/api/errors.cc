// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/errors.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr size_t kCausesMax = 64;        // then the rest is only counted
constexpr size_t kShownValueMax = 1024;  // bytes of a bad value that are repeated to the client
constexpr size_t kPathMax = 1024;        // likewise; keys of maps are part of it

// As Go's %q prints it, without the table of unprintable characters beyond ASCII.
std::string quoted(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  const std::string_view shown = text.substr(0, kShownValueMax);
  std::string out = "\"";
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      out += c;
    }
  }
  if (shown.size() < text.size()) {
    // Do not leave half a character behind.
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80)
      out.pop_back();
    if (static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "...";
  }
  return out + '"';
}

std::string shown(json::Node value) {
  if (!value || value.is_null()) return "\"null\"";
  if (value.is_string()) return quoted(value.string());
  std::string text = json::write(value);
  if (text.size() <= kShownValueMax) return text;
  return value.is_array() ? "[...]" : "{...}";
}

std::string quoted_list(std::string_view values) {
  std::string out;
  for (std::string_view value : split(values, '|')) {
    if (!out.empty()) out += ", ";
    out += quoted(value);
  }
  return out;
}

std::string with_detail(std::string_view what, std::string_view detail) {
  return detail.empty() ? std::string(what) : join({what, ": ", detail});
}

}  // namespace

void Errors::add(std::string_view reason, std::string_view path, std::string message) {
  if (causes_.size() >= kCausesMax) return;
  causes_.push_back(
      {std::string(reason), std::move(message), std::string(path.substr(0, kPathMax))});
}

void Errors::invalid(std::string_view path, json::Node value, std::string_view detail) {
  add("FieldValueInvalid", path, with_detail(join({"Invalid value: ", shown(value)}), detail));
}

void Errors::invalid(std::string_view path, std::string_view value, std::string_view detail) {
  add("FieldValueInvalid", path, with_detail(join({"Invalid value: ", quoted(value)}), detail));
}

void Errors::invalid(std::string_view path, int64_t value, std::string_view detail) {
  add("FieldValueInvalid", path,
      with_detail(join({"Invalid value: ", std::to_string(value)}), detail));
}

void Errors::required(std::string_view path, std::string_view detail) {
  add("FieldValueRequired", path, with_detail("Required value", detail));
}

void Errors::duplicate(std::string_view path, json::Node value) {
  add("FieldValueDuplicate", path, join({"Duplicate value: ", shown(value)}));
}

void Errors::not_supported(std::string_view path, json::Node value, std::string_view values) {
  add("FieldValueNotSupported", path,
      join({"Unsupported value: ", shown(value), ": supported values: ", quoted_list(values)}));
}

void Errors::not_found(std::string_view path, std::string_view value) {
  add("FieldValueNotFound", path, join({"Not found: ", quoted(value)}));
}

void Errors::not_found(std::string_view path, json::Node value) {
  add("FieldValueNotFound", path, join({"Not found: ", shown(value)}));
}

void Errors::forbidden(std::string_view path, std::string_view detail) {
  add("FieldValueForbidden", path, with_detail("Forbidden", detail));
}

void Errors::too_long(std::string_view path, size_t bytes_max) {
  add("FieldValueTooLong", path,
      join({"Too long: may not be more than ", std::to_string(bytes_max), " bytes"}));
}

void Errors::too_many(std::string_view path, size_t actual, size_t most) {
  add("FieldValueTooMany", path,
      join({"Too many: ", std::to_string(actual), ": must have at most ", std::to_string(most),
            " items"}));
}

Error Errors::to_error(std::string_view group_kind, std::string_view name) const {
  std::vector<std::string> lines;
  for (const Cause& cause : causes_) {
    std::string line =
        cause.field.empty() ? cause.message : join({cause.field, ": ", cause.message});
    if (std::find(lines.begin(), lines.end(), line) == lines.end())
      lines.push_back(std::move(line));
  }
  std::string all;
  for (const std::string& line : lines) {
    if (!all.empty()) all += ", ";
    all += line;
  }
  if (lines.size() > 1) all = join({"[", all, "]"});
  Error error = fail(Code::kInvalid, join({group_kind, " ", quoted(name), " is invalid: ", all}));
  error.causes = causes_;
  return error;
}

std::string field(std::string_view path, std::string_view name) {
  std::string out;
  out.reserve(path.size() + 1 + name.size());
  out += path;
  if (!path.empty()) out += '.';
  out += name;
  return out;
}

std::string item(std::string_view path, size_t index) {
  return join({path, "[", std::to_string(index), "]"});
}

std::string entry(std::string_view path, std::string_view key) {
  return join({path, "[", key, "]"});
}

}  // namespace coracle::api
