// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/syntax.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/message.h"

namespace coracle::http {
namespace {

constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_token_character(char c) {
  return is_alphanumeric(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// The byte that "%41" at `at` stands for; -1 if that is no escape.
int escape_at(std::string_view text, size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto first = static_cast<unsigned char>(text[at++]);
    if (first < 0x80) continue;
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || at + static_cast<size_t>(more) > text.size()) return false;
    uint32_t point = first & (0x3fu >> more);
    for (int i = 0; i < more; i++) {
      const auto next = static_cast<unsigned char>(text[at++]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
      return false;
  }
  return true;
}

bool is_path_character(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '\\' && c != ';' && c != '#' &&
         c != '?';
}

Error bad_target(const char* why) {
  return fail(Code::kBadRequest, std::string("request target: ") + why);
}

// `path` starts with '/'.
Result<> check_segments(std::string_view path) {
  const std::vector<std::string_view> segments = split(path.substr(1), '/');
  for (size_t i = 0; i < segments.size(); i++) {
    if (segments[i].empty() && i + 1 < segments.size()) return bad_target("empty path segment");
    if (segments[i] == "." || segments[i] == "..") return bad_target("dot segment");
  }
  return {};
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

bool is_same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = lower(c);
  return out;
}

bool lists(std::string_view header_value, std::string_view element) {
  for (std::string_view each : split(header_value, ',')) {
    if (is_same_ignoring_case(trim(each), element)) return true;
  }
  return false;
}

MethodKind method_kind(std::string_view method) {
  constexpr std::string_view kServed[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};
  if (std::find(std::begin(kServed), std::end(kServed), method) != std::end(kServed))
    return MethodKind::kServed;
  return is_token(method) ? MethodKind::kUnknown : MethodKind::kMalformed;
}

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return bad_target("not in origin form");
  Target out;
  const size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  for (size_t at = 0; at < path.size(); at++) {
    int byte = static_cast<unsigned char>(path[at]);
    if (path[at] == '%') {
      byte = escape_at(path, at);
      if (byte < 0) return bad_target("broken escape");
      if (byte == '/' || byte == '\\') return bad_target("encoded slash");
      at += 2;
    } else if (byte >= 0x80) {
      return bad_target("not ASCII");
    }
    const char c = static_cast<char>(byte);
    // An escape may stand for what must not be written plainly, but not for a separator of any
    // kind.
    const bool escaped_mark = path[at] != c && (c == ' ' || c == '#' || c == '?');
    if (!is_path_character(c) && !escaped_mark) return bad_target("forbidden character");
    out.path += c;
  }
  if (!is_utf8(out.path)) return bad_target("not UTF-8");
  TRY(check_segments(out.path));
  if (mark == target.npos) return out;
  out.query = target.substr(mark + 1);
  for (char c : out.query) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '#') return bad_target("forbidden character in query");
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  const auto decode = [](std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size(); at++) {
      const int byte = text[at] == '%' ? escape_at(text, at) : -1;
      out += byte >= 0 ? static_cast<char>(byte) : text[at] == '+' ? ' ' : text[at];
      if (byte >= 0) at += 2;
    }
    return out;
  };
  std::vector<std::pair<std::string, std::string>> out;
  for (std::string_view each : split(query, '&')) {
    if (each.empty()) continue;
    const size_t equals = each.find('=');
    const std::string_view value =
        equals == each.npos ? std::string_view() : each.substr(equals + 1);
    out.emplace_back(decode(each.substr(0, equals)), decode(value));
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
      continue;
    }
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

std::string_view status_phrase(int status) {
  struct Row {
    int status;
    std::string_view phrase;
  };
  static constexpr Row kRows[] = {{100, "Continue"},
                                  {101, "Switching Protocols"},
                                  {200, "OK"},
                                  {201, "Created"},
                                  {202, "Accepted"},
                                  {204, "No Content"},
                                  {301, "Moved Permanently"},
                                  {302, "Found"},
                                  {304, "Not Modified"},
                                  {307, "Temporary Redirect"},
                                  {400, "Bad Request"},
                                  {401, "Unauthorized"},
                                  {403, "Forbidden"},
                                  {404, "Not Found"},
                                  {405, "Method Not Allowed"},
                                  {406, "Not Acceptable"},
                                  {408, "Request Timeout"},
                                  {409, "Conflict"},
                                  {410, "Gone"},
                                  {413, "Request Entity Too Large"},
                                  {414, "Request URI Too Long"},
                                  {415, "Unsupported Media Type"},
                                  {417, "Expectation Failed"},
                                  {422, "Unprocessable Entity"},
                                  {429, "Too Many Requests"},
                                  {431, "Request Header Fields Too Large"},
                                  {500, "Internal Server Error"},
                                  {501, "Not Implemented"},
                                  {502, "Bad Gateway"},
                                  {503, "Service Unavailable"},
                                  {504, "Gateway Timeout"},
                                  {505, "HTTP Version Not Supported"}};
  for (const Row& row : kRows) {
    if (row.status == status) return row.phrase;
  }
  return "Unknown";
}

std::string http_date(Wall at) {
  constexpr std::string_view kDays = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr int64_t kDaySeconds = 24 * 60 * 60;
  const std::string text = rfc3339(at);  // 2006-01-02T15:04:05Z
  const int64_t seconds = at.seconds();
  const int64_t days = seconds / kDaySeconds - (seconds % kDaySeconds < 0 ? 1 : 0);
  const size_t day = static_cast<size_t>(((days % 7) + 7) % 7);
  const size_t month = parse_unsigned(std::string_view(text).substr(5, 2)).value_or(1) - 1;
  const std::string_view all = text;
  return join({kDays.substr(day * 3, 3), ", ", all.substr(8, 2), " ", kMonths.substr(month * 3, 3),
               " ", all.substr(0, 4), " ", all.substr(11, 8), " GMT"});
}

bool has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace coracle::http
