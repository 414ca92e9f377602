// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/pod_actor.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "node/container_start.h"
#include "node/status.h"
#include "node/volumes.h"

namespace coracle::node {

namespace {

constexpr size_t kRoundsMax = 16;  // of deciding in one turn; more would be a bug, not work
constexpr uint64_t kStatusCall = 1;
constexpr uint64_t kDeleteCall = 2;
constexpr Duration kCallRetryMax = seconds(30);
constexpr Duration kConfirmWithin = seconds(5);
constexpr Duration kQuietStart = milliseconds(250);

}  // namespace

PodActor::PodActor(Surroundings& around, PodRecord record)
    : around_(around),
      record_(std::move(record)),
      timer_(around.ports.clock.timer(*this)),
      tokens_(around.client, around.ports.clock, *this),
      owner_(around.ports.disk, around.ports.unpack, *this) {
  const Duration age = around_.ports.clock.wall() - record_.started;
  record_.started_mono = around_.ports.clock.now() + Duration{-std::max<int64_t>(age.ns, 0)};
  for (ContainerState& state : record_.containers)
    state.not_before = around_.ports.clock.now();
  if (record_.ip) around_.addresses.claim(*record_.ip);
}

PodActor::~PodActor() {
  around_.client.forget(*this);
  around_.ports.clock.cancel_turn_end(*this);
}

// --- Inputs

void PodActor::see(api::ObjectRef pod) {
  pod_ = std::move(pod);
  volumes_dirty_ = true;  // labels and annotations may be files
  json::Tree tree;
  const json::Node seen = pod_->parse(tree);
  align(record_, seen);
  schedule();
  if (!std::exchange(spared_, false)) return;
  take_readiness(seen["status"]);
  if (!adopting_) stand(seen);
}

void PodActor::lose() {
  record_.gone = true;
  spared_ = false;
  schedule();
}

void PodActor::spare() {
  spared_ = true;
}

// Until its probe says otherwise: a daemon that restarts must not take a pod out of its Services.
void PodActor::take_readiness(json::Node status) {
  for (ContainerState& state : record_.containers) {
    if (!state.alive()) continue;
    for (const std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
      for (const json::Node known : status[list]) {
        if (known["name"].string() == state.name) state.ready = known["ready"].boolean();
      }
    }
  }
}

// The sandbox of an earlier daemon answers, and the pod is known.
void PodActor::stand(json::Node pod) {
  if (record_.phase == Phase::kSettingUp && sandbox_ != nullptr && try_sandbox(pod))
    move(Phase::kRunning);
  if (record_.phase != Phase::kRunning) return;
  for (size_t i = 0; i < record_.containers.size(); ++i) {
    if (record_.containers[i].run == RunState::kRunning) start_probes(i, pod);
  }
}

void PodActor::adopt() {
  schedule();
  if (record_.phase == Phase::kNew || record_.phase == Phase::kRemoved) return;
  json::Tree tree;
  if (pod_) take_readiness(pod_->parse(tree)["status"]);
  for (const ContainerState& state : record_.containers) {
    if (state.alive()) unconfirmed_.push_back(state.id());
  }
  adopting_ = true;
  Result<std::unique_ptr<port::Sandbox>> adopted =
      around_.ports.sandboxes.adopt(around_.pod_directory(record_.uid) + "/sandbox", *this);
  if (adopted)
    sandbox_ = std::move(*adopted);
  else
    on_lost(adopted.error().message);
  if (record_.phase != Phase::kEnded || sandbox_ == nullptr) return;
  adopting_ = false;  // the daemon before was stopped between the decision and the deed
  ending_ = true;
  sandbox_->end();
}

void PodActor::object_changed(const api::Kind& kind, std::string_view name) {
  if (!pod_) return;
  json::Tree tree;
  if (!refers_to(pod_->parse(tree), kind, name)) return;
  const Mono now = around_.ports.clock.now();
  if (record_.phase == Phase::kNew) record_.retry_at = now;
  for (ContainerState& state : record_.containers) {
    if (state.waiting_reason == "CreateContainerConfigError") state.not_before = now;
  }
  volumes_dirty_ = true;
  schedule();
}

void PodActor::images_changed() {
  for (ContainerState& state : record_.containers) {
    const bool waits = state.waiting_reason == "ErrImagePull" ||
                       state.waiting_reason == "ImagePullBackOff" ||
                       state.waiting_reason == "ErrImageNeverPull";
    if (!waits) continue;
    state.not_before = around_.ports.clock.now();
    schedule();
  }
}

bool PodActor::uses_image(std::string_view id) const {
  if (record_.phase == Phase::kEnded || record_.phase == Phase::kRemoved) return false;
  return std::any_of(record_.containers.begin(), record_.containers.end(),
                     [&](const ContainerState& state) { return state.image_id == id; });
}

void PodActor::on_alarm(port::Timer&) {
  wake_at_.reset();
  schedule();
}

void PodActor::on_tokens(bool ok, std::string_view why) {
  if (ok) {
    volumes_dirty_ = true;
    if (record_.phase == Phase::kNew) record_.retry_at = around_.ports.clock.now();
  } else if (record_.phase == Phase::kNew) {
    warn("FailedMount",
         join({"MountVolume.SetUp failed for volume : failed to fetch token: ", why}));
  }
  schedule();
}

void PodActor::on_owned(const std::string& volume, const Result<>& outcome) {
  schedule();
  if (record_.phase != Phase::kNew) return;
  record_.retry_at = around_.ports.clock.now();
  if (outcome) return;
  fail_sandbox("FailedMount", join({"MountVolume.SetUp failed for volume \"", volume,
                                    "\" : applyFSGroup failed: ", outcome.error().message}));
}

void PodActor::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  const bool is_status = token == kStatusCall;
  (is_status ? status_pending_ : delete_pending_) = false;
  schedule();
  if (answer) {
    call_delay_ = {};
    if (is_status) {
      done_patch_ = sent_patch_;
      done_version_ = *answer ? (*answer)->version() : 0;
    } else {
      delete_done_ = true;
    }
    return;
  }
  const Code code = answer.error().code;
  if (code == Code::kNotFound) return lose();
  if (code == Code::kConflict && is_status)
    call_delay_ = {};  // the change that beat us comes by the feed
  call_delay_ = call_delay_.ns == 0 ? milliseconds(100) : std::min(call_delay_ * 2, kCallRetryMax);
  call_not_before_ = around_.ports.clock.now() + call_delay_;
  if (code == Code::kConflict) return;
  LOG(kWarn, "node: pod call was refused", kv("pod", record_.ns + "/" + record_.name),
      kv("why", answer.error().message));
}

