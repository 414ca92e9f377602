// SPDX-License-Identifier: GPL-2.0-or-later
// One try to place one pod, and what comes of it.
#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "scheduler/scheduler.h"

namespace coracle::scheduler {

namespace {

constexpr Duration kFirstBackoff =
    seconds(1);  // upstream podInitialBackoffSeconds, podMaxBackoffSeconds
constexpr Duration kLastBackoff = seconds(10);

json::Node find_condition(json::Node pod, std::string_view type) {
  for (const json::Node condition : pod["status"]["conditions"]) {
    if (condition["type"].string() == type) return condition;
  }
  return {};
}

uint32_t spec_checksum(json::Node pod) {
  return crc32c(json::write(pod["metadata"]["labels"]), crc32c(json::write(pod["spec"])));
}

json::Node add_condition(json::Node status, std::string_view type, std::string_view value) {
  const json::Node condition = status.array("conditions").append_object();
  condition.set("type", type);
  condition.set("status", value);
  return condition;
}

}  // namespace

void Scheduler::schedule(const Waiting& next) {
  const api::ObjectRef object = client_.state().get(api::kPod, next.pod.ns, next.pod.name);
  if (!object || object->deleting()) return;
  json::Tree tree;
  const json::Node pod = object->parse(tree);
  if (!pod["spec"]["nodeName"].string().empty()) return;
  const Attempt attempt{next.pod, object, pod, board_.shape_of(pod)};
  board_.tidy();
  const std::vector<PodName> guests = seat_nominees(attempt);
  const Choice choice = choose(board_, attempt.shape, start_, profile_of(pod));
  if (!board_.nodes().empty()) start_ = (start_ + choice.looked_at) % board_.nodes().size();
  if (choice.node == nullptr)
    fail(attempt, choice);
  else
    place(attempt, std::string(choice.node->offer.name));
  for (const PodName& name : guests)
    board_.release(name);
}

// Room that others were made to leave for a pod at least as important is not given to this one.
std::vector<PodName> Scheduler::seat_nominees(const Attempt& attempt) {
  std::vector<PodName> guests;
  for (const auto& [name, nominee] : nominees_) {
    if (name == attempt.name || board_.placed(name) != nullptr ||
        nominee.shape->needs.priority < attempt.shape.needs.priority)
      continue;
    board_.place({name, nominee.node, nominee.shape, {}, false});
    guests.push_back(name);
  }
  return guests;
}

void Scheduler::place(const Attempt& attempt, const std::string& node) {
  const bool ready =
      attempt.shape.needs.claims.empty() || prepare_volumes(attempt, *board_.node(node));
  // Counts at once: the next pod sees it.
  board_.place({attempt.name, node, &attempt.shape, rfc3339(clock_.wall()), false});
  help(kPodPlaced);
  if (ready) bind(attempt.name, attempt.object, node);
}

void Scheduler::bind(const PodName& name, const api::ObjectRef& object, const std::string& node) {
  json::Tree tree;
  const json::Node binding = tree.make_object();
  binding.set("kind", "Binding");
  binding.set("apiVersion", "v1");
  binding.object("metadata").set("name", name.name);
  binding["metadata"].set("namespace", name.ns);
  binding["metadata"].set("uid", object->uid());
  binding.object("target").set("kind", "Node");
  binding["target"].set("name", node);
  api::Call call;
  call.subresource = api::Subresource::kBinding;
  call.key = {&api::kPod, name.ns, name.name};
  call.body = json::write(binding);
  call.expected_uid = std::string(object->uid());
  const uint64_t token = next_token_++;
  bindings_[token] = {name, object, node};
  client_.submit(std::move(call), *this, token);
}

void Scheduler::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  if (on_volume_answer(token, answer)) return;
  const auto found = bindings_.find(token);
  if (found == bindings_.end()) {
    if (!answer && answer.error().code != Code::kConflict &&
        answer.error().code != Code::kNotFound) {
      LOG(kWarn, "scheduler: call refused", kv("error", answer.error().message));
    }
    return;
  }
  const Binding binding = std::move(found->second);
  bindings_.erase(found);
  if (answer) {
    events_.normal(*binding.object, "Scheduled",
                   join({"Successfully assigned ", binding.pod.ns, "/", binding.pod.name, " to ",
                         binding.node}));
    return;
  }
  LOG(kWarn, "scheduler: binding refused", kv("pod", binding.pod.name),
      kv("error", answer.error().message));
  report_refused(binding, answer.error());
}

