// SPDX-License-Identifier: GPL-2.0-or-later
// What the scheduler sees and who waits for what; attempt.cc holds what it does.
#include "scheduler/scheduler.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::scheduler {

namespace {

constexpr size_t kPodsPerTurn = 256;
constexpr std::string_view kSchedulerName = "default-scheduler";

bool has_ended(json::Node pod) {
  const std::string_view phase = pod["status"]["phase"].string();
  return phase == "Succeeded" || phase == "Failed";
}

// What a pod asks for: its spec and the labels that others may select.
uint32_t spec_checksum(json::Node pod) {
  return crc32c(json::write(pod["metadata"]["labels"]), crc32c(json::write(pod["spec"])));
}

bool has_more(const Amounts& now, const Amounts& before) {
  if (now.cpu > before.cpu || now.memory > before.memory || now.storage > before.storage)
    return true;
  return now.extended != before.extended;
}

// How a change of a node may let a pod in; a heartbeat does not.
uint32_t help_of(const NodeOffer& before, const NodeOffer& now) {
  const auto same_taint = [](const Taint& x, const Taint& y) {
    return x.key == y.key && x.value == y.value && x.effect == y.effect;
  };
  uint32_t help = 0;
  if (has_more(now.allocatable, before.allocatable) || now.pods_max > before.pods_max)
    help |= kNodeRoom;
  if (now.labels != before.labels) help |= kNodeLabels;
  if (now.unschedulable != before.unschedulable ||
      !std::equal(now.taints.begin(), now.taints.end(), before.taints.begin(), before.taints.end(),
                  same_taint))
    help |= kNodeTaints;
  return help;
}

bool is_same(const Amounts& a, const Amounts& b) {
  return a.cpu == b.cpu && a.memory == b.memory && a.storage == b.storage &&
         a.extended == b.extended;
}

bool is_same(const NodeOffer& a, const NodeOffer& b) {
  return help_of(a, b) == 0 && is_same(a.allocatable, b.allocatable) && a.pods_max == b.pods_max &&
         a.images == b.images;
}

std::string start_of(json::Node pod) {
  const std::string_view started = pod["status"]["startTime"].string();
  return std::string(started.empty() ? pod["metadata"]["creationTimestamp"].string() : started);
}

}  // namespace

Scheduler::Scheduler(api::Client& client, port::Clock& clock, port::Random& random)
    : client_(client),
      clock_(clock),
      timer_(clock.timer(*this)),
      volume_timer_(clock.timer(*this)),
      events_(client, clock, random, {std::string(kSchedulerName), {}}),
      board_(&client.state()) {}

Scheduler::~Scheduler() {
  stop();
}

void Scheduler::add_profile(Profile profile) {
  for (Profile& known : profiles_) {
    if (known.name != profile.name) continue;
    known = std::move(profile);
    return;
  }
  profiles_.push_back(std::move(profile));
}

const Profile* Scheduler::profile_of(json::Node pod) const {
  const std::string_view name = pod["spec"]["schedulerName"].string(kSchedulerName);
  for (const Profile& profile : profiles_) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
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
  volume_timer_->disarm();
  preparing_.clear();
  volume_calls_.clear();
  queue_.clear();
  queued_.clear();
  stuck_.clear();
  nominees_.clear();
  bindings_.clear();
  board_.clear();
  wanted_ = 0;
}

void Scheduler::on_change(const api::Change& change) {
  const api::Kind* kind = &change.after->kind();
  if (kind == &api::kNode)
    see_node(change);
  else if (kind == &api::kPod)
    see_pod(*change.after, change.type == api::ChangeType::kDeleted);
  else if (kind == &api::kNamespace)
    help(kOther);
  else if (kind == &api::kPersistentVolumeClaim)
    see_claim(*change.after);
  else if (kind == &api::kPersistentVolume || kind == &api::kStorageClass)
    help(kVolumes);
}