void PodActor::evict(const std::string& message) {
  record_.failed = true;
  record_.reason = "Evicted";
  record_.message = message;
  warn("Evicted", message);
  schedule();
}

// --- The turn

void PodActor::on_turn_end() {
  step();
}

void PodActor::step() {
  dead_probes_.clear();
  dead_hooks_.clear();
  std::erase_if(hooks_, [](const auto& hook) { return hook->over(); });
  if (sandbox_over_) sandbox_.reset();
  sandbox_over_ = false;
  json::Tree tree;
  const json::Node pod = pod_ ? pod_->parse(tree) : json::Node();
  wake_at_.reset();
  if (confirm_by_ && around_.ports.clock.now() >= *confirm_by_) confirm_adopted();
  run_due_hooks();
  const bool may_decide = !spared_ && !(adopting_ && sandbox_ != nullptr);
  for (size_t round = 0; round < kRoundsMax && may_decide; ++round) {
    const Decision decision = decide(pod, record_, around_.ports.clock.now());
    bool progress = false;
    for (const Action& action : decision.actions)
      progress = perform(action, pod) || progress;
    if (progress) continue;
    if (decision.again_at) wake(*decision.again_at);
    break;
  }
  refresh_volumes(pod);
  save();
  if (pod && !record_.gone) write_status(pod);
  set_timer();
  if (removed()) around_.host.on_pod_over();
}

