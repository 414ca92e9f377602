// SPDX-License-Identifier: GPL-2.0-or-later
// Rules for whole Pods: almost nothing of a spec may change (kubernetes ValidatePodUpdate).
#include <set>

#include "api/kinds/checks.h"
#include "api/kinds/pod.h"
#include "api/kinds/pod_template.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kMayChange =
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)";

void check_same_count(json::Node spec, json::Node old, std::string_view list, Errors& errors) {
  if (spec[list].size() != old[list].size())
    errors.forbidden(field("spec", list), "pod updates may not add or remove containers");
}

void check_deadline(json::Node now, json::Node old, Errors& errors) {
  constexpr std::string_view kPath = "spec.activeDeadlineSeconds";
  if (!old) return;
  if (!now) {
    errors.invalid(kPath, now, "must not update from a positive integer to nil value");
  } else if (now.integer() > old.integer()) {
    errors.invalid(kPath, now, "must be less than or equal to previous value");
  }
}

// All of a toleration but tolerationSeconds.
std::string gist(json::Node toleration) {
  return join({toleration["key"].string(), "\n", toleration["operator"].string(), "\n",
               toleration["value"].string(), "\n", toleration["effect"].string()});
}

void check_tolerations(json::Node now, json::Node old, Errors& errors) {
  std::set<std::string> kept;
  for (json::Node toleration : now)
    kept.insert(gist(toleration));
  for (json::Node toleration : old) {
    if (!kept.contains(gist(toleration)))
      return errors.forbidden("spec.tolerations",
                              "existing toleration can not be modified except its "
                              "tolerationSeconds");
  }
}

void check_gates(json::Node now, json::Node old, Errors& errors) {
  std::set<std::string_view> known;
  for (json::Node gate : old)
    known.insert(gate["name"].string());
  size_t index = 0;
  for (json::Node gate : now) {
    const std::string at = item("spec.schedulingGates", index++);
    const std::string_view name = gate["name"].string();
    if (!known.contains(name))
      errors.forbidden(
          at, join({"only deletion is allowed, but found new scheduling gate '", name, "'"}));
  }
}

// A binding sets the node together with the condition; no other writer of a spec reaches both.
bool is_binding(json::Node pod, json::Node old) {
  if (!old["spec"]["nodeName"].string().empty()) return false;
  const auto is_scheduled = [](json::Node of) {
    for (json::Node condition : of["status"]["conditions"]) {
      if (condition["type"].string() == "PodScheduled")
        return condition["status"].string() == "True";
    }
    return false;
  };
  return is_scheduled(pod) && !is_scheduled(old);
}

// Puts back what may change, so that the rest can be compared as a whole.
void restore(json::Node spec, json::Node old) {
  for (std::string_view list : {"containers", "initContainers"}) {
    json::Node before = old[list].first();
    for (json::Node container : spec[list]) {
      container.set("image", before["image"]);
      before = before.next();
    }
  }
  for (std::string_view name : {"activeDeadlineSeconds", "tolerations", "schedulingGates"})
    spec.set(name, old[name]);
  if (old["terminationGracePeriodSeconds"].integer() < 0 &&
      spec["terminationGracePeriodSeconds"].integer() == 1)
    spec.set("terminationGracePeriodSeconds", old["terminationGracePeriodSeconds"]);
}

// Drops "" and [], which Go omits, so that spelling them out does not seem to change anything.
void drop_omitted(json::Node node) {
  for (json::Node child : node) {
    const bool omitted = (child.is_string() || child.is_array()) && !says_something(child);
    if (omitted && node.is_object()) {
      node.remove_child(child);
    } else {
      drop_omitted(child);
    }
  }
}

std::string changed_fields(json::Node spec, json::Node old) {
  std::string names;
  const auto note = [&names](std::string_view name) {
    names.append(names.empty() ? "\n  changed: spec." : ", spec.").append(name);
  };
  for (json::Node value : spec) {
    if (!old[value.key()]) note(value.key());
  }
  for (json::Node before : old) {
    if (!json::equal(spec[before.key()], before)) note(before.key());
  }
  return names;
}

}  // namespace

void validate_pod(json::Node pod, Errors& errors) {
  if (!pod["spec"]) return errors.required("spec.containers");
  validate_pod_spec(pod["spec"], "spec", errors);
}

void validate_pod_update(json::Node pod, json::Node old, Errors& errors) {
  const json::Node spec = pod["spec"];
  const json::Node before = old["spec"];
  const size_t errors_before = errors.size();
  check_same_count(spec, before, "containers", errors);
  check_same_count(spec, before, "initContainers", errors);
  if (errors.size() > errors_before) return;
  check_deadline(spec["activeDeadlineSeconds"], before["activeDeadlineSeconds"], errors);
  check_tolerations(spec["tolerations"], before["tolerations"], errors);
  check_gates(spec["schedulingGates"], before["schedulingGates"], errors);
  json::Tree scratch;
  const json::Node now = scratch.detached(spec);
  const json::Node then = scratch.detached(before);
  restore(now, then);
  if (is_binding(pod, old)) now.remove("nodeName");
  drop_omitted(now);
  drop_omitted(then);
  const std::string changed = changed_fields(now, then);
  if (!changed.empty()) errors.forbidden("spec", std::string(kMayChange) + changed);
}

}  // namespace coracle::api
