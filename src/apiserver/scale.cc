// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/scale.h"

#include "api/errors.h"
#include "api/processing.h"
#include "api/selector.h"
#include "apiserver/decode.h"
#include "apiserver/format.h"
#include "apiserver/metadata.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr int64_t kReplicasMax = 0x7fffffff;

json::Node at_path(json::Node object, std::string_view path) {
  for (const std::string_view step : split(path, '.'))
    object = object[step];
  return object;
}

std::string selector_text(json::Node selector) {
  if (!selector) return {};
  if (selector.is_string()) return std::string(selector.string());  // custom resources
  const bool structured = selector["matchLabels"] || selector["matchExpressions"];
  return (structured ? api::LabelSelector::from_object(selector)
                     : api::LabelSelector::from_map(selector))
      .text();
}

void build_scale(json::Node scale, const api::Kind& kind, json::Node object, uint64_t version) {
  scale.set("kind", "Scale");
  scale.set("apiVersion", "autoscaling/v1");
  const json::Node from = object["metadata"];
  const json::Node metadata = scale.object("metadata");
  for (const char* name : {"name", "namespace", "uid"})
    metadata.set(name, from[name]);
  metadata.set("resourceVersion", std::to_string(version));
  metadata.set("creationTimestamp", from["creationTimestamp"]);
  const json::Node spec = scale.object("spec");
  spec.set("replicas", at_path(object, kind.scale.spec_replicas).integer());
  const json::Node status = scale.object("status");
  status.set("replicas", at_path(object, kind.scale.status_replicas).integer());
  const std::string selector = selector_text(at_path(object, kind.scale.selector));
  if (!selector.empty()) status.set("selector", selector);
}

void set_at_path(json::Node object, std::string_view path, int64_t value) {
  const std::vector<std::string_view> steps = split(path, '.');
  for (size_t at = 0; at + 1 < steps.size(); ++at)
    object = object.object(steps[at]);
  object.set(steps.back(), value);
}

Result<int64_t> wanted_replicas(const Request& request, json::Node scale) {
  const json::Node replicas = scale["spec"]["replicas"];
  if (replicas && !replicas.is_integer()) {
    return fail(Code::kBadRequest,
                "Scale in version \"autoscaling/v1\" cannot be handled as a "
                "Scale: spec.replicas must be a whole number");
  }
  const int64_t wanted = replicas.integer();
  if (wanted >= 0 && wanted <= kReplicasMax) return wanted;
  api::Errors errors;
  errors.invalid("spec.replicas", wanted, "must be greater than or equal to 0");
  return errors.to_error("Scale.autoscaling", request.name);
}

// A version in the Scale is a precondition on the object.
Result<> check_version(Request& request, json::Node scale) {
  const std::string_view given = scale["metadata"]["resourceVersion"].string();
  const std::string_view uid = scale["metadata"]["uid"].string();
  request.unconditional = given.empty();
  const bool stale = !given.empty() && parse_unsigned(given) != request.stored->version();
  if (stale || (!uid.empty() && uid != request.stored->uid())) {
    return conflict(qualified_resource(request.group, request.resource), request.name,
                    kObjectModified);
  }
  return {};
}

}  // namespace

Result<Next> read_scale(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  TRY(accept_json(request));
  TRY(load_stored(parts, request));
  exchange.reply(show_scale(parts, request, request.stored));
  return Next::kDone;
}

Result<> decode_scale(Parts& parts, Request& request) {
  TRY(load_stored(parts, request));
  json::Tree tree;
  json::Node scale = tree.make_object();
  if (request.verb == Verb::kPatch) {
    build_scale(scale, *request.kind, request.old, request.stored->version());
    TRY(read_patch_type(request));
    TRY(apply_patch(request, scale, {}));
  } else {
    TRY(decode_body(request, {"autoscaling/v1", "Scale"}));
    scale = request.body;
  }
  TRY(check_version(request, scale));
  const int64_t replicas = TRY(wanted_replicas(request, scale));
  request.object = request.object_tree.make_root(request.old);
  set_at_path(request.object, request.kind->scale.spec_replicas, replicas);
  request.success_code = 200;
  return {};
}

Reply show_scale(Parts&, const Request& request, api::ObjectRef object) {
  json::Tree stored;
  json::Tree tree;
  const json::Node scale = tree.make_object();
  build_scale(scale, *request.kind, object->parse(stored), object->version());
  Reply reply;
  reply.text = json::write(scale);
  reply.in_process = std::move(object);
  return reply;
}

}  // namespace coracle::apiserver
