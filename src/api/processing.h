// SPDX-License-Identifier: GPL-2.0-or-later
// What the pipeline does with a decoded object, in this order: check_fields, (admit),
// apply_defaults, prepare, validate.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/kind.h"
#include "base/result.h"
#include "json/merge.h"
#include "json/tree.h"

namespace coracle::api {

// Types of all values against the schema (400 BadRequest, worded like Go's decoder). Unknown fields
// are removed and their paths returned, worded as strict decoding does: `unknown field "spec.foo"`.
// JSON nulls of known fields are dropped.
Result<std::vector<std::string>> check_fields(const Message& message, json::Node object);

// The same for an object of a kind, also of a custom one, whose schema prunes it.
Result<std::vector<std::string>> check_fields(const Kind& kind, json::Node object);

void apply_defaults(const Kind& kind,
                    json::Node object);  // declared, then kind.fill_defaults; canonical quantities
void apply_defaults(const Message& message, json::Node object);

// metadata and everything declared (required, one_of, must, distinct), then kind.validate. Updates
// first take over what a client may leave out but not change: uid, creationTimestamp,
// deletionTimestamp (as upstream does in validation). Everything that is wrong, as one 422.
Result<> validate_create(const Kind& kind, json::Node object);
Result<> validate_update(const Kind& kind, json::Node object, json::Node old);
Result<> validate_status_update(const Kind& kind, json::Node object, json::Node old);

json::MergeSchema merge_schema(const Kind& kind);  // for json::strategic_merge_patch

// metav1.Table parts.
void write_table_columns(const Kind& kind, json::Writer& out);  // the value of "columnDefinitions"
void write_table_cells(const Kind& kind,
                       json::Node object,
                       Wall now,
                       json::Writer& out);  // the value of "cells"

// Protobuf (D14): the envelope k8s\0 + runtime.Unknown. Malformed: 400.
struct ProtobufEnvelope {
  std::string_view api_version;
  std::string_view kind;
  std::string_view raw;
};
Result<ProtobufEnvelope> open_protobuf(std::string_view body);
// Decodes into `into` (an object node). Unknown field numbers are skipped.
Result<> decode_protobuf(const Message& message, std::string_view raw, json::Node into);

// Messages that are not stored kinds but arrive as bodies: DeleteOptions, Scale, Eviction, Binding,
// TokenRequest, SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview,
// SelfSubjectRulesReview, SelfSubjectReview, TokenReview.
const Message* find_body_message(std::string_view api_version, std::string_view kind);

// Names (apimachinery pkg/api/validation, pkg/util/validation): empty, or what is wrong in
// upstream's words.
std::string dns1123_label_problem(std::string_view name);
std::string dns1123_subdomain_problem(std::string_view name);
std::string dns1035_label_problem(std::string_view name);
std::string label_key_problem(std::string_view key);
std::string label_value_problem(std::string_view value);

}  // namespace coracle::api
