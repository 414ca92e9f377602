// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/runner.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::controllers {

namespace {

constexpr size_t kKeysPerTurn = 64;  // other inputs get their share of the loop
constexpr Duration kFirstRetry = milliseconds(10);
constexpr Duration kLastRetry = seconds(60);
constexpr uint32_t kDoublingsMax = 13;
constexpr size_t kZonesMax = 64;
constexpr size_t kZoneBytesMax = 64 * 1024;
constexpr size_t kNodesGoneMax = 1024;  // forgotten then: they count as gone since the start

bool is_ending_namespace(const Error& error) {
  return std::any_of(error.causes.begin(), error.causes.end(),
                     [](const Cause& cause) { return cause.reason == "NamespaceTerminating"; });
}

}  // namespace

Runner::Runner(api::Client& client,
               port::Clock& clock,
               port::Random& random,
               std::string ca_pem,
               std::string pod_cidr)
    : client_(client),
      clock_(clock),
      random_(random),
      timer_(clock.timer(*this)),
      ca_pem_(std::move(ca_pem)),
      pod_cidr_(std::move(pod_cidr)) {}

Runner::~Runner() {
  stop();
}

void Runner::start() {
  if (started_) return;
  started_ = true;
  started_at_ = clock_.now();
  client_.subscribe(*this);
  api::for_each(client_.state(), api::kNode, {}, [this](const api::ObjectRef& node) {
    watch_node({api::ChangeType::kAdded, node->version(), {}, node});
  });
  for (const Controller* row : all_controllers()) {
    const Controller& controller = *row;
    Keys keys;
    if (controller.first_keys != nullptr) {
      controller.first_keys(client_.state(), keys);
    } else {
      for (const Watch& watch : controller.watches) {
        if (watch.kind == nullptr) continue;
        api::for_each(client_.state(), *watch.kind, {}, [&](const api::ObjectRef& object) {
          watch.wake(api::Change{api::ChangeType::kAdded, object->version(), {}, object},
                     client_.state(), keys);
        });
      }
    }
    enqueue(controller, keys);
  }
}

void Runner::stop() {
  if (!started_) return;
  started_ = false;
  client_.unsubscribe(*this);
  client_.forget(*this);
  clock_.cancel_turn_end(*this);
  timer_->disarm();
  queue_.clear();
  queued_.clear();
  running_.clear();
  running_tasks_.clear();
  failures_.clear();
  delayed_.clear();
  delayed_tasks_.clear();
  lease_seen_.clear();
  nodes_gone_.clear();
  taints_seen_.clear();
  scaling_.clear();
}

// An object not seen changing since the start is as old as the start: a new leader gives every node
// its full grace.
Duration Runner::since_change(const api::Object& object) const {
  ASSERT(&object.kind() == &api::kLease);
  const auto seen = lease_seen_.find(std::string(object.name()));
  return clock_.now() - (seen == lease_seen_.end() ? started_at_ : seen->second);
}

Duration Runner::since_gone(std::string_view node) const {
  const auto gone = nodes_gone_.find(node);
  return clock_.now() - (gone == nodes_gone_.end() ? started_at_ : gone->second);
}

Duration Runner::since_taint(std::string_view node, std::string_view key) const {
  const auto taints = taints_seen_.find(node);
  if (taints == taints_seen_.end()) return {};
  const auto seen = taints->second.find(key);
  return seen == taints->second.end() ? Duration{} : clock_.now() - seen->second;
}

// Read once, when a CronJob first asks for it.
const TimeZone* Runner::find(std::string_view name) const {
  const auto known = zones_.find(name);
  if (known != zones_.end()) return known->second ? &*known->second : nullptr;
  if (zones_.size() >= kZonesMax) zones_.clear();
  std::optional<TimeZone>& zone = zones_[std::string(name)];
  if (name == "UTC" || name == "Etc/UTC") {
    zone.emplace();
  } else if (disk_ != nullptr && name.find('.') == std::string_view::npos) {
    const auto text = disk_->read_file(join({"/usr/share/zoneinfo/", name}), kZoneBytesMax);
    if (Result<TimeZone> parsed = text ? TimeZone::parse(*text) : Result<TimeZone>(text.error());
        parsed)
      zone = std::move(parsed).value();
  }
  return zone ? &*zone : nullptr;
}

