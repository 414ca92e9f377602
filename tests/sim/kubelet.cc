// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/kubelet.h"

#include <algorithm>

#include "api/claims.h"
#include "base/bytes.h"
#include "tests/sim/house.h"

namespace coracle::sim {
namespace {

constexpr uint64_t kNodeCall = 1;
constexpr uint64_t kLeaseCall = 2;
constexpr uint64_t kVolumeCall = 3;
constexpr Duration kLeaseEvery = seconds(10);
constexpr Duration kRetry = seconds(1);
constexpr Mono kNever{INT64_MAX};

bool is_mine(json::Node pod) {
  return pod["spec"]["nodeName"].string() == kNodeName;
}

bool has_ended(json::Node pod) {
  const std::string_view phase = pod["status"]["phase"].string();
  return phase == "Succeeded" || phase == "Failed";
}

bool ends(json::Node pod) {
  return pod["spec"]["restartPolicy"].string() == "Never";
}

std::string_view ready_of(json::Node object) {
  for (const json::Node condition : object["status"]["conditions"]) {
    if (condition["type"].string() == "Ready") return condition["status"].string();
  }
  return {};
}

std::string condition(std::string_view type, bool value, const std::string& since) {
  return join({R"({"type":")", type, R"(","status":")", value ? "True" : "False",
               R"(","lastTransitionTime":")", since, R"("})"});
}

}  // namespace

Kubelet::Kubelet(port::Clock& clock, uint64_t seed, Findings& findings)
    : clock_(clock),
      dice_(seed),
      findings_(findings),
      timer_(clock.timer(*this)) {}

void Kubelet::attach(api::Client& client) {
  client_ = &client;
  client.subscribe(*this);
  std::map<std::string, std::string> kept;
  api::for_each(client.state(), api::kPod, {}, [&](const api::ObjectRef& pod) {
    const auto found = containers_.find(std::string(pod->uid()));
    if (found != containers_.end()) kept.insert(*found);
    look_later({std::string(pod->ns()), std::string(pod->name())});
  });
  containers_ = std::move(kept);
  node_due_ = clock_.now();
  volumes_due_ = clock_.now();
  lease_due_ = clock_.now() + milliseconds(50);
  set_timer();
}

void Kubelet::detach() {
  if (client_ == nullptr) return;
  client_->unsubscribe(*this);
  client_->forget(*this);
  client_ = nullptr;
  timer_->disarm();
  due_.clear();
  asked_.clear();
}

void Kubelet::set_timer() {
  Mono next = std::min({node_due_, lease_due_, volumes_due_});
  for (const auto& [pod, at] : due_)
    next = std::min(next, at);
  timer_->arm(next);
}

void Kubelet::look_later(const PodName& pod) {
  const Mono at = clock_.now() + milliseconds(static_cast<int64_t>(dice_.between(5, 400)));
  due_.emplace(pod, at);
  set_timer();
}

void Kubelet::on_change(const api::Change& change) {
  const api::Object& object = *change.after;
  if (&object.kind() == &api::kNode && object.name() == kNodeName) {
    node_due_ = std::min(node_due_, clock_.now() + milliseconds(20));
    set_timer();
  }
  if (&object.kind() == &api::kPersistentVolume && object.deleting()) {
    volumes_due_ = std::min(volumes_due_, clock_.now() + milliseconds(30));
    set_timer();
  }
  if (&object.kind() != &api::kPod) return;
  if (change.type == api::ChangeType::kDeleted) {
    containers_.erase(std::string(object.uid()));
    return;
  }
  json::Tree tree;
  const json::Node pod = object.parse(tree);
  if (!is_mine(pod)) return;
  if (has_ended(pod)) containers_.erase(std::string(object.uid()));
  if (!object.deleting() && has_ended(pod)) return;
  if (!object.deleting() && ready_of(pod) == "True" && !ends(pod)) return;
  look_later({std::string(object.ns()), std::string(object.name())});
}

