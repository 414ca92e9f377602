// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/runner.h"

#include <algorithm>

#include "base/log.h"

namespace coracle::controllers {

namespace {

constexpr size_t kKeysPerTurn = 64;  // other inputs get their share of the loop
constexpr Duration kFirstRetry = milliseconds(10);
constexpr Duration kLastRetry = seconds(60);
constexpr uint32_t kDoublingsMax = 13;

}  // namespace

Runner::Runner(api::Client& client, port::Clock& clock, port::Random& random, std::string ca_pem)
    : client_(client),
      clock_(clock),
      random_(random),
      timer_(clock.timer(*this)),
      ca_pem_(std::move(ca_pem)) {}

Runner::~Runner() {
  stop();
}

void Runner::start() {
  if (started_) return;
  started_ = true;
  started_at_ = clock_.now();
  client_.subscribe(*this);
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
}

// An object not seen changing since the start is as old as the start: a new leader gives every node
// its full grace.
Duration Runner::since_change(const api::Object& object) const {
  ASSERT(&object.kind() == &api::kLease);
  const auto seen = lease_seen_.find(std::string(object.name()));
  return clock_.now() - (seen == lease_seen_.end() ? started_at_ : seen->second);
}

void Runner::on_change(const api::Change& change) {
  if (&change.after->kind() == &api::kLease && change.after->ns() == "kube-node-lease") {
    const std::string name(change.after->name());
    if (change.type == api::ChangeType::kDeleted)
      lease_seen_.erase(name);
    else
      lease_seen_[name] = clock_.now();
  }
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
  Result<api::Plan> plan =
      task.controller->plan(Now{client_.state(), clock_.wall(), *this, ca_pem_}, task.key);
  if (!plan) {
    LOG(kWarn, "controllers: plan failed", kv("controller", task.controller->name),
        kv("key", task.key.name), kv("error", plan.error().message));
    retry(task);
    return;
  }
  apply(std::move(task), std::move(plan).value());
}

void Runner::apply(Task task, api::Plan plan) {
  if (plan.again_after) delay(task, *plan.again_after);
  if (plan.calls.empty()) {
    failures_.erase(task);
    for (const api::Note& note : plan.notes) {
      api::EventRecorder& events = recorder(*task.controller);
      if (note.warning)
        events.warning(*note.about, note.reason, note.message);
      else
        events.normal(*note.about, note.reason, note.message);
    }
    return;
  }
  const uint64_t number = next_run_++;
  Run& run = running_[number];
  run.task = task;
  run.notes = std::move(plan.notes);
  run.answers_missing = plan.calls.size();
  running_tasks_[std::move(task)] = number;
  for (api::Call& call : plan.calls)
    client_.submit(std::move(call), *this, number);
}

void Runner::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  const auto found = running_.find(token);
  if (found == running_.end()) return;
  Run& run = found->second;
  if (!answer) {
    const Code code = answer.error().code;
    // Somebody else was quicker: the next plan sees it. Anything else is worth a line.
    const bool expected =
        code == Code::kConflict || code == Code::kNotFound || code == Code::kAlreadyExists;
    if (!expected) {
      LOG(kWarn, "controllers: call refused", kv("controller", run.task.controller->name),
          kv("key", run.task.key.name), kv("error", answer.error().message));
    }
    run.failed = true;
  }
  if (--run.answers_missing > 0) return;
  Run finished = std::move(run);
  running_.erase(found);
  running_tasks_.erase(finished.task);
  finish(std::move(finished));
}

void Runner::finish(Run run) {
  if (run.failed) {
    retry(run.task);
    return;
  }
  failures_.erase(run.task);
  for (const api::Note& note : run.notes) {
    api::EventRecorder& events = recorder(*run.task.controller);
    if (note.warning)
      events.warning(*note.about, note.reason, note.message);
    else
      events.normal(*note.about, note.reason, note.message);
  }
  if (run.woken) enqueue(std::move(run.task));
}

void Runner::retry(const Task& task) {
  const uint32_t failures = failures_[task]++;
  delay(task,
        std::min(kLastRetry, kFirstRetry * (int64_t{1} << std::min(failures, kDoublingsMax))));
}

// The earliest of several delays of a task counts.
void Runner::delay(const Task& task, Duration by) {
  const Mono at = clock_.now() + by;
  if (const auto known = delayed_tasks_.find(task); known != delayed_tasks_.end()) {
    if (known->second <= at) return;
    for (auto [it, end] = delayed_.equal_range(known->second); it != end; ++it) {
      if (it->second == task) {
        delayed_.erase(it);
        break;
      }
    }
  }
  delayed_tasks_[task] = at;
  delayed_.emplace(at, task);
  timer_->arm(delayed_.begin()->first);
}

void Runner::on_alarm(port::Timer&) {
  while (!delayed_.empty() && delayed_.begin()->first <= clock_.now()) {
    Task task = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    delayed_tasks_.erase(task);
    enqueue(std::move(task));
  }
  if (!delayed_.empty()) timer_->arm(delayed_.begin()->first);
}

api::EventRecorder& Runner::recorder(const Controller& controller) {
  std::unique_ptr<api::EventRecorder>& recorder = recorders_[&controller];
  if (!recorder) {
    recorder = std::make_unique<api::EventRecorder>(
        client_, clock_, random_, api::EventSource{std::string(controller.name), {}});
  }
  return *recorder;
}

}  // namespace coracle::controllers
