// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pod_admission.h"

#include <optional>

#include "apiserver/admission.h"
#include "apiserver/metadata.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr int64_t kTokenSeconds = 3607;  // upstream: one hour and a bit, so that it is recognizable
constexpr int64_t kTolerationSeconds = 300;

bool is_mirror(json::Node pod) {
  return static_cast<bool>(pod["metadata"]["annotations"]["kubernetes.io/config.mirror"]);
}

bool wants_token(json::Node spec, json::Node account) {
  if (const json::Node own = spec["automountServiceAccountToken"]; own) return own.boolean();
  if (const json::Node its = account["automountServiceAccountToken"]; its) return its.boolean();
  return true;
}

bool mounts_token(json::Node container) {
  for (const json::Node mount : container["volumeMounts"]) {
    if (mount["mountPath"].string() == kTokenPath) return true;
  }
  return false;
}

// plugin/pkg/admission/serviceaccount TokenVolumeSource
void add_token_volume(json::Node spec, std::string_view name) {
  const json::Node volume = spec.array("volumes").append_object();
  volume.set("name", name);
  const json::Node projected = volume.object("projected");
  projected.set("defaultMode", 420);
  const json::Node sources = projected.array("sources");
  const json::Node token = sources.append_object().object("serviceAccountToken");
  token.set("expirationSeconds", kTokenSeconds);
  token.set("path", "token");
  const json::Node authority = sources.append_object().object("configMap");
  authority.set("name", "kube-root-ca.crt");
  const json::Node item = authority.array("items").append_object();
  item.set("key", "ca.crt");
  item.set("path", "ca.crt");
  const json::Node downward = sources.append_object().object("downwardAPI");
  const json::Node ns = downward.array("items").append_object();
  ns.set("path", "namespace");
  const json::Node field = ns.object("fieldRef");
  field.set("apiVersion", "v1");
  field.set("fieldPath", "metadata.namespace");
}

bool add_token_mounts(json::Node containers, std::string_view volume) {
  bool added = false;
  for (const json::Node container : containers) {
    if (!container.is_object() || mounts_token(container)) continue;
    const json::Node mount = container.array("volumeMounts").append_object();
    mount.set("name", volume);
    mount.set("readOnly", true);
    mount.set("mountPath", kTokenPath);
    added = true;
  }
  return added;
}

std::string token_volume_name(Parts& parts, json::Node volumes) {
  for (const json::Node volume : volumes) {
    const std::string_view name = volume["name"].string();
    if (name.starts_with("kube-api-access-")) return std::string(name);
  }
  return "kube-api-access-" + generated_suffix(parts.random);
}

bool tolerates(json::Node tolerations, std::string_view key) {
  for (const json::Node toleration : tolerations) {
    const std::string_view its_key = toleration["key"].string();
    const std::string_view effect = toleration["effect"].string();
    if ((its_key == key || its_key.empty()) && (effect == "NoExecute" || effect.empty())) {
      return true;
    }
  }
  return false;
}

struct Priority {
  std::string name;
  int64_t value = 0;
  std::string preemption = "PreemptLowerPriority";
};

Priority read_priority(const api::Object& object) {
  json::Tree tree;
  const json::Node node = object.parse(tree);
  return {std::string(object.name()), node["value"].integer(),
          std::string(node["preemptionPolicy"].string("PreemptLowerPriority"))};
}

