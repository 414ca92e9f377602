// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/scheduler.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "scheduler/choose.h"

namespace coracle::scheduler {

namespace {

constexpr size_t kPodsPerTurn = 256;
constexpr Duration kFirstBackoff =
    seconds(1);  // upstream podInitialBackoffSeconds, podMaxBackoffSeconds
constexpr Duration kLastBackoff = seconds(10);
constexpr std::string_view kSchedulerName = "default-scheduler";

bool has_ended(json::Node pod) {
  const std::string_view phase = pod["status"]["phase"].string();
  return phase == "Succeeded" || phase == "Failed";
}

json::Node scheduled_condition(json::Node pod) {
  for (const json::Node condition : pod["status"]["conditions"]) {
    if (condition["type"].string() == "PodScheduled") return condition;
  }
  return {};
}

// What a pod asks for: its spec and the labels that others may select.
uint32_t spec_checksum(json::Node pod) {
  return crc32c(json::write(pod["metadata"]["labels"]), crc32c(json::write(pod["spec"])));
}

// A change of a node that can let a pod in: anything but its heartbeat.
bool same_offer(const NodeOffer& a, const NodeOffer& b) {
  const auto same_taint = [](const Taint& x, const Taint& y) {
    return x.key == y.key && x.value == y.value && x.effect == y.effect;
  };
  return a.allocatable.cpu == b.allocatable.cpu && a.allocatable.memory == b.allocatable.memory &&
         a.allocatable.storage == b.allocatable.storage &&
         a.allocatable.extended == b.allocatable.extended && a.pods_max == b.pods_max &&
         a.labels == b.labels && a.unschedulable == b.unschedulable &&
         std::equal(a.taints.begin(), a.taints.end(), b.taints.begin(), b.taints.end(), same_taint);
}

}  // namespace

Scheduler::Scheduler(api::Client& client, port::Clock& clock, port::Random& random)
    : client_(client),
      clock_(clock),
      timer_(clock.timer(*this)),
      events_(client, clock, random, {std::string(kSchedulerName), {}}) {}

Scheduler::~Scheduler() {
  stop();
}

void Scheduler::start() {
  if (started_) return;
  started_ = true;
  client_.subscribe(*this);
  api::for_each(client_.state(), api::kNode, {}, [this](const api::ObjectRef& node) {
    see_node({api::ChangeType::kAdded, node->version(), {}, node});
  });
  api::for_each(client_.state(), api::kPod, {},
                [this](const api::ObjectRef& pod) { see_pod(*pod, false); });
}

void Scheduler::stop() {
  if (!started_) return;
  started_ = false;
  client_.unsubscribe(*this);
  client_.forget(*this);
  clock_.cancel_turn_end(*this);
  timer_->disarm();
  nodes_.clear();
  placed_.clear();
  queue_.clear();
  queued_.clear();
  stuck_.clear();
  bindings_.clear();
}

void Scheduler::on_change(const api::Change& change) {
  if (&change.after->kind() == &api::kNode)
    see_node(change);
  else if (&change.after->kind() == &api::kPod)
    see_pod(*change.after, change.type == api::ChangeType::kDeleted);
}

void Scheduler::see_node(const api::Change& change) {
  const std::string name(change.after->name());
  if (change.type == api::ChangeType::kDeleted) {
    nodes_.erase(name);
    return;
  }
  json::Tree tree;
  NodeOffer offer = read_offer(change.after->parse(tree));
  NodeOffer& known = nodes_[name];
  if (!known.name.empty() && same_offer(known, offer)) return;
  const bool is_new = known.name.empty();
  offer.used = std::move(known.used);
  offer.scored = std::move(known.scored);
  offer.pods = known.pods;
  offer.ports = std::move(known.ports);
  known = std::move(offer);
  if (is_new) {
    // Pods bound to a node that was not known yet count from now on.
    for (const auto& [pod, placed] : placed_) {
      if (placed.node != name) continue;
      known.used.add(placed.needs.requests);
      known.scored.add(placed.needs.scored);
      known.ports.insert(known.ports.end(), placed.needs.ports.begin(), placed.needs.ports.end());
      ++known.pods;
    }
  }
  help();
}

void Scheduler::see_pod(const api::Object& object, bool deleted) {
  const PodName name{std::string(object.ns()), std::string(object.name())};
  json::Tree tree;
  const json::Node pod = object.parse(tree);
  const std::string node(pod["spec"]["nodeName"].string());
  if (deleted || has_ended(pod)) {
    release(name);
    dequeue(name);
    stuck_.erase(name);
    return;
  }
  if (!node.empty()) {
    dequeue(name);
    stuck_.erase(name);
    const auto known = placed_.find(name);
    if (known == placed_.end() || known->second.node != node) place(name, node, read_needs(pod));
    return;
  }
  const bool ours = pod["spec"]["schedulerName"].string(kSchedulerName) == kSchedulerName;
  const bool gated = pod["spec"]["schedulingGates"].size() > 0;
  if (!ours || gated || object.deleting() || placed_.contains(name)) return;
  // A pod that waits for the cluster to change is looked at again only when it asks for less.
  if (const auto stuck = stuck_.find(name); stuck != stuck_.end()) {
    if (stuck->second.spec == spec_checksum(pod)) return;
    stuck_.erase(stuck);
  }
  enqueue(name, pod);
}

void Scheduler::place(const PodName& pod, const std::string& node, PodNeeds needs) {
  release(pod);
  if (const auto at = nodes_.find(node); at != nodes_.end()) {
    at->second.used.add(needs.requests);
    at->second.scored.add(needs.scored);
    at->second.ports.insert(at->second.ports.end(), needs.ports.begin(), needs.ports.end());
    ++at->second.pods;
  }
  placed_[pod] = {node, std::move(needs)};
}

void Scheduler::release(const PodName& pod) {
  const auto placed = placed_.find(pod);
  if (placed == placed_.end()) return;
  if (const auto at = nodes_.find(placed->second.node); at != nodes_.end()) {
    NodeOffer& node = at->second;
    node.used.subtract(placed->second.needs.requests);
    node.scored.subtract(placed->second.needs.scored);
    --node.pods;
    for (const HostPort& port : placed->second.needs.ports) {
      const auto taken = std::find_if(node.ports.begin(), node.ports.end(), [&](const HostPort& p) {
        return p.port == port.port && p.protocol == port.protocol && p.address == port.address;
      });
      if (taken != node.ports.end()) node.ports.erase(taken);
    }
  }
  placed_.erase(placed);
  help();
}

void Scheduler::help() {
  ++helps_;
  if (stuck_.empty()) return;
  retry_due_ = true;
  clock_.at_turn_end(*this);
}

void Scheduler::enqueue(const PodName& name, json::Node pod) {
  dequeue(name);
  Waiting waiting{pod["spec"]["priority"].integer(),
                  std::string(pod["metadata"]["creationTimestamp"].string()), name};
  queue_.insert(waiting);
  queued_[name] = std::move(waiting);
  clock_.at_turn_end(*this);
}

void Scheduler::dequeue(const PodName& name) {
  const auto queued = queued_.find(name);
  if (queued == queued_.end()) return;
  queue_.erase(queued->second);
  queued_.erase(queued);
}

void Scheduler::on_turn_end() {
  if (retry_due_) retry_stuck();
  for (size_t i = 0; i < kPodsPerTurn && !queue_.empty(); ++i) {
    const Waiting next = *queue_.begin();
    dequeue(next.pod);
    schedule(next);
  }
  if (!queue_.empty()) clock_.at_turn_end(*this);
}

void Scheduler::on_alarm(port::Timer&) {
  retry_due_ = true;
  clock_.at_turn_end(*this);
}

// Stuck pods get another try if something helped since the last one, no sooner than their back-off
// allows.
void Scheduler::retry_stuck() {
  retry_due_ = false;
  Mono next{INT64_MAX};
  for (const auto& [name, stuck] : stuck_) {
    if (stuck.helps_seen == helps_ || placed_.contains(name)) continue;
    if (stuck.not_before > clock_.now()) {
      next = std::min(next, stuck.not_before);
      continue;
    }
    const api::ObjectRef object = client_.state().get(api::kPod, name.ns, name.name);
    if (!object) continue;
    json::Tree tree;
    enqueue(name, object->parse(tree));
  }
  if (next.ns != INT64_MAX) timer_->arm(next);
}

void Scheduler::schedule(const Waiting& next) {
  const api::ObjectRef object = client_.state().get(api::kPod, next.pod.ns, next.pod.name);
  if (!object || object->deleting()) return;
  json::Tree tree;
  const json::Node pod = object->parse(tree);
  if (!pod["spec"]["nodeName"].string().empty()) return;
  PodNeeds needs = read_needs(pod);
  std::vector<const NodeOffer*> offers;
  offers.reserve(nodes_.size());
  for (const auto& [name, offer] : nodes_)
    offers.push_back(&offer);
  const Choice choice = choose(needs, offers);
  if (choice.node.empty())
    report_stuck(next.pod, object, pod, choice.message);
  else
    bind(next.pod, object, std::move(needs), choice.node);
}

void Scheduler::bind(const PodName& pod,
                     const api::ObjectRef& object,
                     PodNeeds needs,
                     const std::string& node) {
  place(pod, node, std::move(needs));  // counts at once: the next pod sees it
  json::Tree tree;
  const json::Node binding = tree.make_object();
  binding.set("kind", "Binding");
  binding.set("apiVersion", "v1");
  binding.object("metadata").set("name", pod.name);
  binding["metadata"].set("namespace", pod.ns);
  binding["metadata"].set("uid", object->uid());
  binding.object("target").set("kind", "Node");
  binding["target"].set("name", node);
  api::Call call;
  call.subresource = api::Subresource::kBinding;
  call.key = {&api::kPod, pod.ns, pod.name};
  call.body = json::write(binding);
  call.expected_uid = std::string(object->uid());
  const uint64_t token = next_token_++;
  bindings_[token] = {pod, object, node};
  client_.submit(std::move(call), *this, token);
}

void Scheduler::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  const auto found = bindings_.find(token);
  if (found == bindings_.end()) {
    if (!answer && answer.error().code != Code::kConflict &&
        answer.error().code != Code::kNotFound) {
      LOG(kWarn, "scheduler: status not written", kv("error", answer.error().message));
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
  release(binding.pod);
  const api::ObjectRef object = client_.state().get(api::kPod, binding.pod.ns, binding.pod.name);
  if (!object || object->uid() != binding.object->uid()) return;
  json::Tree tree;
  const json::Node pod = object->parse(tree);
  if (!pod["spec"]["nodeName"].string().empty()) return see_pod(*object, false);
  Stuck& stuck = back_off(binding.pod, pod);
  stuck.helps_seen = 0;
  retry_due_ = true;
  clock_.at_turn_end(*this);
  if (error.code == Code::kConflict || error.code == Code::kNotFound) return;
  const std::string message = "binding rejected: " + error.message;
  events_.warning(*object, "FailedScheduling", message);
  set_condition(binding.pod, object, "SchedulerError", message);
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

void Scheduler::report_stuck(const PodName& name,
                             const api::ObjectRef& object,
                             json::Node pod,
                             const std::string& message) {
  back_off(name, pod);
  events_.warning(*object, "FailedScheduling", message);
  const json::Node before = scheduled_condition(pod);
  if (before["status"].string() == "False" && before["message"].string() == message) return;
  set_condition(name, object, "Unschedulable", message);
}

void Scheduler::set_condition(const PodName& name,
                              const api::ObjectRef& object,
                              std::string_view reason,
                              const std::string& message) {
  json::Tree pod_tree;
  const json::Node before = scheduled_condition(object->parse(pod_tree));
  json::Tree tree;
  const json::Node condition =
      tree.make_object().object("status").array("conditions").append_object();
  condition.set("type", "PodScheduled");
  condition.set("status", "False");
  condition.set("reason", reason);
  condition.set("message", message);
  const bool moved = before["status"].string() != "False";
  condition.set("lastTransitionTime", moved ? rfc3339(clock_.wall())
                                            : std::string(before["lastTransitionTime"].string()));
  api::Call call;
  call.verb = api::CallVerb::kStrategicMergePatch;
  call.subresource = api::Subresource::kStatus;
  call.key = {&api::kPod, name.ns, name.name};
  call.body = json::write(tree.root());
  call.expected_uid = std::string(object->uid());
  client_.submit(std::move(call), *this, next_token_++);
}

}  // namespace coracle::scheduler
