// SPDX-License-Identifier: GPL-2.0-or-later
// PodDisruptionBudget: how many of its pods may be taken away now (upstream
// pkg/controller/disruption/disruption.go). Evictions and preemption read it from the status.
#include <algorithm>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/pods.h"
#include "controllers/rollout.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

// An eviction that was allowed and has not ended its pod by then did not happen.
constexpr Duration kDisruptionTimeout = minutes(2);

class Disruption {
 public:
  Disruption(const Now& now, Parsed budget)
      : now_(now),
        budget_(std::move(budget)),
        next_(parse(budget_.ref)),
        status_(next_.node.object("status")) {}

  api::Plan plan() {
    find_pods();
    if (pods_.empty())
      plan_.notes.push_back({budget_.ref, false, "NoPods", "No matching pods found", {}});
    keep_disrupted();
    const std::optional<int64_t> desired = desired_healthy();
    if (desired)
      write(*desired);
    else
      write_failure();
    if (!json::equal(status_, budget_.node["status"]))
      plan_.calls.push_back(update_call(next_, api::Subresource::kStatus));
    else
      plan_.notes.clear();
    return std::move(plan_);
  }

 private:
  json::Node spec() const { return budget_.node["spec"]; }
  void find_pods();
  void keep_disrupted();
  std::optional<int64_t> desired_healthy();
  std::optional<int64_t> expected_scale();
  std::optional<int64_t> scale_of(json::Node owner, std::string& uid) const;
  int64_t healthy() const;
  void write(int64_t desired);
  void write_failure();

  const Now& now_;
  Parsed budget_;
  Parsed next_;
  json::Node status_;
  api::Plan plan_;
  std::vector<Parsed> pods_;
  int64_t expected_ = 0;
  std::string problem_;
};

void Disruption::find_pods() {
  const auto selector = api::LabelSelector::from_object(spec()["selector"]);
  api::for_each(now_.state, api::kPod, budget_.ref->ns(), [&](const api::ObjectRef& object) {
    Parsed pod = parse(object);
    if (selector.matches(pod.node["metadata"]["labels"])) pods_.push_back(std::move(pod));
  });
}

// Pods whose eviction was allowed a moment ago count as gone already.
void Disruption::keep_disrupted() {
  const json::Node before = status_["disruptedPods"];
  json::Tree tree;
  const json::Node kept = tree.make_object();
  for (const Parsed& pod : pods_) {
    const auto at = parse_rfc3339(before[pod.ref->name()].string());
    if (!at || pod.ref->deleting()) continue;
    const Duration left = kDisruptionTimeout - (now_.wall - *at);
    if (left.ns <= 0 || left > kDisruptionTimeout) continue;
    kept.set(pod.ref->name(), rfc3339(*at));
    plan_.again_after = std::min(plan_.again_after.value_or(left), left);
  }
  if (kept.size() > 0)
    status_.set("disruptedPods", kept);
  else
    status_.remove("disruptedPods");
}

std::optional<int64_t> Disruption::desired_healthy() {
  if (const json::Node most = spec()["maxUnavailable"]) {
    const auto scale = expected_scale();
    if (!scale) return std::nullopt;
    expected_ = *scale;
    return std::max<int64_t>(0, expected_ - resolve_share(most, expected_, true, 0));
  }
  const json::Node least = spec()["minAvailable"];
  if (!least.is_string()) {
    expected_ = static_cast<int64_t>(pods_.size());
    return least.integer();
  }
  const auto scale = expected_scale();
  if (!scale) return std::nullopt;
  expected_ = *scale;
  return resolve_share(least, expected_, true, 0);
}

// What the pods' controllers want in all; pods that nobody controls are left out.
std::optional<int64_t> Disruption::expected_scale() {
  std::set<std::string> seen;
  int64_t total = 0;
  for (const Parsed& pod : pods_) {
    const json::Node owner = controller_of(pod.node);
    if (!owner) continue;
    std::string uid;
    const auto scale = scale_of(owner, uid);
    if (!scale) {
      problem_ = join({"found no controllers for pod \"", pod.ref->name(), "\""});
      return std::nullopt;
    }
    if (seen.insert(uid).second) total += *scale;
  }
  return total;
}

