// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/decode.h"

#include "api/errors.h"
#include "api/processing.h"
#include "apiserver/managed_fields.h"
#include "apiserver/metadata.h"
#include "apiserver/options.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::apiserver {
namespace {

enum class Coding : uint8_t { kJson, kYaml, kProtobuf };

std::string_view media_type(std::string_view header) {
  return trim(header.substr(0, header.find(';')));
}

Result<Coding> coding_of(const Request& request) {
  const std::string_view type = media_type(request.http.header("content-type"));
  if (type.empty() || type == "application/json") return Coding::kJson;
  if (type == "application/yaml") return Coding::kYaml;
  if (type == "application/vnd.kubernetes.protobuf") return Coding::kProtobuf;
  return fail(Code::kUnsupportedMediaType,
              "the body of the request was in an unknown format - accepted media types include: "
              "application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

Result<PatchType> patch_type_of(const Request& request) {
  const std::string_view type = media_type(request.http.header("content-type"));
  if (type == "application/json-patch+json") return PatchType::kJson;
  if (type == "application/merge-patch+json") return PatchType::kMerge;
  const bool own = request.kind != nullptr && request.kind->is_custom;
  if (type == "application/strategic-merge-patch+json" && !own) return PatchType::kStrategic;
  const bool scale = request.subresource == api::Subresource::kScale;
  if (type == "application/apply-patch+yaml" && !scale) return PatchType::kApply;
  return fail(Code::kUnsupportedMediaType,
              "the body of the request was in an unknown format - accepted media types include: "
              "application/json-patch+json, application/merge-patch+json, "
              "application/strategic-merge-patch+json, application/apply-patch+yaml");
}

struct Expected {
  std::string_view api_version;
  std::string_view kind;
  const api::Message* message;
};

Error wrong_kind(const Expected& expected, std::string_view api_version, std::string_view kind) {
  return fail(Code::kBadRequest,
              join({kind, " in version \"", api_version, "\" cannot be handled as a ",
                    expected.kind, ": no kind \"", kind, "\" is registered for version \"",
                    expected.api_version, "\" here"}));
}

Result<> check_kind(json::Node object, const Expected& expected) {
  const std::string_view kind = object["kind"].string();
  const std::string_view version = object["apiVersion"].string();
  const bool kind_fits = kind.empty() || kind == expected.kind;
  if (!kind_fits || (!version.empty() && version != expected.api_version)) {
    return wrong_kind(expected, version, kind);
  }
  return {};
}

Result<json::Node> parse_protobuf(json::Tree& tree,
                                  std::string_view body,
                                  const Expected& expected) {
  const api::ProtobufEnvelope envelope = TRY(api::open_protobuf(body));
  const bool kind_fits = envelope.kind.empty() || envelope.kind == expected.kind;
  if (!kind_fits ||
      (!envelope.api_version.empty() && envelope.api_version != expected.api_version)) {
    return wrong_kind(expected, envelope.api_version, envelope.kind);
  }
  const json::Node object = tree.make_object();
  TRY(api::decode_protobuf(*expected.message, envelope.raw, object));
  return object;
}

Result<json::Node> parse_body(Request& request,
                              json::Tree& tree,
                              const Expected& expected,
                              json::ParseNotes& notes) {
  const Coding coding = TRY(coding_of(request));
  const std::string& body = request.http.body;
  const bool json_only =
      request.kind != nullptr &&
      (request.kind->is_custom || request.kind == &api::kCustomResourceDefinition);
  if (coding == Coding::kProtobuf && json_only) {
    return fail(Code::kUnsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json, application/yaml");
  }
  if (coding == Coding::kProtobuf) return parse_protobuf(tree, body, expected);
  const json::Node object =
      coding == Coding::kYaml ? TRY(tree.parse_yaml(body, &notes)) : TRY(tree.parse(body, &notes));
  if (!object.is_object()) {
    return fail(Code::kBadRequest,
                join({"couldn't get version/kind; json parse error: cannot unmarshal into a ",
                      expected.kind}));
  }
  TRY(check_kind(object, expected));
  return object;
}

std::string list_problems(const std::vector<std::string>& problems) {
  std::string text = "strict decoding error: ";
  for (size_t at = 0; at < problems.size(); ++at) {
    if (at > 0) text += ", ";
    text += problems[at];
    if (text.size() > 4096) return text + ", ...";
  }
  return text;
}

Error cannot_be_handled(const Request& request, Error why) {
  if (request.verb == Verb::kPatch) return why;
  const std::string_view kind = request.kind->name;
  return std::move(why).with(join({kind, " in version \"", api::group_version(request.spoken()),
                                   "\" cannot be handled as a ", kind}));
}

Error strict_error(const Request& request, const std::vector<std::string>& problems) {
  const std::string list = list_problems(problems);
  if (request.verb == Verb::kPatch) {
    api::Errors errors;
    errors.invalid("patch", request.http.body.substr(0, 256), list);
    return errors.to_error("", "");
  }
  return cannot_be_handled(request, fail(Code::kBadRequest, list));
}

// Unknown and duplicate fields: refused, warned about or ignored (fieldValidation).
Result<> settle_fields(Request& request, json::Node object, const json::ParseNotes& notes) {
  Result<std::vector<std::string>> checked = api::check_fields(request.spoken(), object);
  if (!checked) return cannot_be_handled(request, std::move(checked.error()));
  std::vector<std::string> problems = std::move(*checked);
  for (const std::string& path : notes.duplicates) {
    problems.push_back(join({"duplicate field \"", path, "\""}));
  }
  if (problems.empty()) return {};
  if (request.options.field_validation == FieldValidation::kStrict) {
    return strict_error(request, problems);
  }
  if (request.options.field_validation == FieldValidation::kWarn) {
    for (std::string& problem : problems)
      request.warnings.push_back(std::move(problem));
  }
  return {};
}

Result<> check_place(const Request& request, json::Node metadata) {
  const std::string_view ns = metadata["namespace"].string();
  if (!request.kind->namespaced) {
    metadata.remove("namespace");
  } else if (ns.empty()) {
    metadata.set("namespace", request.ns);
  } else if (ns != request.ns) {
    return fail(Code::kBadRequest,
                "the namespace of the provided object does not match the namespace sent on the "
                "request");
  }
  if (request.verb == Verb::kCreate) return {};
  const std::string_view name = metadata["name"].string();
  if (name.empty()) {
    return fail(Code::kBadRequest,
                join({"the name of the object (", request.name,
                      " based on URL) was undeterminable: name must be provided"}));
  }
  if (name != request.name) {
    return fail(Code::kBadRequest,
                join({"the name of the object (", name, ") does not match the name on the URL (",
                      request.name, ")"}));
  }
  return {};
}

// What the other version of a kind says, as what is stored.
void take_twin(Request& request, json::Node object) {
  if (request.twin != nullptr) request.twin->to_stored(object, request.old);
}

Result<> decode_whole(Request& request) {
  json::ParseNotes notes;
  const api::Kind& kind = request.spoken();
  const std::string version = api::group_version(kind);
  const Expected expected{version, kind.name, kind.message};
  request.object = TRY(parse_body(request, request.object_tree, expected, notes));
  return settle_fields(request, request.object, notes);
}

Result<> decode_patched(Request& request) {
  request.object = request.object_tree.make_root(request.old);
  const api::Kind& kind = request.spoken();
  if (request.twin != nullptr) kind.from_stored(request.object);
  const std::string version = api::group_version(kind);
  request.object.set("apiVersion", std::string_view(version));
  TRY(apply_patch(request, request.object, api::merge_schema(kind)));
  if (!request.object.is_object()) {
    return fail(Code::kBadRequest, "the patch does not leave an object");
  }
  TRY(check_kind(request.object, {version, kind.name, kind.message}));
  TRY(settle_fields(request, request.object, {}));
  take_twin(request, request.object);
  return {};
}

// A cause, so that kubectl shows it: of an Invalid about an object it prints nothing else.
Result<> apply_json_patch(const Request& request, json::Node target) {
  Result<> done = json::json_patch(target, request.body);
  if (!done && done.error().code == Code::kInvalid) {
    Error error = std::move(done.error());
    error.causes.push_back({"FieldValueInvalid", error.message, "patch"});
    return error;
  }
  return done;
}

}  // namespace

Result<> read_patch_type(Request& request) {
  const bool in_process = request.http.path.empty();
  if (!in_process) request.patch_type = TRY(patch_type_of(request));
  if (request.options.force && request.patch_type != PatchType::kApply) {
    api::Errors errors;
    errors.forbidden("force", "may not be specified for non-apply patch");
    return errors.to_error("PatchOptions.meta.k8s.io", "");
  }
  return {};
}

Result<> check_applied(Request& request, json::Node applied, const json::ParseNotes& notes) {
  const std::string version = api::group_version(request.spoken());
  if (applied["kind"].string().empty() || applied["apiVersion"].string().empty()) {
    return fail(Code::kBadRequest,
                "Object 'Kind' or 'apiVersion' is missing in the applied configuration");
  }
  TRY(check_kind(applied, {version, request.kind->name, request.kind->message}));
  TRY(settle_fields(request, applied, notes));
  if (request.twin != nullptr) request.twin->to_stored(applied, {});
  const json::Node metadata = applied.object("metadata");
  if (metadata["name"].string().empty()) metadata.set("name", request.name);
  return check_place(request, metadata);
}

Result<> apply_patch(Request& request, json::Node target, json::MergeSchema schema) {
  json::ParseNotes notes;
  request.body = TRY(request.body_tree.parse(request.http.body, &notes));
  if (!notes.duplicates.empty() && request.options.field_validation == FieldValidation::kStrict) {
    std::vector<std::string> problems;
    for (const std::string& path : notes.duplicates) {
      problems.push_back(join({"duplicate field \"", path, "\""}));
    }
    return strict_error(request, problems);
  }
  if (request.patch_type == PatchType::kJson) return apply_json_patch(request, target);
  if (!request.body.is_object()) {
    return fail(Code::kBadRequest, "json: cannot unmarshal the patch into an object");
  }
  if (request.patch_type == PatchType::kStrategic) {
    return json::strategic_merge_patch(target, request.body, schema);
  }
  json::merge_patch(target, request.body);
  return {};
}

Result<> load_stored(Parts& parts, Request& request) {
  request.stored = parts.store.get(*request.kind, request.ns, request.name);
  request.old = {};
  if (!request.stored) {
    return not_found(qualified_resource(request.group, request.resource), request.name);
  }
  const std::string why = "Precondition failed: UID in precondition: ";
  if (!request.expected_uid.empty() && request.expected_uid != request.stored->uid()) {
    return conflict(
        qualified_resource(request.group, request.resource), request.name,
        join({why, request.expected_uid, ", UID in object meta: ", request.stored->uid()}));
  }
  if (request.expected_version > 0 && request.expected_version != request.stored->version()) {
    return conflict(qualified_resource(request.group, request.resource), request.name,
                    kObjectModified);
  }
  request.old = request.stored->parse(request.old_tree);
  return {};
}

Result<> decode_object(Parts& parts, Request& request) {
  request.unconditional = false;
  request.applied = false;
  if (request.verb == Verb::kPatch) {
    TRY(read_patch_type(request));
    if (request.patch_type == PatchType::kApply) {
      TRY(decode_applied(parts, request));
    } else {
      TRY(load_stored(parts, request));
      TRY(decode_patched(request));
    }
  } else {
    TRY(decode_whole(request));
  }
  const json::Node metadata = request.object.object("metadata");
  TRY(check_place(request, metadata));
  if (request.verb == Verb::kUpdate) {
    Result<> loaded = load_stored(parts, request);
    const bool may_create =
        request.kind->allow_create_on_update && request.subresource == api::Subresource::kNone;
    if (!loaded && !(may_create && !request.stored)) return loaded;
  }
  if (request.verb != Verb::kPatch) take_twin(request, request.object);
  if (!request.applied) note_managed(request);
  return request.creating() ? settle_create(parts, request) : settle_update(request);
}

Result<> decode_body(Request& request, BodyKind expected) {
  request.body = {};
  if (request.http.body.empty() && !expected.needed) return {};
  const api::Message* message = api::find_body_message(expected.api_version, expected.kind);
  if (message == nullptr) return fail(Code::kInternal, "no schema for the body");
  json::ParseNotes notes;
  request.body = TRY(parse_body(request, request.body_tree,
                                {expected.api_version, expected.kind, message}, notes));
  TRY(api::check_fields(*message, request.body));
  return {};
}

Result<> decode_delete(Parts&, Request& request) {
  if (request.http.body.empty()) return {};
  // Sent as v1 or as meta.k8s.io/v1: both name the same message.
  request.body = {};
  const Coding coding = TRY(coding_of(request));
  const api::Message* message = api::find_body_message("v1", "DeleteOptions");
  if (message == nullptr) return fail(Code::kInternal, "no schema for DeleteOptions");
  if (coding == Coding::kProtobuf) {
    const api::ProtobufEnvelope envelope = TRY(api::open_protobuf(request.http.body));
    request.body = request.body_tree.make_object();
    TRY(api::decode_protobuf(*message, envelope.raw, request.body));
  } else {
    request.body = coding == Coding::kYaml ? TRY(request.body_tree.parse_yaml(request.http.body))
                                           : TRY(request.body_tree.parse(request.http.body));
  }
  if (!request.body.is_object()) {
    return fail(Code::kBadRequest, "couldn't get version/kind; DeleteOptions must be an object");
  }
  if (const std::string_view kind = request.body["kind"].string();
      !kind.empty() && kind != "DeleteOptions") {
    return fail(Code::kBadRequest, "the body of a delete must be DeleteOptions");
  }
  TRY(api::check_fields(*message, request.body));
  return read_delete_options(request.body, request);
}

}  // namespace coracle::apiserver
