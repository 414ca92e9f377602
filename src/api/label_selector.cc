// SPDX-License-Identifier: GPL-2.0-or-later
// Label selectors as apimachinery pkg/labels reads and prints them.
#include <algorithm>

#include "api/processing.h"
#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr size_t kRequirementsMax = 256;  // of one selector; 400

enum class Token : uint8_t {
  kWord,
  kEqual,
  kNotEqual,
  kBang,
  kComma,
  kOpen,
  kClose,
  kGreater,
  kLess,
  kEnd,
  kBad
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { advance(); }
  Token token() const { return token_; }
  std::string_view word() const { return word_; }

  void advance() {
    while (at_ < text_.size() && is_space(text_[at_]))
      at_++;
    const size_t begin = at_;
    if (at_ == text_.size()) {
      token_ = Token::kEnd;
    } else if (!is_special(text_[at_])) {
      while (at_ < text_.size() && !is_space(text_[at_]) && !is_special(text_[at_]))
        at_++;
      token_ = Token::kWord;
    } else {
      token_ = special();
    }
    word_ = text_.substr(begin, at_ - begin);
  }

  bool take(Token token) {
    if (token_ != token) return false;
    advance();
    return true;
  }
  bool take_word(std::string_view word) {
    if (token_ != Token::kWord || word_ != word) return false;
    advance();
    return true;
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static bool is_special(char c) {
    return std::string_view("=!(),><").find(c) != std::string_view::npos;
  }

  Token special() {
    const char c = text_[at_++];
    const bool equal_follows = at_ < text_.size() && text_[at_] == '=';
    if ((c == '=' || c == '!') && equal_follows) at_++;
    switch (c) {
      case '=':
        return Token::kEqual;
      case '!':
        return equal_follows ? Token::kNotEqual : Token::kBang;
      case ',':
        return Token::kComma;
      case '(':
        return Token::kOpen;
      case ')':
        return Token::kClose;
      case '>':
        return Token::kGreater;
      case '<':
        return Token::kLess;
      default:
        return Token::kBad;
    }
  }

  std::string_view text_;
  std::string_view word_;
  size_t at_ = 0;
  Token token_ = Token::kEnd;
};

Error found(const Lexer& lexer, std::string_view expected) {
  return fail(Code::kBadRequest, join({"unable to parse requirement: found '", lexer.word(),
                                       "', expected: ", expected}));
}

Result<> check_label(std::string_view what, std::string_view text, const std::string& problem) {
  if (problem.empty()) return {};
  return fail(Code::kBadRequest, join({"unable to parse requirement: ", what, ": Invalid value: \"",
                                       text, "\": ", problem}));
}

Result<std::string> take_value(Lexer& lexer) {
  std::string value(lexer.token() == Token::kWord ? lexer.word() : std::string_view());
  if (lexer.token() == Token::kWord) lexer.advance();
  TRY(check_label("values", value, label_value_problem(value)));
  return value;
}

// "(a,b)"; an empty place between commas is the empty value.
Result<std::vector<std::string>> take_values(Lexer& lexer) {
  if (!lexer.take(Token::kOpen)) return found(lexer, "'('");
  std::vector<std::string> values;
  do {
    values.push_back(TRY(take_value(lexer)));
    if (values.size() > kRequirementsMax)
      return fail(Code::kBadRequest, "label selector is too long");
  } while (lexer.take(Token::kComma));
  if (!lexer.take(Token::kClose)) return found(lexer, "',' or ')'");
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) {
    if (!out.empty()) out += ',';
    out += value;
  }
  return out;
}

