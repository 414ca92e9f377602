// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/timeline.h"

#include <algorithm>

#include "base/assert.h"

namespace coracle::port_sim {

void Event::schedule(Mono at) {
  cancel();
  place_ = {std::max(at.ns, timeline_.now_.ns), timeline_.sequence_++};
  timeline_.events_.emplace(place_, this);
  scheduled_ = true;
}

void Event::cancel() {
  if (!scheduled_) return;
  timeline_.events_.erase(place_);
  scheduled_ = false;
}

// A turn takes a microsecond, so turn ends that always ask again cannot stop time.
bool Timeline::step() {
  if (idle()) return false;
  turns_++;
  if (!turn_ends_.empty()) {
    now_ = now_ + nanoseconds(1000);
  } else {
    now_.ns = std::max(now_.ns, events_.begin()->first.first);
  }
  const auto first = events_.begin();
  if (first != events_.end() && first->first.first <= now_.ns) {
    Event* event = first->second;
    events_.erase(first);
    event->scheduled_ = false;
    event->fire();
  }
  run_turn_ends();
  return true;
}

Mono Timeline::next_event() const {
  ASSERT(!idle());
  return turn_ends_.empty() ? Mono{events_.begin()->first.first} : now_;
}

void Timeline::skip_to(Mono at) {
  if (at > now_) now_ = at;
}

void Timeline::at_turn_end(port::TurnEnd& what) {
  if (std::find(turn_ends_.begin(), turn_ends_.end(), &what) != turn_ends_.end()) return;
  turn_ends_.push_back(&what);
}

void Timeline::cancel_turn_end(port::TurnEnd& what) {
  std::replace(turn_ends_running_.begin(), turn_ends_running_.end(), &what,
               static_cast<port::TurnEnd*>(nullptr));
  std::erase(turn_ends_, &what);
}

void Timeline::run_turn_ends() {
  turn_ends_running_.swap(turn_ends_);
  for (size_t i = 0; i < turn_ends_running_.size(); i++) {
    if (turn_ends_running_[i] != nullptr) turn_ends_running_[i]->on_turn_end();
  }
  turn_ends_running_.clear();
}

}  // namespace coracle::port_sim