// True if the record moved on, so that deciding again makes sense.
bool PodActor::perform(const Action& action, json::Node pod) {
  switch (action.type) {
    case ActionType::kCreateSandbox:
      return create_sandbox(pod);
    case ActionType::kMove:
      move(action.phase);
      return true;
    case ActionType::kFail:
      record_.failed = true;
      record_.reason = action.reason;
      record_.message = action.message;
      warn(action.reason, action.message);
      return true;
    case ActionType::kStart:
      start_container(action.container, pod);
      return true;
    case ActionType::kStop:
      stop_container(action.container, pod);
      return true;
    case ActionType::kKill:
      record_.containers[action.container].killed = true;
      if (sandbox_ != nullptr) sandbox_->kill(record_.containers[action.container].id());
      return true;
    case ActionType::kShowImageBackOff: {
      ContainerState& state = record_.containers[action.container];
      state.show_back_off_at = {};
      state.waiting_reason = "ImagePullBackOff";
      state.waiting_message = join({"Back-off pulling image \"", state.image, "\""});
      event("BackOff", state.waiting_message, state.name);
      warn("Failed", "Error: ImagePullBackOff", state.name);
      return true;
    }
    case ActionType::kShowCrashLoop: {
      ContainerState& state = record_.containers[action.container];
      state.waiting_reason = "CrashLoopBackOff";
      const std::string label = pod_label(pod);
      const int64_t pause = state.back_off.seconds();
      const std::string text =
          pause < 60 ? std::to_string(pause) + "s"
                     : join({std::to_string(pause / 60), "m", std::to_string(pause % 60), "s"});
      state.waiting_message =
          join({"back-off ", text, " restarting failed container=", state.name, " pod=", label});
      warn("BackOff",
           join({"Back-off restarting failed container ", state.name, " in pod ", label}),
           state.name);
      return true;
    }
    case ActionType::kEndSandbox:
      end_sandbox();
      return true;
    case ActionType::kDelete:
      delete_object();
      return false;
  }
  return false;
}

// Before the call that it describes is made known to anyone: a daemon that dies here finds what it
// did.
void PodActor::save() {
  if (record_.phase == Phase::kRemoved || record_.foreign) return;
  std::string text = record_text(record_);
  if (text == saved_) return;
  const std::string path = around_.pod_directory(record_.uid) + "/record.json";
  port::Disk& disk = around_.ports.disk;
  Result<> written = disk.make_directories(around_.pod_directory(record_.uid), 0711);
  if (written) written = disk.write_file(path + ".new", text, 0600);
  if (written) written = disk.rename(path + ".new", path);
  if (!written)
    LOG(kError, "node: pod record not written", kv("why", written.error().message));
  else
    saved_ = std::move(text);
}

void PodActor::wake(Mono at) {
  if (!wake_at_ || at < *wake_at_) wake_at_ = at;
}

void PodActor::set_timer() {
  for (const ContainerState& state : record_.containers) {
    if (state.hook_until) wake(*state.hook_until);
  }
  if (confirm_by_) wake(*confirm_by_);
  const bool live = record_.phase == Phase::kNew || record_.phase == Phase::kRunning;
  const std::optional<Mono> token = tokens_.due();
  if (live && token) wake(*token);
  if (wake_at_)
    timer_->arm(std::max(*wake_at_, around_.ports.clock.now()));
  else
    timer_->disarm();
}

// --- Status and volumes

Place PodActor::place() const {
  const bool on_host = [&] {
    json::Tree tree;
    return pod_ && pod_->parse(tree)["spec"]["hostNetwork"].boolean();
  }();
  const AgentOptions& options = around_.options;
  return {options.node_name, around_.node_ip,
          on_host      ? around_.node_ip
          : record_.ip ? record_.ip->text()
                       : std::string(),
          around_.machine.cpus * 1000 - options.reserved_cpu_millis,
          around_.machine.memory_bytes - options.reserved_memory_bytes};
}

