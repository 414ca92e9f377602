// SPDX-License-Identifier: GPL-2.0-or-later
// Rules for whole Pods: almost nothing of a spec may change (kubernetes ValidatePodUpdate).
#include "api/kinds/checks.h"
#include "api/kinds/pod.h"
#include "api/kinds/pod_template.h"

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

// Equal but for tolerationSeconds.
bool contains_toleration(json::Node tolerations, json::Node wanted) {
  for (json::Node toleration : tolerations) {
    bool same = true;
    for (std::string_view name : {"key", "operator", "value", "effect"})
      same = same && toleration[name].string() == wanted[name].string();
    if (same) return true;
  }
  return false;
}

void check_tolerations(json::Node now, json::Node old, Errors& errors) {
  for (json::Node toleration : old) {
    if (!contains_toleration(now, toleration))
      return errors.forbidden("spec.tolerations",
                              "existing toleration can not be modified except its "
                              "tolerationSeconds");
  }
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
  for (std::string_view name : {"activeDeadlineSeconds", "tolerations"})
    spec.set(name, old[name]);
  if (old["terminationGracePeriodSeconds"].integer() < 0 &&
      spec["terminationGracePeriodSeconds"].integer() == 1)
    spec.set("terminationGracePeriodSeconds", old["terminationGracePeriodSeconds"]);
}

std::string changed_fields(json::Node spec, json::Node old) {
  std::string names;
  const auto note = [&names](std::string_view name) {
    names.append(names.empty() ? "\n  changed: spec." : ", spec.").append(name);
  };
  for (json::Node value : spec) {
    if (says_something(value) && !old[value.key()]) note(value.key());
  }
  for (json::Node before : old) {
    const json::Node value = spec[before.key()];
    const bool same =
        json::equal(value, before) || (!says_something(value) && !says_something(before));
    if (!same) note(before.key());
  }
  return names;
}

}  // namespace

void validate_pod(json::Node pod, Errors& errors) {
  validate_pod_spec(pod["spec"], "spec", errors);
  if (!pod["spec"]) errors.required("spec.containers");
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
  json::Tree scratch;
  const json::Node copy = scratch.make_root(spec);
  restore(copy, before);
  const std::string changed = changed_fields(copy, before);
  if (!changed.empty()) errors.forbidden("spec", std::string(kMayChange) + changed);
}

}  // namespace coracle::api
