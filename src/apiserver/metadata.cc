// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/metadata.h"

#include "api/errors.h"
#include "apiserver/tokens.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr size_t kGeneratedBaseMax = 58;

std::string resource_of(const Request& request) {
  return qualified_resource(request.group, request.resource);
}

// Fields that only the server sets: an update keeps the stored ones.
constexpr std::string_view kSystemFields[] = {
    "uid",        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "generation", "generateName"};

bool is_frame(std::string_view key) {
  return key == "kind" || key == "apiVersion" || key == "metadata";
}

// A write through /status keeps all that is not status, and who owns the object.
void carry_all_but_status(json::Node object, json::Node old) {
  for (const json::Node child : object) {
    if (!is_frame(child.key()) && child.key() != "status") object.remove_child(child);
  }
  for (const json::Node child : old) {
    if (!is_frame(child.key()) && child.key() != "status") object.set(child.key(), child);
  }
  const json::Node metadata = object["metadata"];
  metadata.set("ownerReferences", old["metadata"]["ownerReferences"]);
}

Result<> check_version(Request& request, json::Node metadata) {
  const std::string_view given = metadata["resourceVersion"].string();
  if (!given.empty() && given != "0") {
    if (parse_unsigned(given) == request.stored->version()) return {};
    if (!parse_unsigned(given)) {
      api::Errors errors;
      errors.invalid("metadata.resourceVersion", given, "must be an unsigned integer");
      return errors.to_error(api::group_kind(*request.kind), request.name);
    }
    return conflict(resource_of(request), request.name, kObjectModified);
  }
  if (request.verb == Verb::kUpdate && request.kind->needs_version_on_update &&
      request.expected_version == 0) {
    api::Errors errors;
    errors.invalid("metadata.resourceVersion", int64_t{0}, "must be specified for an update");
    return errors.to_error(api::group_kind(*request.kind), request.name);
  }
  request.unconditional = true;
  return {};
}

}  // namespace

std::string generated_suffix(port::Random& random) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string suffix;
  for (int at = 0; at < 5; ++at)
    suffix += kLetters[random.next() % kLetters.size()];
  return suffix;
}

Result<> settle_create(Parts& parts, Request& request) {
  const json::Node object = request.object;
  const json::Node metadata = object["metadata"];
  if (const std::string_view version = metadata["resourceVersion"].string();
      !version.empty() && version != "0" && request.verb == Verb::kCreate) {
    return fail(Code::kBadRequest, "resourceVersion should not be set on objects to be created");
  }
  for (const char* gone : {"deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
                           "selfLink", "resourceVersion", "generation"}) {
    metadata.remove(gone);
  }
  const std::string_view base = metadata["generateName"].string();
  request.generated_name = metadata["name"].string().empty() && !base.empty();
  if (request.generated_name) {
    metadata.set("name", join({base.substr(0, kGeneratedBaseMax), generated_suffix(parts.random)}));
  }
  request.name = std::string(metadata["name"].string());
  metadata.set("uid", make_uuid(parts.random));
  metadata.set("creationTimestamp", rfc3339(parts.clock.wall()));
  if (request.kind->bumps_generation) metadata.set("generation", 1);
  // A kubelet registers its Node with status in one write (registry/core/node/strategy.go); nothing
  // else does.
  if (request.kind->has_status && request.kind != &api::kNode) object.remove("status");
  request.success_code = 201;
  return {};
}

Result<> settle_update(Request& request) {
  const json::Node object = request.object;
  const json::Node metadata = object["metadata"];
  const json::Node old = request.old["metadata"];
  if (const std::string_view uid = metadata["uid"].string();
      !uid.empty() && uid != request.stored->uid()) {
    return conflict(resource_of(request), request.name,
                    join({"Precondition failed: UID in precondition: ", uid,
                          ", UID in object meta: ", request.stored->uid()}));
  }
  TRY(check_version(request, metadata));
  for (const std::string_view name : kSystemFields)
    metadata.set(name, old[name]);
  metadata.remove("managedFields");
  metadata.remove("selfLink");
  metadata.remove("resourceVersion");
  if (request.subresource == api::Subresource::kStatus) {
    carry_all_but_status(object, request.old);
  } else if (request.kind->has_status) {
    object.set("status", request.old["status"]);
  }
  request.success_code = 200;
  return {};
}

// Of a custom resource all but metadata and status is desired state.
bool same_but_meta(const Request& request) {
  const auto differs = [&request](json::Node one, json::Node other) {
    for (const json::Node child : one) {
      const bool counts = child.key() != "metadata" && child.key() != "apiVersion" &&
                          !(child.key() == "status" && request.kind->has_status);
      if (counts && !json::equal(child, other[child.key()])) return true;
    }
    return false;
  };
  return !differs(request.object, request.old) && !differs(request.old, request.object);
}

void settle_generation(Request& request) {
  if (!request.kind->bumps_generation || request.creating()) return;
  if (request.kind->is_custom ? same_but_meta(request)
                              : json::equal(request.object["spec"], request.old["spec"])) {
    return;
  }
  const json::Node metadata = request.object["metadata"];
  metadata.set("generation", request.old["metadata"]["generation"].integer() + 1);
}

}  // namespace coracle::apiserver
