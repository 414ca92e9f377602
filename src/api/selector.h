// SPDX-License-Identifier: GPL-2.0-or-later
// Label selectors (text form, LabelSelector object, plain map) and field selectors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/kind.h"
#include "base/result.h"
#include "json/tree.h"

namespace coracle::api {

class LabelSelector {
 public:
  LabelSelector() = default;  // matches everything
  static Result<LabelSelector> parse(
      std::string_view text);  // "a=b,c!=d,e in (f,g),h,!i"; 400 if malformed
  static LabelSelector from_object(
      json::Node selector);  // metav1.LabelSelector; null Node: matches nothing
  static LabelSelector from_map(
      json::Node map);                    // Service.spec.selector; null Node: matches nothing
  bool matches(json::Node labels) const;  // metadata.labels; may be a null Node
  bool empty() const { return requirements_.empty() && !never_; }
  std::string text() const;  // canonical text form, for scale and kubectl

 private:
  enum class Operator : uint8_t { kIn, kNotIn, kExists, kAbsent, kGreater, kLess };
  struct Requirement {
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values;
  };
  std::vector<Requirement> requirements_;
  bool never_ = false;
};

class FieldSelector {
 public:
  FieldSelector() = default;
  // 400 for syntax and for labels that the kind does not offer: `field label not supported:
  // spec.foo`.
  static Result<FieldSelector> parse(const Kind& kind, std::string_view text);
  bool matches(json::Node object) const;
  bool empty() const { return terms_.empty(); }
  // The value required of `label` by an equality, empty if there is none: lets a LIST become a GET.
  std::string_view required(std::string_view label) const;

 private:
  struct Term {
    std::string label;
    std::string value;
    bool equal = true;
    std::string (*get)(json::Node object) = nullptr;
  };
  std::vector<Term> terms_;
};

}  // namespace coracle::api