void PodActor::refresh_volumes(json::Node pod) {
  if (!pod || record_.phase != Phase::kRunning) return;
  const bool complete = tokens_.ensure(pod);
  if (!volumes_dirty_ || !complete) return;
  volumes_dirty_ = false;
  const Place here = place();
  const VolumeContext context{pod,
                              around_.client.state(),
                              around_.ports.disk,
                              around_.pod_directory(record_.uid),
                              around_.pod_run_directory(record_.uid),
                              here,
                              tokens_.all(),
                              around_.ports.clock.wall(),
                              true};
  const Result<> refreshed = prepare_volumes(context);
  if (!refreshed) warn("FailedMount", refreshed.error().message);
}

void PodActor::write_status(json::Node pod) {
  if (record_.foreign) {
    if (!std::exchange(record_.final_stored, true)) schedule();
    return;
  }
  if (status_pending_) return;
  json::Tree tree;
  const json::Node wanted =
      make_status(tree, {pod, record_, around_.ports.clock.wall(), around_.node_ip});
  std::string patch = status_patch(pod["status"], wanted);
  // A server that does not keep a field as it was sent must not be asked again and again.
  const bool stored = patch.empty() || (patch == done_patch_ && pod_->version() == done_version_);
  if (stored) {
    const bool was_final = record_.final_stored;
    record_.final_stored = record_.phase == Phase::kEnded;
    if (record_.final_stored && !was_final) schedule();
    return;
  }
  const Mono earliest =
      std::max(call_not_before_, is_starting() ? starting_since_ + kQuietStart : Mono{});
  if (around_.ports.clock.now() < earliest) return wake(earliest);
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.subresource = api::Subresource::kStatus;
  call.key = {&api::kPod, record_.ns, record_.name};
  call.body = patch;
  call.expected_uid = record_.uid;
  call.expected_version = pod_->version();
  sent_patch_ = std::move(patch);
  status_pending_ = true;
  around_.client.submit(std::move(call), *this, kStatusCall);
}

// A start that takes a moment is told of once, when it is done: each status is a write to flash.
bool PodActor::is_starting() const {
  return record_.phase == Phase::kSettingUp ||
         std::any_of(record_.containers.begin(), record_.containers.end(),
                     [](const ContainerState& state) { return state.run == RunState::kStarting; });
}

void PodActor::delete_object() {
  if (delete_pending_ || delete_done_) return;
  if (around_.ports.clock.now() < call_not_before_) return wake(call_not_before_);
  api::Call call;
  call.verb = api::CallVerb::kDelete;
  call.key = {&api::kPod, record_.ns, record_.name};
  call.expected_uid = record_.uid;
  call.grace_seconds = 0;
  delete_pending_ = true;
  around_.client.submit(std::move(call), *this, kDeleteCall);
}

std::string PodActor::field_path(std::string_view container) const {
  if (container.empty() || !pod_) return {};
  json::Tree tree;
  for (const ContainerSpec& spec : containers_of(pod_->parse(tree))) {
    if (spec.name() == container)
      return join({spec.init ? "spec.initContainers{" : "spec.containers{", container, "}"});
  }
  return {};
}

void PodActor::event(std::string_view reason,
                     const std::string& message,
                     std::string_view container) {
  if (pod_ && !record_.gone) around_.events.normal(*pod_, reason, message, field_path(container));
}

void PodActor::warn(std::string_view reason,
                    const std::string& message,
                    std::string_view container) {
  if (pod_ && !record_.gone) around_.events.warning(*pod_, reason, message, field_path(container));
}

void PodActor::on_ready() {
  schedule();
  if (!adopting_) {
    json::Tree tree;
    if (record_.phase == Phase::kSettingUp && pod_ && try_sandbox(pod_->parse(tree)))
      move(Phase::kRunning);
    return;
  }
  adopting_ = false;
  confirm_by_ = around_.ports.clock.now() + kConfirmWithin;
  json::Tree tree;
  if (pod_) stand(pod_->parse(tree));
}

}  // namespace coracle::node