// Somebody else may have bound it meanwhile; then that change counts it again. Otherwise it is
// tried again after a back-off, whether something helps or not.
void Scheduler::report_refused(const Binding& binding, const Error& error) {
  if (board_.release(binding.pod)) help(kPodGone);
  const api::ObjectRef object = client_.state().get(api::kPod, binding.pod.ns, binding.pod.name);
  if (!object || object->uid() != binding.object->uid()) return;
  json::Tree tree;
  const json::Node pod = object->parse(tree);
  if (!pod["spec"]["nodeName"].string().empty()) return;
  Stuck& stuck = back_off(binding.pod, pod);
  stuck.helped_by = kAnyHelp;
  if (!timer_->armed()) timer_->arm(stuck.not_before);
  if (error.code == Code::kConflict || error.code == Code::kNotFound) return;
  const std::string message = "binding rejected: " + error.message;
  events_.warning(*object, "FailedScheduling", message);
  set_condition(
      binding.pod, object,
      {"SchedulerError", message, std::string(pod["status"]["nominatedNodeName"].string())});
}

Scheduler::Stuck& Scheduler::back_off(const PodName& name, json::Node pod) {
  Stuck& stuck = stuck_[name];
  const int64_t doublings = std::min<int64_t>(stuck.attempts++, 4);
  stuck.not_before =
      clock_.now() + std::min(kLastBackoff, kFirstBackoff * (int64_t{1} << doublings));
  stuck.helps_seen = helps_;
  stuck.spec = spec_checksum(pod);
  return stuck;
}

void Scheduler::fail(const Attempt& attempt, const Choice& choice) {
  Stuck& stuck = back_off(attempt.name, attempt.pod);
  stuck.helped_by = choice.helped_by;
  Verdict verdict{"Unschedulable", choice.message, {}};
  if (board_.nodes().empty()) {
    dismiss(attempt.name);
  } else if (awaits_victims(attempt)) {
    verdict.node = nominees_.find(attempt.name)->second.node;
    verdict.message += " preemption: not eligible due to a terminating pod on the nominated node.";
  } else {
    const std::vector<Budget> budgets = read_budgets(client_.state());
    const Preemption preemption = find_victims(board_, attempt.shape, choice, budgets, next_token_);
    verdict.node = preemption.node;
    if (preemption.node.empty()) {
      dismiss(attempt.name);
      verdict.message += " " + preemption.message;
    } else {
      evict(attempt, preemption);
      stuck.helped_by |= kPodGone;
    }
  }
  wanted_ |= stuck.helped_by;
  events_.warning(*attempt.object, "FailedScheduling", verdict.message);
  const json::Node before = find_condition(attempt.pod, "PodScheduled");
  if (before["status"].string() == "False" && before["message"].string() == verdict.message &&
      attempt.pod["status"]["nominatedNodeName"].string() == verdict.node)
    return;
  set_condition(attempt.name, attempt.object, verdict);
}

// Its victims are still on their way out: more of them would not help.
bool Scheduler::awaits_victims(const Attempt& attempt) const {
  const auto nominee = nominees_.find(attempt.name);
  if (nominee == nominees_.end()) return false;
  const BoardNode* node = board_.node(nominee->second.node);
  return node != nullptr &&
         std::any_of(node->pods.begin(), node->pods.end(), [&](const Placed* pod) {
           return pod->deleting && pod->shape->needs.priority < attempt.shape.needs.priority;
         });
}

