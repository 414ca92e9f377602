// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/evictions.h"

#include <vector>

#include "api/selector.h"
#include "base/bytes.h"

namespace coracle::apiserver {

namespace {

constexpr size_t kBudgetsMax = 1024;  // then all are forgotten: their versions have moved on

// A pod that does no work yet or any more is no loss.
bool is_no_loss(const api::Object& pod, json::Node node) {
  const std::string_view phase = node["status"]["phase"].string();
  return pod.deleting() || phase == "Succeeded" || phase == "Failed" || phase == "Pending";
}

bool is_ready(json::Node pod) {
  for (const json::Node condition : pod["status"]["conditions"]) {
    if (condition["type"].string() == "Ready") return condition["status"].string() == "True";
  }
  return false;
}

Error refusal(std::string cause) {
  Error error = fail(Code::kTooManyRequests,
                     "Cannot evict pod as it would violate the pod's disruption budget.");
  error.causes.push_back({"DisruptionBudget", std::move(cause), {}});
  return error;
}

std::vector<api::ObjectRef> budgets_of(const api::State& state,
                                       const api::Object& pod,
                                       json::Node node) {
  std::vector<api::ObjectRef> found;
  api::for_each(state, api::kPodDisruptionBudget, pod.ns(), [&](const api::ObjectRef& budget) {
    json::Tree tree;
    const json::Node selector = budget->parse(tree)["spec"]["selector"];
    if (api::LabelSelector::from_object(selector).matches(node["metadata"]["labels"]))
      found.push_back(budget);
  });
  return found;
}

}  // namespace

Result<> Evictions::admit(const api::State& state, const api::Object& pod, bool spend) {
  json::Tree tree;
  const json::Node node = pod.parse(tree);
  if (is_no_loss(pod, node)) return {};
  const std::vector<api::ObjectRef> budgets = budgets_of(state, pod, node);
  if (budgets.empty()) return {};
  if (budgets.size() > 1) {
    return fail(Code::kInternal,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource "
                "does not support.");
  }
  json::Tree budget_tree;
  const json::Node budget = budgets[0]->parse(budget_tree);
  if (!is_ready(node)) {
    // What is broken may go, if all that is needed works or the budget says so.
    const json::Node status = budget["status"];
    const int64_t desired = status["desiredHealthy"].integer();
    if (budget["spec"]["unhealthyPodEvictionPolicy"].string() == "AlwaysAllow") return {};
    if (desired > 0 && status["currentHealthy"].integer() >= desired) return {};
  }
  return this->spend(*budgets[0], budget, spend);
}

Result<> Evictions::spend(const api::Object& budget, json::Node node, bool really) {
  const json::Node status = node["status"];
  if (status["observedGeneration"].integer() < node["metadata"]["generation"].integer()) {
    Error error = refusal(join(
        {"The disruption budget ", budget.name(), " is still being processed by the server."}));
    error.retry_after_s = 10;
    return error;
  }
  if (spent_.size() >= kBudgetsMax) spent_.clear();
  Spent& spent = spent_[{std::string(budget.ns()), std::string(budget.name())}];
  if (spent.version != budget.version()) spent = {budget.version(), 0};
  if (status["disruptionsAllowed"].integer() - spent.pods <= 0) {
    const int64_t healthy = status["currentHealthy"].integer() - spent.pods;
    return refusal(join({"The disruption budget ", budget.name(), " needs ",
                         std::to_string(status["desiredHealthy"].integer()),
                         " healthy pods and has ", std::to_string(healthy), " currently"}));
  }
  if (really) ++spent.pods;
  return {};
}

}  // namespace coracle::apiserver
