// SPDX-License-Identifier: GPL-2.0-or-later
// Pods that have a node and wait for their volumes there (upstream VolumeBinding's PreBind). They
// count on the node meanwhile.
#include <algorithm>

#include "base/bytes.h"
#include "scheduler/scheduler.h"

namespace coracle::scheduler {

namespace {
constexpr Duration kPatience = minutes(10);  // upstream bindTimeoutSeconds
}

// True: all of them are bound already.
bool Scheduler::prepare_volumes(const Attempt& attempt, const BoardNode& node) {
  const PodVolumes volumes(board_, attempt.shape);
  if (volumes.all_bound()) return true;
  std::vector<api::Call> calls = volumes.calls(node.offer);
  preparing_[attempt.name] = {attempt.object, node.offer.name, clock_.now() + kPatience,
                              calls.size()};
  for (api::Call& call : calls) {
    volume_calls_[next_token_] = attempt.name;
    client_.submit(std::move(call), *this, next_token_++);
  }
  await_deadline();
  return false;
}

bool Scheduler::on_volume_answer(uint64_t token, const Result<api::ObjectRef>& answer) {
  const auto call = volume_calls_.find(token);
  if (call == volume_calls_.end()) return false;
  const PodName name = std::move(call->second);
  volume_calls_.erase(call);
  const auto found = preparing_.find(name);
  if (found == preparing_.end()) return true;
  if (found->second.unanswered > 0) --found->second.unanswered;
  if (answer)
    go_on(name);
  else
    give_up(name, answer.error());
  return true;
}

void Scheduler::see_claim(const api::Object& claim) {
  help(kVolumes);
  std::vector<PodName> names;
  for (const auto& [name, pod] : preparing_) {
    if (name.ns == claim.ns()) names.push_back(name);
  }
  for (const PodName& name : names)
    go_on(name);
}

void Scheduler::go_on(const PodName& name) {
  const Preparing pod = preparing_.find(name)->second;
  const Placed* placed = board_.placed(name);
  if (placed == nullptr) {
    preparing_.erase(name);
    return;
  }
  const PodVolumes volumes(board_, *placed->shape);
  if (volumes.problem().empty() && volumes.all_bound()) {
    preparing_.erase(name);
    bind(name, pod.object, pod.node);
  } else if (!volumes.problem().empty()) {
    give_up(name, coracle::fail(Code::kUnavailable, volumes.problem()));
  } else if (pod.unanswered == 0 && volumes.is_withdrawn(pod.node)) {
    give_up(name, coracle::fail(Code::kConflict, "another node is wanted"));
  }
}

// Its place is free again, and it is looked at from the start.
void Scheduler::give_up(const PodName& name, Error error) {
  const Preparing pod = preparing_.find(name)->second;
  preparing_.erase(name);
  error.message = join({"binding volumes: ", error.message});
  report_refused({name, pod.object, pod.node}, error);
}

void Scheduler::end_overdue() {
  std::vector<PodName> overdue;
  for (const auto& [name, pod] : preparing_) {
    if (pod.until <= clock_.now()) overdue.push_back(name);
  }
  for (const PodName& name : overdue)
    give_up(name, coracle::fail(Code::kTimeout, "context deadline exceeded"));
  await_deadline();
}

void Scheduler::await_deadline() {
  Mono next{INT64_MAX};
  for (const auto& [name, pod] : preparing_)
    next = std::min(next, pod.until);
  if (next.ns != INT64_MAX) volume_timer_->arm(next);
}

}  // namespace coracle::scheduler