std::optional<int64_t> Disruption::scale_of(json::Node owner, std::string& uid) const {
  for (const api::Kind* kind :
       {&api::kReplicaSet, &api::kStatefulSet, &api::kReplicationController, &api::kDeployment}) {
    if (owner["kind"].string() != kind->name) continue;
    const api::ObjectRef object = now_.state.get(*kind, budget_.ref->ns(), owner["name"].string());
    if (!object || object->uid() != owner["uid"].string()) return std::nullopt;
    json::Tree tree;
    const json::Node node = object->parse(tree);
    if (const json::Node above = controller_of(node); above && kind == &api::kReplicaSet) {
      if (const auto scale = scale_of(above, uid)) return scale;
    }
    uid = std::string(object->uid());
    return node["spec"]["replicas"].integer(1);
  }
  return std::nullopt;
}

int64_t Disruption::healthy() const {
  return std::count_if(pods_.begin(), pods_.end(), [this](const Parsed& pod) {
    return !pod.ref->deleting() && is_ready(pod.node) && !status_["disruptedPods"][pod.ref->name()];
  });
}

void Disruption::write(int64_t desired) {
  const int64_t now_healthy = healthy();
  const int64_t allowed = expected_ == 0 ? 0 : std::max<int64_t>(0, now_healthy - desired);
  status_.set("currentHealthy", now_healthy);
  status_.set("desiredHealthy", desired);
  status_.set("expectedPods", expected_);
  status_.set("disruptionsAllowed", allowed);
  status_.set("observedGeneration", budget_.node["metadata"]["generation"].integer());
  set_condition(status_,
                {"DisruptionAllowed", allowed > 0 ? "True" : "False",
                 allowed > 0 ? "SufficientPods" : "InsufficientPods", ""},
                now_.wall);
  find_condition(status_, "DisruptionAllowed")
      .set("observedGeneration", budget_.node["metadata"]["generation"].integer());
}

// Nothing may be disrupted as long as nobody knows how many there should be.
void Disruption::write_failure() {
  plan_.notes.push_back({budget_.ref,
                         true,
                         "CalculateExpectedPodCountFailed",
                         "Failed to calculate the number of expected pods: " + problem_,
                         {}});
  for (const char* count : {"currentHealthy", "desiredHealthy", "expectedPods"}) {
    if (!status_[count]) status_.set(count, 0);
  }
  status_.set("disruptionsAllowed", 0);
  set_condition(status_, {"DisruptionAllowed", "False", "SyncFailed", problem_}, now_.wall);
}

Result<api::Plan> plan_disruption(const Now& now, const api::Key& key) {
  const api::ObjectRef object = now.state.get(api::kPodDisruptionBudget, key.ns, key.name);
  if (!object || object->deleting()) return api::Plan{};
  return Disruption(now, parse(object)).plan();
}

void wake_budgets_of(const api::Object& object, const api::State& state, Keys& keys) {
  json::Tree tree;
  json::Node pod;
  api::for_each(state, api::kPodDisruptionBudget, object.ns(), [&](const api::ObjectRef& budget) {
    if (!pod) pod = object.parse(tree);
    json::Tree budget_tree;
    if (api::LabelSelector::from_object(budget->parse(budget_tree)["spec"]["selector"])
            .matches(pod["metadata"]["labels"]))
      keys.insert(
          {&api::kPodDisruptionBudget, std::string(budget->ns()), std::string(budget->name())});
  });
}

void wake_for_pod(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.before) wake_budgets_of(*change.before, state, keys);
  wake_budgets_of(*change.after, state, keys);
}

// A workload that is scaled changes what its pods' budgets allow.
void wake_for_owner(const api::Change& change, const api::State& state, Keys& keys) {
  api::for_each(
      state, api::kPodDisruptionBudget, change.after->ns(), [&](const api::ObjectRef& budget) {
        keys.insert(
            {&api::kPodDisruptionBudget, std::string(budget->ns()), std::string(budget->name())});
      });
}

constexpr Watch kWatches[] = {
    {&api::kPodDisruptionBudget, wake_itself}, {&api::kPod, wake_for_pod},
    {&api::kDeployment, wake_for_owner},       {&api::kReplicaSet, wake_for_owner},
    {&api::kStatefulSet, wake_for_owner},
};

}  // namespace

const Controller kDisruptionController{"disruption-controller", kWatches, plan_disruption, nullptr};

}  // namespace coracle::controllers
