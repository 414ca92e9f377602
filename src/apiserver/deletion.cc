// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/deletion.h"

#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

bool has_finalizer(json::Node metadata, std::string_view name) {
  for (const json::Node finalizer : metadata["finalizers"]) {
    if (finalizer.string() == name) return true;
  }
  return false;
}

// An explicit policy wins over finalizers that are there already.
bool should_orphan(const DeleteOptions& options, json::Node metadata) {
  if (options.orphan_dependents) return *options.orphan_dependents;
  if (!options.propagation.empty()) return options.propagation == "Orphan";
  return has_finalizer(metadata, kOrphan);
}

bool should_wait_for_dependents(const DeleteOptions& options, json::Node metadata) {
  if (options.orphan_dependents) return false;
  if (!options.propagation.empty()) return options.propagation == "Foreground";
  return has_finalizer(metadata, kForeground) && !has_finalizer(metadata, kOrphan);
}

bool set_finalizer(json::Node metadata, std::string_view name, bool wanted) {
  if (has_finalizer(metadata, name) == wanted) return false;
  const json::Node finalizers = metadata.array("finalizers");
  if (wanted) {
    finalizers.append(name);
    return true;
  }
  for (const json::Node finalizer : finalizers) {
    if (finalizer.string() == name) finalizers.remove_child(finalizer);
  }
  if (finalizers.size() == 0) metadata.remove("finalizers");
  return true;
}

void bump_generation(json::Node metadata) {
  const int64_t generation = metadata["generation"].integer();
  if (generation > 0) metadata.set("generation", generation + 1);
}

// registry/core/pod/strategy.go CheckGracefulDelete
int64_t pod_grace(const DeleteOptions& options, json::Node pod) {
  int64_t period = pod["spec"]["terminationGracePeriodSeconds"].integer(0);
  if (options.grace_seconds) period = *options.grace_seconds;
  if (pod["spec"]["nodeName"].string().empty()) return 0;
  const std::string_view phase = pod["status"]["phase"].string();
  if (phase == "Succeeded" || phase == "Failed") return 0;
  return period < 0 ? 1 : period;
}

enum class Grace : uint8_t { kNone, kPending, kMarked };

// Moves the deletion of a Pod that is being deleted already: only towards an earlier end.
Grace shorten(json::Node metadata, const DeleteOptions& options) {
  const json::Node current = metadata["deletionGracePeriodSeconds"];
  if (!current) return Grace::kNone;
  if (!options.grace_seconds) return Grace::kPending;
  const int64_t wanted = *options.grace_seconds < 0 ? 1 : *options.grace_seconds;
  if (wanted >= current.integer()) {
    // A grace of zero is confirmed by whoever deletes with zero again (the kubelet).
    return Grace::kPending;
  }
  const std::optional<Wall> at = parse_rfc3339(metadata["deletionTimestamp"].string());
  if (at) {
    const Duration shift = seconds(wanted - current.integer());
    metadata.set("deletionTimestamp", rfc3339(*at + shift));
  }
  metadata.set("deletionGracePeriodSeconds", wanted);
  return Grace::kMarked;
}

Grace apply_grace(Parts& parts, const Request& request, json::Node metadata) {
  if (metadata["deletionTimestamp"]) return shorten(metadata, request.deletion);
  if (request.kind != &api::kPod) return Grace::kNone;
  const int64_t period = pod_grace(request.deletion, request.old);
  metadata.set("deletionTimestamp", rfc3339(parts.clock.wall() + seconds(period)));
  metadata.set("deletionGracePeriodSeconds", period);
  bump_generation(metadata);
  return Grace::kMarked;
}

void mark_deleting(Parts& parts, json::Node metadata) {
  if (!metadata["deletionTimestamp"]) {
    metadata.set("deletionTimestamp", rfc3339(parts.clock.wall()));
    bump_generation(metadata);
  }
  metadata.set("deletionGracePeriodSeconds", 0);
}

void put(Request& request) {
  request.effect.what = Effect::What::kPut;
  request.effect.text = api::normal_text(*request.kind, request.object);
  if (request.effect.text == request.stored->text()) request.effect.what = Effect::What::kNothing;
}

Result<> check_preconditions(const Request& request) {
  const DeleteOptions& options = request.deletion;
  const std::string resource = qualified_resource(request.group, request.resource);
  if (!options.uid.empty() && options.uid != request.stored->uid()) {
    return conflict(resource, request.name,
                    join({"Precondition failed: UID in precondition: ", options.uid,
                          ", UID in object meta: ", request.stored->uid()}));
  }
  const std::string version = std::to_string(request.stored->version());
  if (!options.resource_version.empty() && options.resource_version != version) {
    return conflict(
        resource, request.name,
        join({"Precondition failed: ResourceVersion in precondition: ", options.resource_version,
              ", ResourceVersion in object meta: ", version}));
  }
  return {};
}

// registry/core/namespace/storage: first only marked; removed once the controller has emptied it.
bool plan_namespace(Parts& parts, Request& request) {
  const json::Node object = request.object;
  const json::Node metadata = object["metadata"];
  if (!metadata["deletionTimestamp"]) {
    metadata.set("deletionTimestamp", rfc3339(parts.clock.wall()));
    object.object("status").set("phase", "Terminating");
    put(request);
    return true;
  }
  if (object["spec"]["finalizers"].size() == 0) return false;
  request.effect.what = Effect::What::kNothing;
  return true;
}

}  // namespace

Result<> plan_delete(Parts& parts, Request& request) {
  TRY(check_preconditions(request));
  request.object = request.object_tree.make_root(request.old);
  if (request.kind == &api::kNamespace && plan_namespace(parts, request)) return {};
  const json::Node metadata = request.object["metadata"];
  const Grace grace = apply_grace(parts, request, metadata);
  if (grace == Grace::kPending) {
    // Zero was asked for before and something still holds the object: finalizers.
    const bool zero = metadata["deletionGracePeriodSeconds"].integer() == 0;
    const bool held = metadata["finalizers"].size() > 0;
    request.effect.what = zero && !held ? Effect::What::kDelete : Effect::What::kNothing;
    return {};
  }
  set_finalizer(metadata, kOrphan, should_orphan(request.deletion, request.old["metadata"]));
  set_finalizer(metadata, kForeground,
                should_wait_for_dependents(request.deletion, request.old["metadata"]));
  if (metadata["finalizers"].size() > 0) {
    if (grace == Grace::kNone) mark_deleting(parts, metadata);
    put(request);
    return {};
  }
  if (grace == Grace::kMarked && metadata["deletionGracePeriodSeconds"].integer() > 0) {
    put(request);
    return {};
  }
  request.effect.what = Effect::What::kDelete;
  return {};
}

bool completes_deletion(const Request& request) {
  if (request.creating()) return false;
  const json::Node old = request.old["metadata"];
  if (!old["deletionTimestamp"]) return false;
  if (request.object["metadata"]["finalizers"].size() > 0) return false;
  if (request.kind == &api::kNamespace) return request.object["spec"]["finalizers"].size() == 0;
  return old["deletionGracePeriodSeconds"].integer(0) == 0;
}

bool shows_deleted(const api::Kind& kind) {
  return &kind == &api::kPod || &kind == &api::kServiceAccount || &kind == &api::kService;
}

}  // namespace coracle::apiserver
