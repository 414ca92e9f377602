// SPDX-License-Identifier: GPL-2.0-or-later
// StatefulSet: numbered pods, started, stopped and updated in order (upstream
// pkg/controller/statefulset/stateful_set_control.go).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/rollout.h"
#include "controllers/rows.h"
#include "controllers/stateful.h"

namespace coracle::controllers {

namespace {

constexpr size_t kCallsMax = 500;  // upstream MaxBatchSize

bool is_member(const api::Object& set, const api::Object& pod) {
  return ordinal_of(set.name(), pod.name()) >= 0;
}

}  // namespace

int64_t ordinal_of(std::string_view set, std::string_view pod) {
  if (pod.size() <= set.size() + 1 || !pod.starts_with(set) || pod[set.size()] != '-') return -1;
  const auto number = parse_unsigned(pod.substr(set.size() + 1));
  return number && *number <= INT32_MAX ? static_cast<int64_t>(*number) : -1;
}

Stateful::Stateful(const Now& now, Parsed set)
    : now_(now),
      set_(std::move(set)),
      revisions_(now, set_, plan_) {}

api::Plan Stateful::plan() {
  const auto selector = api::LabelSelector::from_object(spec()["selector"]);
  pods_ = claim(now_.state, api::kPod, set_, selector, plan_, is_member);
  if (!plan_.calls.empty()) return std::move(plan_);
  if (!set_.ref->deleting() && !revisions_.settle(plan_)) return std::move(plan_);
  sort_pods();
  plan_.slow_start = true;
  if (!set_.ref->deleting()) act();
  write_status();
  return std::move(plan_);
}

const Parsed& Stateful::current() const {
  const Parsed* named = revisions_.named(set_.node["status"]["currentRevision"].string());
  return named == nullptr ? revisions_.current() : *named;
}

void Stateful::sort_pods() {
  // Bounded by what one plan can act upon: beyond it ordinals are not even looked at.
  const int64_t looked_at =
      std::min<int64_t>(wanted(), static_cast<int64_t>(pods_.size() + kCallsMax));
  for (int64_t i = 0; i < looked_at; ++i)
    replicas_.push_back({start() + i, nullptr});
  for (const Parsed& pod : pods_) {
    const int64_t ordinal = ordinal_of(set_.ref->name(), pod.ref->name());
    if (ordinal < 0) continue;
    if (ordinal >= start() && ordinal < start() + looked_at)
      replicas_[static_cast<size_t>(ordinal - start())].pod = &pod;
    else if (ordinal < start() || ordinal >= start() + wanted())
      condemned_.push_back({ordinal, &pod});
  }
  std::sort(condemned_.begin(), condemned_.end(),
            [](const Replica& a, const Replica& b) { return a.ordinal > b.ordinal; });
}

void Stateful::act() {
  keep_claims();
  if (!plan_.calls.empty()) return;
  for (const Replica& replica : replicas_) {
    if (plan_.calls.size() >= kCallsMax) return;
    if (keep(replica) == Step::kWait && !is_parallel()) return;
  }
  condemn();
  if (plan_.calls.empty() && spec()["updateStrategy"]["type"].string() != "OnDelete") update();
  if (!plan_.calls.empty()) return;
  std::vector<std::string_view> used{current().ref->name()};
  for (const Parsed& pod : pods_)
    used.push_back(revision_of(pod));
  revisions_.truncate(spec()["revisionHistoryLimit"].integer(10), used, plan_);
}

bool Stateful::is_healthy(const Parsed& pod) const {
  return !pod.ref->deleting() && pod.node["status"]["phase"].string() == "Running" &&
         is_available(pod.node, spec()["minReadySeconds"].integer(), now_.wall);
}

Stateful::Step Stateful::keep(const Replica& replica) {
  if (replica.pod == nullptr) {
    create(replica.ordinal);
    return Step::kWait;
  }
  const Parsed& pod = *replica.pod;
  if (has_ended(pod.node)) {
    if (!pod.ref->deleting()) remove(pod);
    return Step::kWait;
  }
  const bool pending = pod.node["status"]["phase"].string() == "Pending";
  if (pending && create_claims(std::string(pod.ref->name()))) return Step::kWait;
  if (!is_healthy(pod)) return Step::kWait;
  return fix_identity(pod) ? Step::kWait : Step::kNext;
}

const Parsed* Stateful::first_unhealthy() const {
  for (const Replica& replica : replicas_) {
    if (replica.pod != nullptr && !is_healthy(*replica.pod)) return replica.pod;
  }
  for (auto it = condemned_.rbegin(); it != condemned_.rend(); ++it) {
    if (!is_healthy(*it->pod)) return it->pod;
  }
  return nullptr;
}

void Stateful::condemn() {
  for (const Replica& replica : condemned_) {
    if (plan_.calls.size() >= kCallsMax) return;
    if (drop(replica) == Step::kWait && !is_parallel()) return;
  }
}

// In order, from the highest on, and only while all below are well: an unhealthy one may go, but
// not before a lower one that is unhealthy too.
Stateful::Step Stateful::drop(const Replica& replica) {
  if (replica.pod->ref->deleting()) return Step::kWait;
  if (!is_parallel() && !is_healthy(*replica.pod) && replica.pod != first_unhealthy())
    return Step::kWait;
  remove(*replica.pod);
  return Step::kWait;
}

// From the highest ordinal down to the partition, as many at a time as may be unavailable.
void Stateful::update() {
  const json::Node limit = spec()["updateStrategy"]["rollingUpdate"]["maxUnavailable"];
  const int64_t most = limit ? std::max<int64_t>(1, resolve_share(limit, wanted(), true, 0)) : 1;
  int64_t unavailable = std::count_if(replicas_.begin(), replicas_.end(), [&](const Replica& r) {
    return r.pod == nullptr || !is_healthy(*r.pod);
  });
  for (auto i = static_cast<int64_t>(replicas_.size()) - 1; i >= partition(); --i) {
    const Parsed* pod = replicas_[static_cast<size_t>(i)].pod;
    if (pod == nullptr || pod->ref->deleting() || revision_of(*pod) == revisions_.current_name())
      continue;
    if (is_healthy(*pod) && unavailable++ >= most) return;
    remove(*pod);
  }
}

void Stateful::count_into(json::Node status) const {
  const bool known = !set_.ref->deleting();
  int64_t replicas = 0;
  int64_t ready = 0;
  int64_t available = 0;
  int64_t now_current = 0;
  int64_t updated = 0;
  const int64_t min_ready = spec()["minReadySeconds"].integer();
  for (const Parsed& pod : pods_) {
    if (ordinal_of(set_.ref->name(), pod.ref->name()) < 0) continue;
    ++replicas;
    if (pod.node["status"]["phase"].string() == "Running" && is_ready(pod.node)) {
      ++ready;
      available += is_available(pod.node, min_ready, now_.wall) ? 1 : 0;
    }
    if (pod.ref->deleting() || !known) continue;
    now_current += revision_of(pod) == current().ref->name() ? 1 : 0;
    updated += revision_of(pod) == revisions_.current_name() ? 1 : 0;
  }
  status.set("observedGeneration", set_.node["metadata"]["generation"].integer());
  status.set("replicas", replicas);
  set_or_drop(status, "readyReplicas", ready);
  status.set("availableReplicas", available);
  if (!known) return;
  const bool rolled = spec()["updateStrategy"]["type"].string() != "OnDelete" &&
                      updated == wanted() && ready == wanted() && replicas == wanted();
  set_or_drop(status, "currentReplicas", rolled ? updated : now_current);
  set_or_drop(status, "updatedReplicas", updated);
  status.set("currentRevision", rolled ? revisions_.current_name() : current().ref->name());
  status.set("updateRevision", revisions_.current_name());
  if (!status["collisionCount"]) status.set("collisionCount", 0);
}

void Stateful::write_status() {
  const Parsed next = parse(set_.ref);
  const json::Node status = next.node.object("status");
  count_into(status);
  const int64_t min_ready = spec()["minReadySeconds"].integer();
  for (const Parsed& pod : pods_) {
    if (!is_ready(pod.node) || is_available(pod.node, min_ready, now_.wall)) continue;
    const Duration wait = ready_since(pod.node) + seconds(min_ready) - now_.wall + milliseconds(10);
    plan_.again_after = std::min(plan_.again_after.value_or(wait), wait);
  }
  if (json::equal(status, set_.node["status"])) return;
  // First: what is refused below must not keep it from being written.
  plan_.calls.insert(plan_.calls.begin(), update_call(next, api::Subresource::kStatus));
  for (api::Note& note : plan_.notes)
    if (note.call) ++*note.call;
}

namespace {

Result<api::Plan> plan_statefulset(const Now& now, const api::Key& key) {
  const api::ObjectRef object = now.state.get(api::kStatefulSet, key.ns, key.name);
  if (!object) return api::Plan{};
  return Stateful(now, parse(object)).plan();
}

constexpr Watch kWatches[] = {
    {&api::kStatefulSet, wake_itself},
    {&api::kPod, wake_controller<api::kStatefulSet>},
    {&api::kPod, wake_adopters<api::kStatefulSet>},
    {&api::kControllerRevision, wake_controller<api::kStatefulSet>},
    {&api::kControllerRevision, wake_adopters<api::kStatefulSet>},
};

}  // namespace

const Controller kStatefulSetController{"statefulset-controller", kWatches, plan_statefulset,
                                        nullptr};

}  // namespace coracle::controllers