void Kubelet::on_alarm(port::Timer&) {
  if (node_due_ <= clock_.now()) look_at_node();
  if (volumes_due_ <= clock_.now()) look_at_volumes();
  if (lease_due_ <= clock_.now()) renew_lease();
  std::vector<PodName> now;
  for (const auto& [pod, at] : due_) {
    if (at <= clock_.now()) now.push_back(pod);
  }
  for (const PodName& pod : now) {
    due_.erase(pod);
    look_at_pod(pod);
  }
  set_timer();
}

void Kubelet::look_at_pod(const PodName& name) {
  const api::ObjectRef object = client_->state().get(api::kPod, name.first, name.second);
  if (!object) return;
  json::Tree tree;
  const json::Node pod = object->parse(tree);
  if (!is_mine(pod)) return;
  const std::string uid(object->uid());
  if (object->deleting()) {
    containers_.erase(uid);
    api::Call call;
    call.verb = api::CallVerb::kDelete;
    call.key = {&api::kPod, name.first, name.second};
    call.expected_uid = uid;
    call.grace_seconds = 0;
    asked_[next_token_] = name;
    return submit(std::move(call), next_token_++);
  }
  if (has_ended(pod)) {
    containers_.erase(uid);
    return;
  }
  if (ready_of(pod) == "True") {
    if (ends(pod)) end(*object);
    return;
  }
  std::string& address = containers_[uid];
  const bool started = !address.empty();
  if (!started) {
    const uint32_t number = ++next_address_;
    address = join({"10.42.", std::to_string(number / 250), ".", std::to_string(number % 250 + 2)});
  }
  report(*object, started || dice_.chance(50), address);
}

void Kubelet::report(const api::Object& pod, bool ready, const std::string& address) {
  const std::string now = rfc3339(clock_.wall());
  api::Call call;
  call.verb = api::CallVerb::kStrategicMergePatch;
  call.subresource = api::Subresource::kStatus;
  call.key = {&api::kPod, std::string(pod.ns()), std::string(pod.name())};
  call.expected_uid = std::string(pod.uid());
  call.body =
      join({R"({"status":{"phase":"Running","hostIP":"10.0.0.1","podIP":")", address,
            R"(","podIPs":[{"ip":")", address, R"("}],"startTime":")", now, R"(","conditions":[)",
            condition("Initialized", true, now), ",", condition("ContainersReady", ready, now), ",",
            condition("Ready", ready, now), R"(]}})"});
  asked_[next_token_] = {call.key.ns, call.key.name};
  submit(std::move(call), next_token_++);
}

// Most of what is to end does so well.
void Kubelet::end(const api::Object& pod) {
  const bool well = dice_.chance(85);
  const std::string now = rfc3339(clock_.wall());
  api::Call call;
  call.verb = api::CallVerb::kStrategicMergePatch;
  call.subresource = api::Subresource::kStatus;
  call.key = {&api::kPod, std::string(pod.ns()), std::string(pod.name())};
  call.expected_uid = std::string(pod.uid());
  call.body =
      join({R"({"status":{"phase":")", well ? "Succeeded" : "Failed", R"(","conditions":[)",
            condition("ContainersReady", false, now), ",", condition("Ready", false, now),
            R"(],"containerStatuses":[{"name":"c","image":"app:0","imageID":"",)"
            R"("ready":false,"restartCount":0,"state":{"terminated":{"exitCode":)",
            well ? "0" : "1", R"(,"startedAt":")", now, R"(","finishedAt":")", now, R"("}}}]}})"});
  asked_[next_token_] = {call.key.ns, call.key.name};
  submit(std::move(call), next_token_++);
}

