// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/logs.h"

#include "base/limits.h"

namespace coracle::node {

namespace {
constexpr Duration kLookEvery = milliseconds(200);
}  // namespace

LogTail::LogTail(port::Clock& clock,
                 LogReader reader,
                 LogInstance instance,
                 const LogLife& life,
                 bool follow,
                 api::LogSink& sink)
    : clock_(clock),
      reader_(std::move(reader)),
      instance_(std::move(instance)),
      life_(life),
      follow_(follow),
      sink_(sink),
      timer_(clock.timer(*this)) {
  timer_->arm(clock_.now());
}

void LogTail::pause(bool paused) {
  paused_ = paused;
  if (paused)
    timer_->disarm();
  else
    timer_->arm(clock_.now());
}

void LogTail::on_alarm(port::Timer&) {
  if (over_) return sink_.on_log_end();
  // Asked before reading: what was written until then is read below.
  const bool alive = life_.may_still_write(instance_);
  std::string text;
  const Result<bool> more = reader_.read(text, limits::kListChunkBytes);
  const bool goes_on = more && !reader_.limit_reached() && (*more || (follow_ && alive));
  over_ = !goes_on;
  if (goes_on) timer_->arm(clock_.now() + (*more ? Duration{} : kLookEvery));
  if (!text.empty()) return deliver(text);
  if (over_) sink_.on_log_end();
}

// The sink may pause or destroy this stream from inside on_log, so the end comes in a turn of its
// own.
void LogTail::deliver(const std::string& text) {
  if (over_) timer_->arm(clock_.now());
  sink_.on_log(text);
}

}  // namespace coracle::node