void Runner::watch_node(const api::Change& change) {
  const std::string name(change.after->name());
  if (change.type == api::ChangeType::kDeleted) {
    taints_seen_.erase(name);
    if (nodes_gone_.size() >= kNodesGoneMax) nodes_gone_.clear();
    nodes_gone_[name] = clock_.now();
    return;
  }
  nodes_gone_.erase(name);
  if (change.after->text().find("\"NoExecute\"") == std::string_view::npos) {
    taints_seen_.erase(name);
    return;
  }
  json::Tree tree;
  std::map<std::string, Mono, std::less<>> now;
  std::map<std::string, Mono, std::less<>>& seen = taints_seen_[name];
  for (const json::Node taint : change.after->parse(tree)["spec"]["taints"]) {
    if (taint["effect"].string() != "NoExecute") continue;
    const auto known = seen.find(taint["key"].string());
    now.emplace(taint["key"].string(), known == seen.end() ? clock_.now() : known->second);
  }
  seen = std::move(now);
}

void Runner::on_change(const api::Change& change) {
  if (&change.after->kind() == &api::kNode) watch_node(change);
  if (&change.after->kind() == &api::kLease && change.after->ns() == "kube-node-lease") {
    const std::string name(change.after->name());
    if (change.type == api::ChangeType::kDeleted)
      lease_seen_.erase(name);
    else
      lease_seen_[name] = clock_.now();
  }
  if (change.type == api::ChangeType::kDeleted && !scaling_.empty())
    scaling_.erase({&change.after->kind(), std::string(change.after->ns()),
                    std::string(change.after->name())});
  for (const Controller* row : all_controllers()) {
    const Controller& controller = *row;
    Keys keys;
    for (const Watch& watch : controller.watches) {
      if (watch.kind == nullptr || watch.kind == &change.after->kind())
        watch.wake(change, client_.state(), keys);
    }
    enqueue(controller, keys);
  }
}

void Runner::enqueue(const Controller& controller, const Keys& keys) {
  for (const api::Key& key : keys)
    enqueue(Task{&controller, key});
}

void Runner::enqueue(Task task) {
  if (const auto running = running_tasks_.find(task); running != running_tasks_.end()) {
    running_.find(running->second)->second.woken = true;
    return;
  }
  if (!queued_.insert(task).second) return;
  queue_.push_back(std::move(task));
  clock_.at_turn_end(*this);
}

void Runner::on_turn_end() {
  for (size_t i = 0; i < kKeysPerTurn && !queue_.empty(); ++i) {
    Task task = std::move(queue_.front());
    queue_.pop_front();
    queued_.erase(task);
    run(std::move(task));
  }
  if (!queue_.empty()) clock_.at_turn_end(*this);
}

void Runner::run(Task task) {
  forget_delay(task);  // the plan says when to look again
  const auto failure = failures_.find(task);
  const bool refused = failure != failures_.end() && failure->second.refusal;
  const Now now{client_.state(),
                clock_.wall(),
                *this,
                ca_pem_,
                refused ? &*failure->second.refusal : nullptr,
                pod_cidr_,
                this,
                clock_.now(),
                metrics_,
                this};
  Result<api::Plan> plan = task.controller->plan(now, task.key);
  if (!plan) {
    LOG(kWarn, "controllers: plan failed", kv("controller", task.controller->name),
        kv("key", task.key.name), kv("error", plan.error().message));
    retry(task, std::nullopt);
    return;
  }
  apply(std::move(task), std::move(plan).value());
}

void Runner::apply(Task task, api::Plan plan) {
  if (plan.again_after) delay(task, *plan.again_after);
  if (plan.calls.empty()) {
    failures_.erase(task);
    for (const api::Note& note : plan.notes)
      record(*task.controller, note);
    return;
  }
  const uint64_t number = next_token_;
  next_token_ += plan.calls.size();
  Run& run = running_[number];
  run.task = task;
  run.batch = plan.slow_start ? 1 : plan.calls.size();
  run.plan = std::move(plan);
  running_tasks_[std::move(task)] = number;
  send_round(number);
}

void Runner::send_round(uint64_t number) {
  Run& run = running_.find(number)->second;
  const size_t end = std::min(run.sent + run.batch, run.plan.calls.size());
  run.batch *= 2;
  // The verb and name stay behind for the answer; only the body travels.
  while (run.sent < end) {
    api::Call& call = run.plan.calls[run.sent];
    std::string body = std::exchange(call.body, {});
    api::Call out = call;
    out.body = std::move(body);
    client_.submit(std::move(out), *this, number + run.sent++);
  }
}