// The directory of a volume that is being deleted is removed; then the volume may go.
void Kubelet::look_at_volume(const api::Object& object) {
  json::Tree tree;
  const json::Node volume = object.parse(tree);
  if (!object.deleting() || volume["status"]["phase"].string() == "Bound") return;
  const json::Node finalizers = volume["metadata"]["finalizers"];
  const size_t before = finalizers.size();
  for (const json::Node each : finalizers) {
    if (each.string() == api::kLocalPath) finalizers.remove_child(each);
  }
  if (finalizers.size() == before) return;
  json::Tree patch;
  patch.make_object().object("metadata").set("finalizers", finalizers);
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&api::kPersistentVolume, {}, std::string(object.name())};
  call.body = json::write(patch.root());
  call.expected_version = object.version();
  submit(std::move(call), kVolumeCall);
}

void Kubelet::look_at_volumes() {
  volumes_due_ = kNever;
  std::vector<api::ObjectRef> all;
  api::for_each(client_->state(), api::kPersistentVolume, {},
                [&](const api::ObjectRef& volume) { all.push_back(volume); });
  for (const api::ObjectRef& volume : all)
    look_at_volume(*volume);
}

void Kubelet::look_at_node() {
  node_due_ = kNever;
  const api::ObjectRef object = client_->state().get(api::kNode, {}, kNodeName);
  api::Call call;
  call.key = {&api::kNode, {}, std::string(kNodeName)};
  if (!object) {
    call.body = join({R"({"kind":"Node","apiVersion":"v1","metadata":{"name":")", kNodeName,
                      R"(","labels":{"kubernetes.io/hostname":")", kNodeName,
                      R"("}},"spec":{"podCIDR":"10.42.0.0/16","podCIDRs":["10.42.0.0/16"]}})"});
    return submit(std::move(call), kNodeCall);
  }
  json::Tree tree;
  if (ready_of(object->parse(tree)) == "True") return;
  const std::string now = rfc3339(clock_.wall());
  call.verb = api::CallVerb::kStrategicMergePatch;
  call.subresource = api::Subresource::kStatus;
  const std::string_view room = R"({"cpu":"64","memory":"64Gi","pods":"500"})";
  call.body = join({R"({"status":{"capacity":)", room, R"(,"allocatable":)", room,
                    R"(,"conditions":[)", condition("Ready", true, now), "]}}"});
  submit(std::move(call), kNodeCall);
}

void Kubelet::renew_lease() {
  lease_due_ = clock_.now() + kLeaseEvery;
  const bool there =
      static_cast<bool>(client_->state().get(api::kLease, "kube-node-lease", kNodeName));
  const std::string now = rfc3339_micro(clock_.wall());
  const std::string spec = join({R"("spec":{"holderIdentity":")", kNodeName,
                                 R"(","leaseDurationSeconds":40,"renewTime":")", now, R"("}})"});
  api::Call call;
  call.verb = there ? api::CallVerb::kMergePatch : api::CallVerb::kCreate;
  call.key = {&api::kLease, "kube-node-lease", std::string(kNodeName)};
  call.body = there ? "{" + spec
                    : join({R"({"kind":"Lease","apiVersion":"coordination.k8s.io/v1",)",
                            R"("metadata":{"name":")", kNodeName, R"("},)", spec});
  submit(std::move(call), kLeaseCall);
}

void Kubelet::submit(api::Call call, uint64_t token) {
  client_->submit(std::move(call), *this, token);
}

void Kubelet::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  if (!answer) {
    const Code code = answer.error().code;
    if (code == Code::kForbidden || code == Code::kInvalid || code == Code::kBadRequest ||
        code == Code::kInternal) {
      findings_.add(join({"the node agent was refused: ", answer.error().message}));
    }
  }
  if (token == kVolumeCall && !answer) volumes_due_ = clock_.now() + kRetry;
  if (token == kNodeCall && !answer) node_due_ = clock_.now() + kRetry;
  if (token == kLeaseCall && !answer) lease_due_ = clock_.now() + kRetry;
  if (const auto asked = asked_.extract(token); !asked.empty() && !answer)
    look_later(asked.mapped());
  set_timer();
}

}  // namespace coracle::sim