void Scheduler::see_node(const api::Change& change) {
  const std::string name(change.after->name());
  if (change.type == api::ChangeType::kDeleted) {
    board_.remove_node(name);
    return;
  }
  json::Tree tree;
  NodeOffer offer = read_offer(change.after->parse(tree));
  const BoardNode* known = board_.node(name);
  if (known != nullptr && is_same(known->offer, offer)) return;
  const uint32_t by = known == nullptr ? uint32_t{kNodeAdded} : help_of(known->offer, offer);
  board_.set_node(std::move(offer));
  if (by != 0) help(by);
}

void Scheduler::forget(const PodName& name) {
  if (board_.release(name)) help(kPodGone);
  dequeue(name);
  preparing_.erase(name);
  stuck_.erase(name);
  dismiss(name);
}

void Scheduler::see_pod(const api::Object& object, bool deleted) {
  const PodName name{std::string(object.ns()), std::string(object.name())};
  json::Tree tree;
  const json::Node pod = object.parse(tree);
  if (deleted || has_ended(pod)) return forget(name);
  if (!pod["spec"]["nodeName"].string().empty()) return see_placed(name, pod, object.deleting());
  const bool ours = profile_of(pod) != nullptr;
  const bool gated = pod["spec"]["schedulingGates"].size() > 0;
  if (object.deleting()) dismiss(name);
  if (!ours || gated || object.deleting() || board_.placed(name) != nullptr) return;
  // A pod that waits for the cluster to change is looked at again only when it asks for less.
  if (const auto stuck = stuck_.find(name); stuck != stuck_.end()) {
    if (stuck->second.spec == spec_checksum(pod)) return;
    stuck_.erase(stuck);
  } else if (const std::string_view node = pod["status"]["nominatedNodeName"].string();
             !node.empty()) {
    nominate(name, board_.shape_of(pod), node);  // by an earlier leader
  }
  enqueue(name, pod);
}

void Scheduler::see_placed(const PodName& name, json::Node pod, bool deleting) {
  dequeue(name);
  preparing_.erase(name);
  stuck_.erase(name);
  dismiss(name);
  const std::string node(pod["spec"]["nodeName"].string());
  Shape& shape = board_.shape_of(pod);
  const Placed* known = board_.placed(name);
  if (known != nullptr && known->node == node && known->shape == &shape &&
      known->deleting == deleting)
    return;
  const uint32_t by = known == nullptr ? kPodPlaced : kPodPlaced | kPodRelabelled | kPodGone;
  board_.place({name, node, &shape, start_of(pod), deleting});
  help(by);
}

void Scheduler::nominate(const PodName& pod, Shape& shape, std::string_view node) {
  dismiss(pod);
  ++shape.held;
  nominees_[pod] = {std::string(node), &shape};
}

void Scheduler::dismiss(const PodName& pod) {
  const auto found = nominees_.find(pod);
  if (found == nominees_.end()) return;
  --found->second.shape->held;
  nominees_.erase(found);
}

void Scheduler::help(uint32_t by) {
  ++helps_;
  for (size_t bit = 0; bit < kHelps; ++bit) {
    if ((by >> bit & 1u) != 0) helped_[bit] = helps_;
  }
  if ((by & wanted_) == 0 || stuck_.empty()) return;
  retry_due_ = true;
  clock_.at_turn_end(*this);
}

bool Scheduler::is_helped(const Stuck& stuck) const {
  if (stuck.helped_by == kAnyHelp) return true;
  for (size_t bit = 0; bit < kHelps; ++bit) {
    if ((stuck.helped_by >> bit & 1u) != 0 && helped_[bit] > stuck.helps_seen) return true;
  }
  return false;
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

void Scheduler::on_alarm(port::Timer& timer) {
  if (&timer == volume_timer_.get()) return end_overdue();
  retry_due_ = true;
  clock_.at_turn_end(*this);
}

// Stuck pods get another try if something helped since the last one, no sooner than their back-off
// allows.
void Scheduler::retry_stuck() {
  retry_due_ = false;
  wanted_ = 0;
  Mono next{INT64_MAX};
  for (const auto& [name, stuck] : stuck_) {
    wanted_ |= stuck.helped_by;
    if (!is_helped(stuck) || board_.placed(name) != nullptr) continue;
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

}  // namespace coracle::scheduler
