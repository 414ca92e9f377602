// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/errand.h"

#include <iterator>

#include "tests/sim/errand_book.h"

namespace coracle::sim {

std::string some(Errand& errand, const api::Kind& kind, std::string_view otherwise) {
  const std::string prefix = join({api::storage_prefix(kind), errand.ns, "/"});
  const auto& objects = errand.history.objects();
  const auto first = objects.lower_bound(prefix);
  auto end = first;
  while (end != objects.end() && end->first.starts_with(prefix))
    ++end;
  const auto count = static_cast<uint64_t>(std::distance(first, end));
  if (count == 0 || errand.dice.chance(10)) return std::string(otherwise);
  return std::string(
      std::next(first, static_cast<int64_t>(errand.dice.below(count)))->second->name());
}

std::string metadata(std::string_view name) {
  return join({R"("metadata":{"name":")", name, R"("})"});
}

http::Request merge(std::string path, std::string body) {
  http::Request request = make_request("PATCH", std::move(path), std::move(body));
  request.headers = {{"content-type", "application/merge-patch+json"}};
  return request;
}

namespace {

http::Request make_namespace(Errand& errand) {
  return make_request(
      "POST", join({kCore, "/namespaces"}),
      join({R"({"kind":"Namespace","apiVersion":"v1",)", metadata(errand.ns), "}"}));
}

http::Request delete_namespace(Errand& errand) {
  return make_request("DELETE", join({kCore, "/namespaces/", errand.ns}));
}

std::string a_deployment(Errand& errand) {
  return some(errand, api::kDeployment, "d" + errand.number(3));
}

std::string a_service(Errand& errand) {
  return some(errand, api::kService, "s" + errand.number(2));
}

std::string a_config_map(Errand& errand) {
  return some(errand, api::kConfigMap, "c" + errand.number(4));
}

std::string strategy(Errand& errand) {
  switch (errand.dice.below(4)) {
    case 0:
      return R"({"type":"Recreate"})";
    case 1:
      return R"({"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}})";
    case 2:
      return R"({"rollingUpdate":{"maxSurge":2,"maxUnavailable":0}})";
    default:
      return "{}";
  }
}

}  // namespace

std::string containers(Errand& errand) {
  return join({R"("containers":[{"name":"c","image":"app:)", errand.number(3), R"("}])"});
}

namespace {

http::Request make_deployment(Errand& errand) {
  const std::string name = "d" + errand.number(3);
  const std::string labels = join({R"({"app":")", name, R"("})"});
  return make_request(
      "POST", errand.path(kApps, "deployments"),
      join({R"({"kind":"Deployment","apiVersion":"apps/v1",)", metadata(name),
            R"(,"spec":{"replicas":)", errand.number(5), R"(,"revisionHistoryLimit":)",
            errand.number(4), R"(,"strategy":)", strategy(errand), R"(,"selector":{"matchLabels":)",
            labels, R"(},"template":{"metadata":{"labels":)", labels, R"(},"spec":{)",
            containers(errand), "}}}}"}));
}

http::Request scale(Errand& errand) {
  return merge(errand.path(kApps, "deployments", a_deployment(errand)) + "/scale",
               join({R"({"spec":{"replicas":)", errand.number(5), "}}"}));
}

// Of three images, so that many updates are rollbacks to a ReplicaSet that is still there.
http::Request update(Errand& errand) {
  return merge(errand.path(kApps, "deployments", a_deployment(errand)),
               join({R"({"spec":{"template":{"spec":{)", containers(errand), "}}}}"}));
}

http::Request pause(Errand& errand) {
  return merge(errand.path(kApps, "deployments", a_deployment(errand)),
               join({R"({"spec":{"paused":)", errand.dice.chance(40) ? "true" : "false", "}}"}));
}

http::Request delete_deployment(Errand& errand) {
  http::Request request =
      make_request("DELETE", errand.path(kApps, "deployments", a_deployment(errand)));
  constexpr std::string_view kPolicies[] = {"Background", "Foreground", "Orphan"};
  request.query = join({"propagationPolicy=", kPolicies[errand.dice.below(3)]});
  return request;
}

http::Request make_service(Errand& errand) {
  return make_request("POST", errand.path(kCore, "services"),
                      join({R"({"kind":"Service","apiVersion":"v1",)",
                            metadata("s" + errand.number(2)), R"(,"spec":{"selector":{"app":"d)",
                            errand.number(3), R"("},"ports":[{"port":80}]}})"}));
}

