// SPDX-License-Identifier: GPL-2.0-or-later
// Field selectors as apimachinery pkg/fields reads them.
#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr size_t kTermsMax = 64;  // 400

std::string metadata_name(json::Node object) {
  return std::string(object["metadata"]["name"].string());
}
std::string metadata_namespace(json::Node object) {
  return std::string(object["metadata"]["namespace"].string());
}

constexpr SelectableField kMetadataFields[] = {
    {"metadata.name", metadata_name},
    {"metadata.namespace", metadata_namespace},
};

const SelectableField* find_label(std::span<const SelectableField> fields, std::string_view label) {
  for (const SelectableField& field : fields) {
    if (field.label == label) return &field;
  }
  return nullptr;
}

// Cuts the term before the first comma that no backslash precedes off `rest`.
std::string_view take_term(std::string_view& rest) {
  size_t end = 0;
  while (end < rest.size() && rest[end] != ',')
    end += rest[end] == '\\' ? 2 : 1;
  const std::string_view term = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return term;
}

Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\') {
      i++;
      const char c = i < text.size() ? text[i] : '\0';
      if (c != '\\' && c != ',' && c != '=') {
        return fail(Code::kBadRequest,
                    join({"invalid field selector: invalid escape sequence in ", text}));
      }
    } else if (text[i] == '=' || text[i] == ',') {
      return fail(Code::kBadRequest,
                  join({"invalid field selector: unescaped character in ", text}));
    }
    out += text[i];
  }
  return out;
}

struct Comparison {
  size_t at = std::string_view::npos;
  size_t size = 0;
  bool equal = true;
};

Comparison find_comparison(std::string_view term) {
  for (size_t i = 0; i < term.size(); i++) {
    const std::string_view two = term.substr(i, 2);
    if (two == "!=") return {i, 2, false};
    if (two == "==") return {i, 2, true};
    if (two[0] == '=') return {i, 1, true};
  }
  return {};
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(const Kind& kind, std::string_view text) {
  FieldSelector selector;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = take_term(rest);
    if (part.empty()) continue;
    const Comparison comparison = find_comparison(part);
    if (comparison.at == std::string_view::npos) {
      return fail(Code::kBadRequest,
                  join({"invalid selector: '", text, "'; can't understand '", part, "'"}));
    }
    Term term;
    term.label = part.substr(0, comparison.at);
    term.value = TRY(unescaped(part.substr(comparison.at + comparison.size)));
    term.equal = comparison.equal;
    const SelectableField* field = find_label(kMetadataFields, term.label);
    if (field == nullptr) field = find_label(kind.selectable, term.label);
    if (field == nullptr) {
      return fail(Code::kBadRequest, join({"field label not supported: ", term.label}));
    }
    term.get = field->value;
    selector.terms_.push_back(std::move(term));
    if (selector.terms_.size() > kTermsMax)
      return fail(Code::kBadRequest, "field selector is too long");
  }
  return selector;
}

bool FieldSelector::matches(json::Node object) const {
  for (const Term& term : terms_) {
    if ((term.get(object) == term.value) != term.equal) return false;
  }
  return true;
}

std::string_view FieldSelector::required(std::string_view label) const {
  for (const Term& term : terms_) {
    if (term.equal && term.label == label) return term.value;
  }
  return {};
}

}  // namespace coracle::api
