// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/path.h"

#include "base/bytes.h"

namespace coracle::json {

namespace {

constexpr size_t kIndexDigitsMax = 9;  // no array is longer

std::optional<std::string> decode(std::string_view token) {
  std::string text;
  text.reserve(token.size());
  for (size_t i = 0; i < token.size(); i++) {
    if (token[i] != '~') {
      text += token[i];
      continue;
    }
    if (++i == token.size() || (token[i] != '0' && token[i] != '1')) return std::nullopt;
    text += token[i] == '0' ? '~' : '/';
  }
  return text;
}

}  // namespace

Result<std::vector<std::string>> parse_pointer(std::string_view text) {
  std::vector<std::string> tokens;
  if (text.empty()) return tokens;
  if (text[0] != '/') return fail(Code::kBadRequest, "JSON pointer must start with '/'");
  for (const std::string_view part : split(text.substr(1), '/')) {
    auto token = decode(part);
    if (!token) return fail(Code::kBadRequest, "JSON pointer has '~' without '0' or '1'");
    tokens.push_back(std::move(*token));
  }
  return tokens;
}

std::optional<size_t> array_index(std::string_view token) {
  if (token.empty() || token.size() > kIndexDigitsMax) return std::nullopt;
  if (token.size() > 1 && token[0] == '0') return std::nullopt;
  size_t index = 0;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<size_t>(c - '0');
  }
  return index;
}

Node find(Node root, std::string_view pointer) {
  const auto tokens = parse_pointer(pointer);
  if (!tokens) return {};
  Node at = root;
  for (const std::string& token : *tokens) {
    if (at.is_array()) {
      const auto index = array_index(token);
      at = index ? at.at(*index) : Node();
    } else {
      at = at[token];
    }
  }
  return at;
}

}  // namespace coracle::json