void Scheduler::evict(const Attempt& attempt, const Preemption& preemption) {
  LOG(kInfo, "scheduler: preempting", kv("pod", attempt.name.name), kv("node", preemption.node),
      kv("victims", preemption.victims.size()));
  nominate(attempt.name, attempt.shape, preemption.node);
  for (const PodName& victim : preemption.victims)
    evict_one(attempt, victim, preemption.node);
  // Less important pods that waited for the same room look elsewhere.
  std::vector<PodName> outdone;
  for (const auto& [name, nominee] : nominees_) {
    if (nominee.node == preemption.node &&
        nominee.shape->needs.priority < attempt.shape.needs.priority)
      outdone.push_back(name);
  }
  for (const PodName& name : outdone)
    withdraw(name);
}

void Scheduler::evict_one(const Attempt& attempt, const PodName& victim, const std::string& node) {
  const api::ObjectRef object = client_.state().get(api::kPod, victim.ns, victim.name);
  if (!object || object->deleting()) return;
  json::Tree tree;
  const json::Node status = tree.make_object();
  const json::Node condition = add_condition(status, "DisruptionTarget", "True");
  condition.set("reason", "PreemptionByScheduler");
  condition.set("message", "default-scheduler: preempting to accommodate a higher priority pod");
  condition.set("lastTransitionTime", rfc3339(clock_.wall()));
  patch_status(victim, object, status);
  api::Call call;
  call.verb = api::CallVerb::kDelete;
  call.key = {&api::kPod, victim.ns, victim.name};
  call.expected_uid = std::string(object->uid());
  client_.submit(std::move(call), *this, next_token_++);
  events_.normal(*object, "Preempted",
                 join({"Preempted by pod ", attempt.object->uid(), " on node ", node}));
}

void Scheduler::withdraw(const PodName& name) {
  dismiss(name);
  const api::ObjectRef object = client_.state().get(api::kPod, name.ns, name.name);
  if (!object) return;
  json::Tree tree;
  const json::Node status = tree.make_object();
  status.set_null("nominatedNodeName");
  patch_status(name, object, status);
  if (const auto stuck = stuck_.find(name); stuck != stuck_.end()) {
    stuck->second.helped_by = kAnyHelp;
    if (!timer_->armed()) timer_->arm(stuck->second.not_before);
  }
}

void Scheduler::set_condition(const PodName& name,
                              const api::ObjectRef& object,
                              const Verdict& verdict) {
  json::Tree pod_tree;
  const json::Node pod = object->parse(pod_tree);
  const json::Node before = find_condition(pod, "PodScheduled");
  json::Tree tree;
  const json::Node status = tree.make_object();
  const json::Node condition = add_condition(status, "PodScheduled", "False");
  condition.set("reason", verdict.reason);
  condition.set("message", verdict.message);
  const bool moved = before["status"].string() != "False";
  condition.set("lastTransitionTime", moved ? rfc3339(clock_.wall())
                                            : std::string(before["lastTransitionTime"].string()));
  if (!verdict.node.empty())
    status.set("nominatedNodeName", verdict.node);
  else if (!pod["status"]["nominatedNodeName"].string().empty())
    status.set_null("nominatedNodeName");
  patch_status(name, object, status);
}

void Scheduler::patch_status(const PodName& name, const api::ObjectRef& object, json::Node status) {
  json::Tree tree;
  tree.make_object().set("status", status);
  api::Call call;
  call.verb = api::CallVerb::kStrategicMergePatch;
  call.subresource = api::Subresource::kStatus;
  call.key = {&api::kPod, name.ns, name.name};
  call.body = json::write(tree.root());
  call.expected_uid = std::string(object->uid());
  client_.submit(std::move(call), *this, next_token_++);
}

}  // namespace coracle::scheduler
