// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/body_budget.h"

#include <utility>

namespace coracle::http {

bool BodyBudget::Share::grow_to(size_t body_bytes) {
  if (body_bytes <= kFreeBytes || body_bytes <= arriving_) return true;
  const size_t more = body_bytes - arriving_;
  if (budget_.arriving_ + more > kArrivingBytesMax) return false;
  budget_.arriving_ += more;
  arriving_ = body_bytes;
  return true;
}

bool BodyBudget::Share::begin_work() {
  if (arriving_ == 0) return true;
  if (budget_.waiting_.empty() && budget_.has_room_for(*this)) {
    budget_.enter(*this);
    return true;
  }
  budget_.waiting_.push_back(*this);
  return false;
}

void BodyBudget::Share::give_back() {
  unlink();
  budget_.arriving_ -= std::exchange(arriving_, 0);
  if (worked_on_ == 0) return;
  budget_.worked_on_ -= std::exchange(worked_on_, 0);
  if (!budget_.waiting_.empty()) budget_.clock_.at_turn_end(budget_);
}

bool BodyBudget::has_room_for(const Share& share) const {
  return worked_on_ == 0 || worked_on_ + share.arriving_ <= kWorkedOnBytesMax;
}

void BodyBudget::enter(Share& share) {
  share.worked_on_ = std::exchange(share.arriving_, 0);
  arriving_ -= share.worked_on_;
  worked_on_ += share.worked_on_;
}

void BodyBudget::on_turn_end() {
  for (Share* next = waiting_.front(); next != nullptr && has_room_for(*next);
       next = waiting_.front()) {
    next->unlink();
    enter(*next);
    next->listener_.on_room();
  }
}

}  // namespace coracle::http