bool contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  Lexer lexer(text);
  if (lexer.token() == Token::kEnd) return selector;
  do {
    Requirement requirement;
    const bool absent = lexer.take(Token::kBang);
    if (lexer.token() != Token::kWord) return found(lexer, "!, identifier, or ','");
    requirement.key = lexer.word();
    TRY(check_label("key", requirement.key, label_key_problem(requirement.key)));
    lexer.advance();
    if (absent) {
      requirement.op = Operator::kAbsent;
    } else if (lexer.take(Token::kEqual)) {
      requirement.op = Operator::kIn;
      requirement.values.push_back(TRY(take_value(lexer)));
    } else if (lexer.take(Token::kNotEqual)) {
      requirement.op = Operator::kNotIn;
      requirement.values.push_back(TRY(take_value(lexer)));
    } else if (lexer.token() == Token::kGreater || lexer.token() == Token::kLess) {
      requirement.op = lexer.token() == Token::kGreater ? Operator::kGreater : Operator::kLess;
      lexer.advance();
      if (!parse_signed(lexer.word())) return found(lexer, "integer");
      requirement.values.emplace_back(lexer.word());
      lexer.advance();
    } else if (lexer.take_word("in")) {
      requirement.op = Operator::kIn;
      requirement.values = TRY(take_values(lexer));
    } else if (lexer.take_word("notin")) {
      requirement.op = Operator::kNotIn;
      requirement.values = TRY(take_values(lexer));
    }
    selector.requirements_.push_back(std::move(requirement));
    if (selector.requirements_.size() > kRequirementsMax) {
      return fail(Code::kBadRequest, "label selector is too long");
    }
  } while (lexer.take(Token::kComma));
  if (lexer.token() != Token::kEnd) return found(lexer, "',' or 'end of string'");
  return selector;
}

LabelSelector LabelSelector::from_map(json::Node map) {
  LabelSelector selector;
  selector.never_ = !map;
  for (json::Node label : map) {
    selector.requirements_.push_back(
        {std::string(label.key()), Operator::kIn, {std::string(label.string())}});
  }
  return selector;
}

LabelSelector LabelSelector::from_object(json::Node object) {
  LabelSelector selector = from_map(object["matchLabels"]);
  selector.never_ = !object;
  for (json::Node expression : object["matchExpressions"]) {
    Requirement requirement;
    requirement.key = expression["key"].string();
    for (json::Node value : expression["values"])
      requirement.values.emplace_back(value.string());
    const std::string_view op = expression["operator"].string();
    if (op == "In") {
      requirement.op = Operator::kIn;
    } else if (op == "NotIn") {
      requirement.op = Operator::kNotIn;
    } else if (op == "Exists") {
      requirement.op = Operator::kExists;
    } else if (op == "DoesNotExist") {
      requirement.op = Operator::kAbsent;
    } else {
      selector.never_ = true;
    }
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

bool LabelSelector::matches(json::Node labels) const {
  if (never_) return false;
  for (const Requirement& requirement : requirements_) {
    const json::Node label = labels[requirement.key];
    const std::string_view value = label.string();
    bool holds = false;
    switch (requirement.op) {
      case Operator::kIn:
        holds = label && contains(requirement.values, value);
        break;
      case Operator::kNotIn:
        holds = !label || !contains(requirement.values, value);
        break;
      case Operator::kExists:
        holds = static_cast<bool>(label);
        break;
      case Operator::kAbsent:
        holds = !label;
        break;
      case Operator::kGreater:
      case Operator::kLess: {
        const std::optional<int64_t> number = parse_signed(value);
        const int64_t bound = parse_signed(requirement.values[0]).value_or(0);
        const bool greater = requirement.op == Operator::kGreater;
        holds = label && number && (greater ? *number > bound : *number < bound);
        break;
      }
    }
    if (!holds) return false;
  }
  return true;
}

std::string LabelSelector::text() const {
  std::vector<std::string> parts;
  for (const Requirement& r : requirements_) {
    const bool single = r.values.size() == 1;
    const std::string values = joined(r.values);
    switch (r.op) {
      case Operator::kIn:
        parts.push_back(single ? join({r.key, "=", values}) : join({r.key, " in (", values, ")"}));
        break;
      case Operator::kNotIn:
        parts.push_back(single ? join({r.key, "!=", values})
                               : join({r.key, " notin (", values, ")"}));
        break;
      case Operator::kExists:
        parts.push_back(r.key);
        break;
      case Operator::kAbsent:
        parts.push_back(join({"!", r.key}));
        break;
      case Operator::kGreater:
        parts.push_back(join({r.key, ">", values}));
        break;
      case Operator::kLess:
        parts.push_back(join({r.key, "<", values}));
        break;
    }
  }
  std::sort(parts.begin(), parts.end(), [](const std::string& a, const std::string& b) {
    return a.substr(a[0] == '!' ? 1 : 0) < b.substr(b[0] == '!' ? 1 : 0);
  });
  return joined(parts);
}

}  // namespace coracle::api