void Runner::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  const auto above = running_.upper_bound(token);
  if (above == running_.begin()) return;
  const auto found = std::prev(above);
  Run& run = found->second;
  const auto call = static_cast<size_t>(token - found->first);
  if (call >= run.sent) return;
  if (answer)
    note_success(run, call);
  else
    note_failure(run, call, answer.error());
  if (++run.answered < run.sent) return;
  if (!run.failed && run.sent < run.plan.calls.size()) {
    send_round(found->first);
    return;
  }
  Run finished = std::move(run);
  running_.erase(found);
  running_tasks_.erase(finished.task);
  finish(std::move(finished));
}

void Runner::note_success(Run& run, size_t call) {
  for (const api::Note& note : run.plan.notes) {
    if (note.call == call) record(*run.task.controller, note);
  }
}

void Runner::note_failure(Run& run, size_t call, const Error& error) {
  const api::CallVerb verb = run.plan.calls[call].verb;
  // What was to be deleted is gone: done.
  if (verb == api::CallVerb::kDelete && error.code == Code::kNotFound) return;
  run.failed = true;
  // Somebody else was quicker, or the namespace ends: the next plan sees it.
  if (error.code == Code::kConflict || error.code == Code::kNotFound ||
      error.code == Code::kAlreadyExists || is_ending_namespace(error))
    return;
  if (!failures_.contains(run.task)) {  // once, not at every try
    LOG(kWarn, "controllers: call refused", kv("controller", run.task.controller->name),
        kv("key", run.task.key.name), kv("error", error.message));
  }
  if (!run.refusal) run.refusal = Refusal{verb, error.message};
  const bool makes_or_ends = verb == api::CallVerb::kCreate || verb == api::CallVerb::kDelete;
  if (run.plan.refused && makes_or_ends)
    record(*run.task.controller, *run.plan.refused, error.message);
}

void Runner::finish(Run run) {
  if (run.failed) {
    retry(run.task, std::move(run.refusal));
    return;
  }
  failures_.erase(run.task);
  for (const api::Note& note : run.plan.notes) {
    if (!note.call) record(*run.task.controller, note);
  }
  if (run.woken) enqueue(std::move(run.task));
}

void Runner::retry(const Task& task, std::optional<Refusal> refusal) {
  Failure& failure = failures_[task];
  failure.refusal = std::move(refusal);
  const uint32_t doublings = std::min(failure.times++, kDoublingsMax);
  delay(task, std::min(kLastRetry, kFirstRetry * (int64_t{1} << doublings)));
}

// The earliest of several delays of a task counts.
void Runner::delay(const Task& task, Duration by) {
  const Mono at = clock_.now() + by;
  if (const auto known = delayed_tasks_.find(task); known != delayed_tasks_.end()) {
    if (known->second <= at) return;
    forget_delay(task);
  }
  delayed_tasks_[task] = at;
  delayed_.emplace(at, task);
  set_timer();
}

void Runner::forget_delay(const Task& task) {
  const auto known = delayed_tasks_.find(task);
  if (known == delayed_tasks_.end()) return;
  for (auto [it, end] = delayed_.equal_range(known->second); it != end; ++it) {
    if (it->second != task) continue;
    delayed_.erase(it);
    break;
  }
  delayed_tasks_.erase(known);
  set_timer();
}

void Runner::set_timer() {
  if (delayed_.empty())
    timer_->disarm();
  else
    timer_->arm(delayed_.begin()->first);
}

void Runner::on_alarm(port::Timer&) {
  while (!delayed_.empty() && delayed_.begin()->first <= clock_.now()) {
    Task task = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    delayed_tasks_.erase(task);
    enqueue(std::move(task));
  }
  set_timer();
}

void Runner::record(const Controller& controller, const api::Note& note, std::string_view detail) {
  std::unique_ptr<api::EventRecorder>& recorder = recorders_[&controller];
  if (!recorder) {
    recorder = std::make_unique<api::EventRecorder>(
        client_, clock_, random_, api::EventSource{std::string(controller.name), {}});
  }
  const std::string message = join({note.message, detail});
  if (note.warning)
    recorder->warning(*note.about, note.reason, message);
  else
    recorder->normal(*note.about, note.reason, message);
}

}  // namespace coracle::controllers
