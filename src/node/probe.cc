// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/probe.h"

#include <algorithm>
#include <array>
#include <utility>

namespace coracle::node {

namespace {

constexpr Duration kFirstProbeAfter = milliseconds(100);
constexpr std::array<std::string_view, 3> kNames = {"Startup", "Readiness", "Liveness"};
constexpr std::array<std::string_view, 3> kFields = {"startupProbe", "readinessProbe",
                                                     "livenessProbe"};

}  // namespace

std::string_view probe_name(ProbeType type) {
  return kNames[static_cast<size_t>(type)];
}
std::string_view probe_field(ProbeType type) {
  return kFields[static_cast<size_t>(type)];
}

Probe::Probe(json::Node container, ProbePlace place, ProbeListener& listener)
    : place_(std::move(place)),
      listener_(listener),
      timer_(place_.attempt.clock.timer(*this)) {
  const json::Node probe = container[probe_field(place_.type)];
  const auto at_least_one = [&](std::string_view field, int64_t otherwise) {
    return std::max<int64_t>(1, probe[field].integer(otherwise));
  };
  deed_ = read_deed(probe, container, place_.ip);
  period_ = seconds(std::min<int64_t>(at_least_one("periodSeconds", 10), 1 << 30));
  timeout_ = seconds(std::min<int64_t>(at_least_one("timeoutSeconds", 1), 1 << 30));
  successes_needed_ = at_least_one("successThreshold", 1);
  failures_needed_ = at_least_one("failureThreshold", 3);
  const int64_t delay = std::clamp<int64_t>(probe["initialDelaySeconds"].integer(), 0, 1 << 30);
  // A process needs a moment before it listens, and a failure is an event.
  timer_->arm(place_.attempt.clock.now() + (delay > 0 ? seconds(delay) : kFirstProbeAfter));
}

void Probe::on_alarm(port::Timer&) {
  timer_->arm(place_.attempt.clock.now() + period_);
  if (attempt_ != nullptr) return;
  Attempt::Done& done = *this;
  attempt_ = begin_attempt(place_.attempt, deed_, timeout_, done);
}

void Probe::on_attempt(bool ok, std::string_view why) {
  const std::string message(why);
  attempt_.reset();
  run_ = ok ? std::max<int64_t>(run_, 0) + 1 : std::min<int64_t>(run_, 0) - 1;
  const int verdict = run_ >= successes_needed_ ? 1 : -run_ >= failures_needed_ ? -1 : verdict_;
  const bool changed = verdict != verdict_;
  verdict_ = verdict;
  // The listener may destroy this probe: nothing is touched after the last call.
  ProbeListener& listener = listener_;
  const ProbeType type = place_.type;
  const size_t container = place_.attempt.container;
  if (!ok) listener.on_probe_failure(container, type, message);
  if (changed) listener.on_probe(container, type, verdict > 0);
}

}  // namespace coracle::node
