// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/scanner.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"
#include "json/lookup.h"
#include "json/utf8.h"

namespace coracle::json {

namespace {

constexpr size_t kNotesMax = 100;        // as upstream's strict decoder
constexpr size_t kEchoMax = 20;          // bytes of the input an error may repeat
constexpr size_t kNumberBytesMax = 128;  // strtod is handed nothing longer
constexpr size_t kSafeDigits = 16;       // 2^53 has sixteen
constexpr uint64_t kIntegerMax = uint64_t{1} << 53;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_plain(char c) {  // char is unsigned on ARM
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

}  // namespace

std::string Trail::path_of(std::string_view name) const {
  std::string path;
  for (size_t i = 0; i + 1 < depth_; i++) {
    const Step& step = steps_[i];
    if (step.container->is(cJSON_Array)) {
      path += join({"[", std::to_string(step.index - 1), "]"});
    } else {
      path += join({path.empty() ? "" : ".", step.child->key()});
    }
  }
  return join({path, path.empty() ? "" : ".", name});
}

void note_duplicates(Item* object, size_t children, const Trail& trail, ParseNotes* notes) {
  struct Context {
    const Trail& trail;
    ParseNotes* notes;
  } context{trail, notes};
  const auto found = [](void* opaque, std::string_view name) {
    auto* at = static_cast<Context*>(opaque);
    if (at->notes == nullptr || at->notes->duplicates.size() >= kNotesMax) return;
    std::string path = at->trail.path_of(name);
    auto& list = at->notes->duplicates;
    if (std::find(list.begin(), list.end(), path) == list.end()) list.push_back(std::move(path));
  };
  drop_duplicates(object, children, found, &context);
}

Scanner::Scanner(Arena& arena, std::string_view text, ParseNotes* notes)
    : arena_(arena),
      original_(text),
      notes_(notes) {
  if (text.size() > limits::kJsonBytesMax) text = {};
  start_ = at_ = const_cast<char*>(arena.copy(text).data());
  end_ = start_ + text.size();
}

Result<Item*> Scanner::document() {
  if (original_.size() > limits::kJsonBytesMax) {
    return fail(Code::kBadRequest, "JSON document is too large");
  }
  skip_space();
  Item* root = value();
  if (root == nullptr) return error();
  skip_space();
  if (at_ != end_) {
    refuse("trailing bytes after the document");
    return error();
  }
  return root;
}

Item* Scanner::value() {
  if (++nodes_ > limits::kJsonNodesMax) return refuse("too many values in one document");
  switch (*at_) {
    case '{':
      return object();
    case '[':
      return array();
    case '"':
      return string_value();
    case 't':
      return literal("true", cJSON_True);
    case 'f':
      return literal("false", cJSON_False);
    case 'n':
      return literal("null", cJSON_NULL);
    default:
      return number();
  }
}

bool Scanner::enter(const Item* container) {
  if (trail_.depth() == limits::kJsonDepthMax) {
    refuse("nested too deeply");
    return false;
  }
  trail_.enter(container);
  at_++;
  skip_space();
  return true;
}

Item* Scanner::object() {
  Item* object = new_item(arena_, cJSON_Object);
  if (!enter(object)) return nullptr;
  size_t children = 0;
  if (*at_ != '}') {
    for (;; at_++, skip_space()) {
      if (++children > limits::kJsonKeysMax) return refuse("too many keys in one object");
      if (!member(object)) return nullptr;
      skip_space();
      if (*at_ == '}') break;
      if (*at_ != ',') return refuse("expected ',' or '}'");
    }
  }
  at_++;
  if (children > 1) note_duplicates(object, children, trail_, notes_);
  trail_.leave();
  return object;
}

bool Scanner::member(Item* object) {
  if (*at_ != '"') return refuse("expected a key in double quotes") != nullptr;
  char* name = nullptr;
  uint32_t size = 0;
  if (!text(name, size)) return false;
  skip_space();
  if (*at_ != ':') return refuse("expected ':'") != nullptr;
  at_++;
  skip_space();
  // A name for the trail while the value, which may be a container, is still being read.
  Item named{};
  named.string = name;
  named.key_size = size;
  trail_.at(&named);
  Item* child = value();
  if (child == nullptr) return false;
  child->string = name;
  child->key_size = size;
  link_last(object, child);
  return true;
}

Item* Scanner::array() {
  Item* array = new_item(arena_, cJSON_Array);
  if (!enter(array)) return nullptr;
  if (*at_ != ']') {
    for (;; at_++, skip_space()) {
      trail_.at(nullptr);
      Item* child = value();
      if (child == nullptr) return nullptr;
      link_last(array, child);
      skip_space();
      if (*at_ == ']') break;
      if (*at_ != ',') return refuse("expected ',' or ']'");
    }
  }
  at_++;
  trail_.leave();
  return array;
}

Item* Scanner::literal(std::string_view word, int type) {
  const auto left = static_cast<size_t>(end_ - at_);
  if (left < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
    return refuse("expected a value");
  }
  at_ += word.size();
  return new_item(arena_, type);
}

Item* Scanner::number() {
  const char* begin = at_;
  const bool negative = *at_ == '-';
  if (negative) at_++;
  if (!is_digit(*at_)) return refuse(negative ? "expected a digit" : "expected a value");
  const char* digits = at_;
  uint64_t whole = 0;
  while (is_digit(*at_)) {
    if (at_ - digits < 17) whole = whole * 10 + static_cast<uint64_t>(*at_ - '0');
    at_++;
  }
  const auto count = static_cast<size_t>(at_ - digits);
  if (*digits == '0' && count > 1) return refuse("number with a leading zero");
  const bool integer = *at_ != '.' && *at_ != 'e' && *at_ != 'E';
  if (integer) {
    if (count > kSafeDigits || whole > kIntegerMax) return refuse("integer beyond +-2^53");
    const auto exact = static_cast<double>(whole);
    return new_number(arena_, negative && whole != 0 ? -exact : exact);
  }
  if (*at_ == '.') {
    if (!is_digit(*++at_)) return refuse("expected a digit after '.'");
    while (is_digit(*at_))
      at_++;
  }
  if (*at_ == 'e' || *at_ == 'E') {
    at_++;
    if (*at_ == '+' || *at_ == '-') at_++;
    if (!is_digit(*at_)) return refuse("expected a digit in the exponent");
    while (is_digit(*at_))
      at_++;
  }
  if (static_cast<size_t>(at_ - begin) > kNumberBytesMax) return refuse("number too long");
  // The process never calls setlocale, so strtod reads '.'.
  const double value = std::strtod(begin, nullptr);
  if (!std::isfinite(value)) return refuse("number out of range");
  return new_number(arena_, value);
}

Item* Scanner::string_value() {
  Item* item = new_item(arena_, cJSON_String);
  return text(item->valuestring, item->text_size) ? item : nullptr;
}

// At the opening quote; afterwards behind the closing one, which has become the string's NUL.
bool Scanner::text(char*& begin, uint32_t& size) {
  char* to = begin = ++at_;
  for (;;) {
    const char* run = at_;
    while (is_plain(*at_))
      at_++;
    const auto plain = static_cast<size_t>(at_ - run);
    if (to != run) std::memmove(to, run, plain);
    to += plain;
    if (*at_ == '"') break;
    if (*at_ == '\\') {
      if (!escape(to)) return false;
      continue;
    }
    if (at_ == end_) return refuse("unterminated string") != nullptr;
    if (static_cast<unsigned char>(*at_) < 0x20) {
      return refuse("control character in a string") != nullptr;
    }
    const size_t length = utf8_length({at_, static_cast<size_t>(end_ - at_)});
    if (length == 0) return refuse("string is not valid UTF-8") != nullptr;
    if (to != at_) std::memmove(to, at_, length);
    to += length;
    at_ += length;
  }
  at_++;
  *to = '\0';
  size = static_cast<uint32_t>(to - begin);
  return true;
}

// At the backslash. What an escape decodes to is never longer than the escape.
bool Scanner::escape(char*& to) {
  at_++;
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  const size_t simple = *at_ == '\0' ? std::string_view::npos : kFrom.find(*at_);
  if (simple != std::string_view::npos) {
    at_++;
    *to++ = kTo[simple];
    return true;
  }
  uint32_t code = 0;
  if (*at_ != 'u') return refuse("unknown escape in a string") != nullptr;
  if (!code_unit(code)) return false;
  if (code == 0) return refuse("NUL in a string") != nullptr;
  if (code >= 0xD800 && code <= 0xDFFF) {
    uint32_t low = 0;
    if (code >= 0xDC00 || *at_ != '\\' || at_[1] != 'u') {
      return refuse("unpaired surrogate in a string") != nullptr;
    }
    at_++;
    if (!code_unit(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return refuse("unpaired surrogate in a string") != nullptr;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  to += utf8_put(to, code);
  return true;
}

// At the 'u' of \uXXXX.
bool Scanner::code_unit(uint32_t& unit) {
  at_++;
  unit = 0;
  for (int i = 0; i < 4; i++, at_++) {
    const char c = *at_;
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c)) {
      unit = unit * 16 + static_cast<uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      unit = unit * 16 + static_cast<uint32_t>(lower - 'a' + 10);
    } else {
      return refuse("expected four hexadecimal digits") != nullptr;
    }
  }
  return true;
}

void Scanner::skip_space() {
  while (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')
    at_++;
}

std::nullptr_t Scanner::refuse(const char* why) {
  const bool cut = at_ == end_ && std::string_view(why).starts_with("expected");
  if (why_ == nullptr) why_ = cut ? "unexpected end of document" : why;
  return nullptr;
}

Error Scanner::error() const {
  const auto offset = static_cast<size_t>(at_ - start_);
  const auto lines =
      std::count(original_.begin(), original_.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  std::string near;
  for (const char c : original_.substr(offset, kEchoMax)) {
    if (c < 0x20 || c > 0x7E) break;
    near += c;
  }
  std::string message = join({"invalid JSON at line ", std::to_string(lines + 1), ", offset ",
                              std::to_string(offset), ": ", why_});
  if (!near.empty()) message += join({" near `", near, "`"});
  return fail(Code::kBadRequest, std::move(message));
}

}  // namespace coracle::json
