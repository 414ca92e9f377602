// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/time_floor.h"

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::daemon {
namespace {

constexpr Duration kSoon = minutes(10);       // a clock that was wrong at start is set by then
constexpr Duration kInterval = minutes(360);  // flash: four small writes a day
// A clock that was once far ahead must not spoil every certificate for good: from a file nothing is
// believed that lies further ahead than certificates are dated back.
constexpr Duration kBelievable = seconds(int64_t{9} * 365 * 86'400);

class Writing final : public port::Job {
 public:
  Writing(port::Disk& disk, std::string path, std::string text)
      : disk_(disk),
        path_(std::move(path)),
        text_(std::move(text)) {}
  void run() override { outcome_ = disk_.replace_file(path_, text_, 0600); }
  void done() override {
    if (outcome_) return;
    LOG(kWarn, "daemon: time not kept", kv("error", outcome_.error().message));
  }

 private:
  port::Disk& disk_;
  const std::string path_;
  const std::string text_;
  Result<> outcome_;
};

}  // namespace

TimeFloor::TimeFloor(std::string path, port::Clock& clock, port::Disk& disk, port::Lane& lane)
    : path_(std::move(path)),
      clock_(clock),
      disk_(disk),
      lane_(lane),
      timer_(clock.timer(*this)) {
  timer_->arm(clock_.now() + kSoon);
  const Result<std::string> text = disk_.read_file(path_);
  const std::optional<Wall> kept = text ? parse_rfc3339(trim(*text)) : std::nullopt;
  if (!kept) return;
  if (*kept > clock_.trusted() + kBelievable) {
    LOG(kWarn, "daemon: the time kept is not believable", kv("time", rfc3339(*kept)));
    return;
  }
  clock_.raise_floor(*kept);
}

void TimeFloor::on_alarm(port::Timer&) {
  timer_->arm(clock_.now() + kInterval);
  lane_.submit(std::make_unique<Writing>(disk_, path_, rfc3339(clock_.trusted()) + "\n"));
}

}  // namespace coracle::daemon
