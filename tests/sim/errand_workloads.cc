// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/errand_book.h"

namespace coracle::sim {
namespace {

std::string pod_template(Errand& errand, const std::string& name, std::string_view more = {}) {
  return join({R"("template":{"metadata":{"labels":{"app":")", name, R"("}},"spec":{)", more,
               containers(errand), "}}"});
}

std::string selector(const std::string& name) {
  return join({R"("selector":{"matchLabels":{"app":")", name, R"("}})"});
}

std::string claim_spec() {
  return R"({"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Mi"}}})";
}

// Half of them keep their data, and what becomes of it when they shrink or go is left to chance.
http::Request make_stateful_set(Errand& errand) {
  const std::string name = "t" + errand.number(2);
  const bool ordered = errand.dice.chance(60);
  std::string claims;
  if (errand.dice.chance(50)) {
    const auto policy = [&] { return errand.dice.chance(50) ? "Delete" : "Retain"; };
    claims = join({R"(,"persistentVolumeClaimRetentionPolicy":{"whenDeleted":")", policy(),
                   R"(","whenScaled":")", policy(),
                   R"("},"volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":)",
                   claim_spec(), "}]"});
  }
  return make_request(
      "POST", errand.path(kApps, "statefulsets"),
      join({R"({"kind":"StatefulSet","apiVersion":"apps/v1",)", metadata(name),
            R"(,"spec":{"replicas":)", errand.number(4), R"(,"podManagementPolicy":")",
            ordered ? "OrderedReady" : "Parallel", R"(",)", selector(name), ",",
            pod_template(errand, name), claims, "}}"}));
}

http::Request scale_stateful_set(Errand& errand) {
  return merge(errand.path(kApps, "statefulsets", some(errand, api::kStatefulSet, "t0")) + "/scale",
               join({R"({"spec":{"replicas":)", errand.number(4), "}}"}));
}

http::Request update_stateful_set(Errand& errand) {
  return merge(errand.path(kApps, "statefulsets", some(errand, api::kStatefulSet, "t0")),
               join({R"({"spec":{"template":{"spec":{)", containers(errand), "}}}}"}));
}

http::Request delete_stateful_set(Errand& errand) {
  return make_request("DELETE",
                      errand.path(kApps, "statefulsets", some(errand, api::kStatefulSet, "t0")));
}

http::Request make_daemon_set(Errand& errand) {
  const std::string name = "e" + errand.number(2);
  return make_request(
      "POST", errand.path(kApps, "daemonsets"),
      join({R"({"kind":"DaemonSet","apiVersion":"apps/v1",)", metadata(name), R"(,"spec":{)",
            selector(name), ",", pod_template(errand, name), "}}"}));
}

http::Request update_daemon_set(Errand& errand) {
  return merge(errand.path(kApps, "daemonsets", some(errand, api::kDaemonSet, "e0")),
               join({R"({"spec":{"template":{"spec":{)", containers(errand), "}}}}"}));
}

http::Request delete_daemon_set(Errand& errand) {
  return make_request("DELETE",
                      errand.path(kApps, "daemonsets", some(errand, api::kDaemonSet, "e0")));
}

http::Request make_job(Errand& errand) {
  const std::string name = "j" + errand.number(4);
  const bool indexed = errand.dice.chance(50);
  return make_request("POST", errand.path(kBatch, "jobs"),
                      join({R"({"kind":"Job","apiVersion":"batch/v1",)", metadata(name),
                            R"(,"spec":{"backoffLimit":1,"completions":)",
                            std::to_string(errand.dice.between(1, 4)), R"(,"parallelism":)",
                            std::to_string(errand.dice.between(1, 3)),
                            indexed ? R"(,"completionMode":"Indexed")" : "",
                            errand.dice.chance(20) ? R"(,"ttlSecondsAfterFinished":3)" : "", ",",
                            pod_template(errand, name, R"("restartPolicy":"Never",)"), "}}"}));
}

http::Request suspend_job(Errand& errand) {
  return merge(errand.path(kBatch, "jobs", some(errand, api::kJob, "j0")),
               join({R"({"spec":{"suspend":)", errand.dice.chance(40) ? "true" : "false", "}}"}));
}

http::Request delete_job(Errand& errand) {
  http::Request request =
      make_request("DELETE", errand.path(kBatch, "jobs", some(errand, api::kJob, "j0")));
  request.query =
      errand.dice.chance(50) ? "propagationPolicy=Background" : "propagationPolicy=Foreground";
  return request;
}

http::Request make_claim(Errand& errand) {
  return make_request("POST", errand.path(kCore, "persistentvolumeclaims"),
                      join({R"({"kind":"PersistentVolumeClaim","apiVersion":"v1",)",
                            metadata("v" + errand.number(3)), R"(,"spec":)", claim_spec(), "}"}));
}

http::Request delete_claim(Errand& errand) {
  return make_request("DELETE", errand.path(kCore, "persistentvolumeclaims",
                                            some(errand, api::kPersistentVolumeClaim, "v0")));
}

http::Request make_claiming_pod(Errand& errand) {
  const bool own = errand.dice.chance(40);
  const std::string volume =
      own ? join({R"("ephemeral":{"volumeClaimTemplate":{"spec":)", claim_spec(), "}}"})
          : join({R"("persistentVolumeClaim":{"claimName":"v)", errand.number(3), R"("})"});
  return make_request(
      "POST", errand.path(kCore, "pods"),
      join({R"({"kind":"Pod","apiVersion":"v1",)", metadata("c" + errand.number(3)),
            R"(,"spec":{"volumes":[{"name":"v",)", volume, "}],", containers(errand), "}}"}));
}

http::Request make_budget(Errand& errand) {
  const std::string name = "d" + errand.number(3);
  return make_request(
      "POST", errand.path("/apis/policy/v1", "poddisruptionbudgets"),
      join({R"({"kind":"PodDisruptionBudget","apiVersion":"policy/v1",)", metadata(name),
            R"(,"spec":{"minAvailable":)", errand.number(3), ",", selector(name), "}}"}));
}

constexpr ErrandRow kErrands[] = {
    {5, make_stateful_set},   {4, scale_stateful_set}, {3, update_stateful_set},
    {2, delete_stateful_set}, {3, make_daemon_set},    {2, update_daemon_set},
    {2, delete_daemon_set},   {5, make_job},           {3, suspend_job},
    {2, delete_job},          {4, make_claim},         {3, delete_claim},
    {4, make_claiming_pod},   {3, make_budget},
};

}  // namespace

std::span<const ErrandRow> workload_errands() {
  return kErrands;
}

}  // namespace coracle::sim