// Without a name the default of the cluster, if one is marked: the lowest of several.
std::optional<Priority> find_priority(Parts& parts, std::string_view name) {
  if (!name.empty()) {
    const api::ObjectRef object = parts.store.get(api::kPriorityClass, {}, name);
    if (object) return read_priority(*object);
    // Known even before their objects are made.
    if (name == "system-cluster-critical") return Priority{std::string(name), 2'000'000'000};
    if (name == "system-node-critical") return Priority{std::string(name), 2'000'001'000};
    return std::nullopt;
  }
  std::optional<Priority> lowest;
  api::for_each(parts.store, api::kPriorityClass, {}, [&](const api::ObjectRef& object) {
    json::Tree tree;
    if (!object->parse(tree)["globalDefault"].boolean()) return;
    Priority each = read_priority(*object);
    if (!lowest || each.value < lowest->value) lowest = std::move(each);
  });
  return lowest ? lowest : Priority{};
}

}  // namespace

Result<> admit_service_account(Parts& parts, Request& request) {
  if (is_mirror(request.object)) return {};
  const json::Node spec = request.object["spec"];
  if (!spec.is_object()) return {};  // validation says so
  std::string name(spec["serviceAccountName"].string(spec["serviceAccount"].string()));
  if (name.empty()) name = "default";
  spec.set("serviceAccountName", name);
  spec.set("serviceAccount", name);
  const api::ObjectRef stored = parts.store.get(api::kServiceAccount, request.ns, name);
  if (!stored) {
    return forbidden(request, join({"error looking up service account ", request.ns, "/", name,
                                    ": serviceaccount \"", name, "\" not found"}));
  }
  json::Tree tree;
  const json::Node account = stored->parse(tree);
  if (wants_token(spec, account)) {
    const std::string volume = token_volume_name(parts, spec["volumes"]);
    const bool initial = add_token_mounts(spec["initContainers"], volume);
    const bool added = add_token_mounts(spec["containers"], volume) || initial;
    bool present = false;
    for (const json::Node each : spec["volumes"])
      present |= each["name"].string() == volume;
    if (added && !present) add_token_volume(spec, volume);
  }
  const json::Node pulls = account["imagePullSecrets"];
  if (spec["imagePullSecrets"].size() == 0 && pulls.size() > 0) spec.set("imagePullSecrets", pulls);
  return {};
}

// plugin/pkg/admission/defaulttolerationseconds
Result<> admit_tolerations(Parts&, Request& request) {
  const json::Node spec = request.object["spec"];
  if (!spec.is_object() || request.subresource != api::Subresource::kNone) return {};
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    if (tolerates(spec["tolerations"], key)) continue;
    const json::Node toleration = spec.array("tolerations").append_object();
    toleration.set("key", key);
    toleration.set("operator", "Exists");
    toleration.set("effect", "NoExecute");
    toleration.set("tolerationSeconds", kTolerationSeconds);
  }
  return {};
}

// plugin/pkg/admission/runtimeclass. There is one runtime, by its own name or by runc's.
Result<> admit_runtime_class(Parts& parts, Request& request) {
  const json::Node spec = request.object["spec"];
  const std::string_view name = spec["runtimeClassName"].string();
  if (name.empty()) return {};
  const std::string begin = join({"pod rejected: RuntimeClass \"", name, "\" "});
  const api::ObjectRef stored = parts.store.get(api::kRuntimeClass, {}, name);
  if (!stored) return forbidden(request, begin + "not found");
  json::Tree tree;
  const json::Node runtime = stored->parse(tree);
  const std::string_view handler = runtime["handler"].string();
  if (handler != "crun" && handler != "runc")
    return forbidden(request, join({begin, "wants the handler \"", handler,
                                    "\", which no node has: there is only crun"}));
  for (const json::Node label : runtime["scheduling"]["nodeSelector"]) {
    const json::Node selector = spec.object("nodeSelector");
    const json::Node given = selector[label.key()];
    if (given && given.string() != label.string())
      return forbidden(request,
                       join({"conflict: runtimeClass.scheduling.nodeSelector[", label.key(),
                             "] = ", label.string(), "; pod.spec.nodeSelector[", label.key(),
                             "] = ", given.string()}));
    selector.set(label.key(), label);
  }
  for (const json::Node toleration : runtime["scheduling"]["tolerations"])
    spec.array("tolerations").append(toleration);
  return {};
}

// plugin/pkg/admission/priority
Result<> admit_priority(Parts& parts, Request& request) {
  const json::Node spec = request.object["spec"];
  if (!spec.is_object()) return {};
  if (!request.creating()) {  // clients that do not know the fields leave them out
    const json::Node old = request.old["spec"];
    for (const char* name : {"priority", "preemptionPolicy"}) {
      if (!spec[name]) spec.set(name, old[name]);
    }
    return {};
  }
  const std::optional<Priority> found = find_priority(parts, spec["priorityClassName"].string());
  if (!found) {
    return forbidden(request, join({"no PriorityClass with name ",
                                    spec["priorityClassName"].string(), " was found"}));
  }
  if (const json::Node given = spec["priority"]; given && given.integer() != found->value) {
    return forbidden(request, "the integer value of priority (" + std::to_string(given.integer()) +
                                  ") must not be provided in pod spec; priority admission "
                                  "controller computed " +
                                  std::to_string(found->value) +
                                  " from the given PriorityClass name");
  }
  if (const json::Node given = spec["preemptionPolicy"];
      given && given.string() != found->preemption) {
    return forbidden(request, join({"the string value of PreemptionPolicy (", given.string(),
                                    ") must not be provided in pod spec; priority admission "
                                    "controller computed ",
                                    found->preemption, " from the given PriorityClass name"}));
  }
  if (!found->name.empty()) spec.set("priorityClassName", found->name);
  spec.set("priority", found->value);
  spec.set("preemptionPolicy", found->preemption);
  return {};
}

}  // namespace coracle::apiserver
