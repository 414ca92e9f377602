// SPDX-License-Identifier: GPL-2.0-or-later
// What strategic merge needs to know, read from the kind table.
#include "api/processing.h"

namespace coracle::api {
namespace {

json::FieldRule rule(const void* type, std::string_view name) {
  const Field* field = static_cast<const Message*>(type)->find(name);
  if (field == nullptr) return {};
  json::FieldRule rule;
  rule.type = field->message;
  rule.retain_keys = field->retains_keys;
  rule.replace = field->replaces;
  if (field->merges && field->shape == Shape::kList) {
    rule.merge_key = field->merge_key();
    rule.merge_primitives = field->type != Type::kObject;
  }
  return rule;
}

}  // namespace

json::MergeSchema merge_schema(const Kind& kind) {
  return {kind.message, rule};
}

}  // namespace coracle::api