http::Request select_others(Errand& errand) {
  return merge(errand.path(kCore, "services", a_service(errand)),
               join({R"({"spec":{"selector":{"app":"d)", errand.number(3), R"("}}})"}));
}

http::Request delete_service(Errand& errand) {
  return make_request("DELETE", errand.path(kCore, "services", a_service(errand)));
}

std::string config_map(Errand& errand, std::string_view name, std::string_view more) {
  return join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")", name, R"(")", more,
               R"(},"data":{"v":")", std::to_string(errand.dice.roll()), R"("}})"});
}

http::Request make_config_map(Errand& errand) {
  return make_request("POST", errand.path(kCore, "configmaps"),
                      config_map(errand, "c" + errand.number(4), {}));
}

// With the version that is, or one that was: then it must be refused.
http::Request replace_config_map(Errand& errand) {
  const std::string name = a_config_map(errand);
  const auto found =
      errand.history.objects().find(api::storage_key(api::kConfigMap, errand.ns, name));
  const bool there = found != errand.history.objects().end();
  const uint64_t version = there ? found->second->version() - errand.dice.below(2) : 1;
  return make_request(
      "PUT", errand.path(kCore, "configmaps", name),
      config_map(errand, name, join({R"(,"resourceVersion":")", std::to_string(version), R"(")"})));
}

http::Request delete_config_map(Errand& errand) {
  return make_request("DELETE", errand.path(kCore, "configmaps", a_config_map(errand)));
}

http::Request make_pod(Errand& errand) {
  return make_request("POST", errand.path(kCore, "pods"),
                      join({R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p)",
                            errand.number(3), R"(","labels":{"app":"d)", errand.number(3),
                            R"("}},"spec":{)", containers(errand), "}}"}));
}

http::Request delete_pod(Errand& errand) {
  http::Request request =
      make_request("DELETE", errand.path(kCore, "pods", some(errand, api::kPod, "none")));
  if (errand.dice.chance(30)) request.query = "gracePeriodSeconds=0";
  return request;
}

constexpr ErrandRow kErrands[] = {
    {1, make_namespace},    {2, delete_namespace},
    {12, make_deployment},  {10, scale},
    {10, update},           {3, pause},
    {5, delete_deployment}, {6, make_service},
    {3, select_others},     {2, delete_service},
    {5, make_config_map},   {5, replace_config_map},
    {2, delete_config_map}, {4, make_pod},
    {6, delete_pod},
};

}  // namespace

http::Request make_request(std::string_view method, std::string path, std::string body) {
  http::Request request;
  request.method = std::string(method);
  request.path = std::move(path);
  request.body = std::move(body);
  if (!request.body.empty()) request.headers = {{"content-type", "application/json"}};
  return request;
}

http::Request next_errand(port_sim::Dice& dice, const History& history) {
  Errand errand{dice, history, join({kNamespacePrefix, std::to_string(dice.below(kNamespaces))})};
  const bool there = history.objects().contains(api::storage_key(api::kNamespace, "", errand.ns));
  if (!there && dice.chance(80)) return make_namespace(errand);
  const std::span<const ErrandRow> books[] = {kErrands, workload_errands()};
  uint64_t weights = 0;
  for (const auto& book : books) {
    for (const ErrandRow& row : book)
      weights += row.weight;
  }
  uint64_t pick = dice.below(weights);
  for (const auto& book : books) {
    for (const ErrandRow& row : book) {
      if (pick < row.weight) return row.make(errand);
      pick -= row.weight;
    }
  }
  return make_namespace(errand);
}

}  // namespace coracle::sim
