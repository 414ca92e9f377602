// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/loop.h"

#include <algorithm>

namespace coracle::port_linux {

Loop::Loop() {
  ASSERT(uv_loop_init(&uv_) == 0);
  uv_idle_init(&uv_, &idle_);
  uv_prepare_init(&uv_, &prepare_);
  uv_check_init(&uv_, &check_);
  idle_.data = prepare_.data = check_.data = this;
  uv_prepare_start(&prepare_, on_prepare);
  uv_check_start(&check_, on_check);
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), nullptr);
  uv_run(&uv_, UV_RUN_NOWAIT);  // close callbacks of all handles given up before
  ASSERT(uv_loop_close(&uv_) == 0);
}

void Loop::run() {
  uv_run(&uv_, UV_RUN_DEFAULT);
}

void Loop::on_idle(uv_idle_t* handle) noexcept {
  static_cast<Loop*>(handle->data)->run_deferred();
}

void Loop::on_prepare(uv_prepare_t* handle) noexcept {
  static_cast<Loop*>(handle->data)->run_turn_ends();
}

void Loop::on_check(uv_check_t* handle) noexcept {
  Loop* loop = static_cast<Loop*>(handle->data);
  loop->turns_++;
  loop->run_turn_ends();
}

// An active idle handle makes the next poll return at once.
void Loop::stay_awake() {
  uv_idle_start(&idle_, on_idle);
}

void Loop::defer(Deferred& what) {
  if (what.linked()) return;
  deferred_[deferred_now_].push_back(what);
  stay_awake();
}

void Loop::run_deferred() {
  uv_idle_stop(&idle_);
  List<Deferred>& due = deferred_[deferred_now_];
  deferred_now_ = 1 - deferred_now_;
  while (Deferred* next = due.front()) {
    next->unlink();
    next->run_deferred();
  }
}

void Loop::at_turn_end(port::TurnEnd& what) {
  if (std::find(turn_ends_.begin(), turn_ends_.end(), &what) != turn_ends_.end()) return;
  turn_ends_.push_back(&what);
  stay_awake();
}

void Loop::cancel_turn_end(port::TurnEnd& what) {
  std::replace(turn_ends_running_.begin(), turn_ends_running_.end(), &what,
               static_cast<port::TurnEnd*>(nullptr));
  std::erase(turn_ends_, &what);
}

// What is asked for meanwhile belongs to the next turn, which starts without sleeping: a turn end
// that always asks again cannot starve input.
void Loop::run_turn_ends() {
  if (turn_ends_.empty()) return;
  turn_ends_running_.swap(turn_ends_);
  for (size_t i = 0; i < turn_ends_running_.size(); i++) {
    if (turn_ends_running_[i] != nullptr) turn_ends_running_[i]->on_turn_end();
  }
  turn_ends_running_.clear();
}

}  // namespace coracle::port_linux
