// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/subresources.h"

#include "api/processing.h"
#include "apiserver/authorizer.h"
#include "apiserver/decode.h"
#include "apiserver/metadata.h"
#include "apiserver/options.h"
#include "apiserver/pod_log.h"
#include "apiserver/pod_stream.h"
#include "apiserver/scale.h"
#include "apiserver/status.h"
#include "apiserver/token_request.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

std::string resource_of(const Request& request, std::string_view subresource) {
  return join({qualified_resource(request.group, request.resource), "/", subresource});
}

void set_condition(json::Node status, std::string_view type, std::string_view at) {
  const json::Node conditions = status.array("conditions");
  json::Node found;
  for (const json::Node condition : conditions) {
    if (condition["type"].string() == type) found = condition;
  }
  if (!found) found = conditions.append_object();
  if (found["status"].string() == "True") return;
  found.set("type", type);
  found.set("status", "True");
  found.set("lastTransitionTime", at);
  found.remove("reason");
  found.remove("message");
}

// registry/core/pod/storage BindingREST.setPodHostAndAnnotations
Result<> decode_binding(Parts& parts, Request& request) {
  TRY(decode_body(request, {"v1", "Binding"}));
  // POST bindings, the old form, names the Pod in the body alone.
  const std::string_view named = request.body["metadata"]["name"].string();
  if (request.name.empty()) request.name = std::string(named);
  if (!named.empty() && named != request.name) {
    return fail(Code::kBadRequest, "name in URL does not match name in Binding object");
  }
  const std::string_view node = request.body["target"]["name"].string();
  const std::string_view target_kind = request.body["target"]["kind"].string();
  if (node.empty() || (!target_kind.empty() && target_kind != "Node")) {
    api::Errors errors;
    errors.required("target.name");
    return errors.to_error("Binding", request.name);
  }
  TRY(load_stored(parts, request));
  const std::string resource = resource_of(request, "binding");
  if (request.stored->deleting()) {
    return conflict(
        resource, request.name,
        join({"pod ", request.name, " is being deleted, cannot be assigned to a host"}));
  }
  const std::string_view assigned = request.old["spec"]["nodeName"].string();
  if (!assigned.empty()) {
    return conflict(
        resource, request.name,
        join({"pod ", request.name, " is already assigned to node \"", assigned, "\""}));
  }
  const std::string_view uid = request.body["metadata"]["uid"].string();
  if (!uid.empty() && uid != request.stored->uid()) {
    return conflict(resource, request.name,
                    join({"Precondition failed: UID in precondition: ", uid,
                          ", UID in object meta: ", request.stored->uid()}));
  }
  request.object = request.object_tree.make_root(request.old);
  request.object["spec"].set("nodeName", node);
  for (const json::Node note : request.body["metadata"]["annotations"]) {
    request.object["metadata"].object("annotations").set(note.key(), note);
  }
  set_condition(request.object.object("status"), "PodScheduled", rfc3339(parts.clock.wall()));
  request.success_code = 201;
  return {};
}

// registry/core/pod/storage EvictionREST
Result<> decode_eviction(Parts& parts, Request& request) {
  TRY(decode_body(request, {"policy/v1", "Eviction"}));
  const std::string_view name = request.body["metadata"]["name"].string();
  if (!name.empty() && name != request.name) {
    return fail(Code::kBadRequest, "name in URL does not match name in Eviction object");
  }
  TRY(read_delete_options(request.body["deleteOptions"], request));
  const api::ObjectRef pod = parts.store.get(api::kPod, request.ns, request.name);
  if (pod) TRY(parts.evictions.admit(parts.store, *pod, !request.options.dry_run));
  request.evicting = true;
  request.success_code = 201;
  return {};
}

Reply show_success(Parts&, const Request& request, api::ObjectRef object) {
  Reply reply;
  reply.code = 201;
  reply.text = success_status(request, {}, 201);
  reply.in_process = std::move(object);
  return reply;
}

// registry/core/namespace/storage FinalizeREST: only spec.finalizers is taken
Result<> decode_finalize(Parts& parts, Request& request) {
  TRY(decode_object(parts, request));
  json::Tree tree;
  const json::Node finalizers = tree.make_root(request.object["spec"]["finalizers"]);
  for (const json::Node child : request.object) {
    if (child.key() == "spec" || child.key() == "status") request.object.remove_child(child);
  }
  request.object.set("spec", request.old["spec"]);
  request.object.set("status", request.old["status"]);
  request.object.object("spec").set("finalizers", finalizers);
  if (finalizers.size() == 0) request.object["spec"].remove("finalizers");
  return {};
}

Result<> decode_nothing(Parts&, Request&) {
  return fail(Code::kMethodNotAllowed,
              "the server does not allow this method on the requested resource");
}

// The query says it all.
Result<> keep_no_body(Parts&, Request&) {
  return {};
}

using Name = api::Subresource;
constexpr Subresource kRows[] = {
    {Name::kNone, "", nullptr, decode_object, nullptr, nullptr},
    {Name::kStatus, "get,update,patch", nullptr, decode_object, nullptr, nullptr},
    {Name::kScale, "get,update,patch", read_scale, decode_scale, nullptr, show_scale},
    {Name::kBinding, "create", nullptr, decode_binding, nullptr, show_success},
    {Name::kEviction, "create", nullptr, decode_eviction, nullptr, show_success},
    {Name::kToken, "create", nullptr, decode_token_request, answer_token_request, nullptr},
    {Name::kLog, "get", read_pod_log, decode_nothing, nullptr, nullptr},
    {Name::kFinalize, "update", nullptr, decode_finalize, nullptr, nullptr},
    {Name::kApproval, "get,update,patch", nullptr, decode_object, nullptr, nullptr},
    {Name::kExec, "create,get", stream_pod, keep_no_body, stream_pod, nullptr},
    {Name::kAttach, "create,get", stream_pod, keep_no_body, stream_pod, nullptr},
    {Name::kPortForward, "create,get", stream_pod, keep_no_body, stream_pod, nullptr},
};

consteval bool every_subresource_has_its_row() {
  for (size_t at = 0; at < std::size(kRows); ++at) {
    if (static_cast<size_t>(kRows[at].which) != at) return false;
  }
  return std::size(kRows) == static_cast<size_t>(Name::kPortForward) + 1;
}
static_assert(every_subresource_has_its_row());

}  // namespace

const Subresource& subresource_row(api::Subresource which) {
  return kRows[static_cast<size_t>(which)];
}

Result<> check_subresource_verb(const Request& request) {
  const Subresource& row = subresource_row(request.subresource);
  if (set_contains(row.verbs, verb_name(request.verb))) return {};
  return fail(Code::kMethodNotAllowed,
              "the server does not allow this method on the requested resource");
}

}  // namespace coracle::apiserver
