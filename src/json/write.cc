// SPDX-License-Identifier: GPL-2.0-or-later
// Text of a tree. Escapes and numbers look as Go's encoding/json writes them, so stored objects and
// golden files compare byte for byte with upstream.
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "json/item.h"
#include "json/utf8.h"

namespace coracle::json {

namespace {

constexpr double kIntegerMax = 9007199254740992.0;  // 2^53
constexpr char kHex[] = "0123456789abcdef";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\' && c != '&' && c != '<' && c != '>';
}

void write_ascii_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\0':
      out += "\\ufffd";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += kHex[(c >> 4) & 0xF];
  out += kHex[c & 0xF];
}

// One character beyond ASCII, or one byte of what is none; returns the bytes consumed.
size_t write_wide(std::string& out, std::string_view text) {
  const size_t length = utf8_length(text);
  if (length == 0) {
    out += "\\ufffd";
    return 1;
  }
  const std::string_view one = text.substr(0, length);
  if (one == "\u2028") {
    out += "\\u2028";  // legal JSON, but ends a line in JavaScript
  } else if (one == "\u2029") {
    out += "\\u2029";
  } else {
    out += one;
  }
  return length;
}

void write_integer(std::string& out, double value) {
  char text[24];
  std::snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  out += text;
}

// Finds the fewest significant digits that read back as the same double.
void write_fraction(std::string& out, double value) {
  char text[40];
  int digits = std::fabs(value) < DBL_MIN ? 1 : 15;  // subnormals have fewer than fifteen
  do {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
  } while (std::strtod(text, nullptr) != value && ++digits <= 17);
  const std::string_view shown(text);
  const size_t mark = shown.find('e');
  std::string mantissa(shown.substr(0, mark));
  while (mantissa.back() == '0')
    mantissa.pop_back();
  const int exponent = static_cast<int>(std::strtol(text + mark + 1, nullptr, 10));
  if (std::fabs(value) < kIntegerMax && exponent >= -6) {
    const auto significant =
        static_cast<int>(mantissa.size()) - (value < 0 ? 1 : 0) - 1;  // without sign and point
    std::snprintf(text, sizeof text, "%.*f", significant - 1 - exponent, value);
    out += text;
    return;
  }
  if (mantissa.back() == '.') mantissa.pop_back();
  out += mantissa;
  std::snprintf(text, sizeof text, "e%c%d", exponent < 0 ? '-' : '+', std::abs(exponent));
  out += text;
}

void write_scalar(std::string& out, const Item* item) {
  switch (item->type & 0xFF) {
    case cJSON_True:
      out += "true";
      return;
    case cJSON_False:
      out += "false";
      return;
    case cJSON_Number:
      write_number(out, item->valuedouble);
      return;
    case cJSON_String:
      write_string(out, item->text());
      return;
    default:
      out += "null";
      return;
  }
}

void write_item(std::string& out, const Item* item) {
  if (!item->is_container()) return write_scalar(out, item);
  const bool object = item->is(cJSON_Object);
  out += object ? '{' : '[';
  for (const Item* child = item->first(); child != nullptr; child = child->following()) {
    if (child != item->child) out += ',';
    if (object) {
      write_string(out, child->key());
      out += ':';
    }
    write_item(out, child);
  }
  out += object ? '}' : ']';
}

void write_indented(std::string& out, const Item* item, size_t indent) {
  if (!item->is_container() || item->child == nullptr) return write_item(out, item);
  const bool object = item->is(cJSON_Object);
  out += object ? '{' : '[';
  for (const Item* child = item->first(); child != nullptr; child = child->following()) {
    out += child == item->child ? "\n" : ",\n";
    out.append(indent + 2, ' ');
    if (object) {
      write_string(out, child->key());
      out += ": ";
    }
    write_indented(out, child, indent + 2);
  }
  out += '\n';
  out.append(indent, ' ');
  out += object ? '}' : ']';
}

}  // namespace

void write_string(std::string& out, std::string_view text) {
  out += '"';
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && is_plain(text[end]))
      end++;
    out.append(text, at, end - at);
    at = end;
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      write_ascii_escape(out, text[at++]);
    } else {
      at += write_wide(out, text.substr(at));
    }
  }
  out += '"';
}

void write_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";  // cannot come from a document
  } else if (std::fabs(value) <= kIntegerMax && std::trunc(value) == value) {
    write_integer(out, value);
  } else {
    write_fraction(out, value);
  }
}

void write_to(std::string& out, Node node) {
  const Item* item = Inside::item(node);
  if (item != nullptr) write_item(out, item);
}

std::string write(Node node) {
  std::string out;
  write_to(out, node);
  return out;
}

std::string write_pretty(Node node) {
  std::string out;
  const Item* item = Inside::item(node);
  if (item != nullptr) write_indented(out, item, 0);
  return out;
}

}  // namespace coracle::json
