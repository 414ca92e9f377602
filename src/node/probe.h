// SPDX-License-Identifier: GPL-2.0-or-later
// One probe of one running container: its timer, its attempts, its thresholds
// (upstream pkg/kubelet/prober). Exists only while the container runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "json/tree.h"
#include "node/attempt.h"

namespace coracle::node {

enum class ProbeType : uint8_t { kStartup, kReadiness, kLiveness };
std::string_view probe_name(ProbeType type);   // "Readiness", as events say it
std::string_view probe_field(ProbeType type);  // "readinessProbe"

class ProbeListener {
 public:
  // The verdict changed by the thresholds; the first one always comes.
  virtual void on_probe(size_t container, ProbeType type, bool healthy) = 0;
  virtual void on_probe_failure(size_t container, ProbeType type, std::string_view why) = 0;

 protected:
  ~ProbeListener() = default;
};

struct ProbePlace {
  AttemptPlace attempt;
  ProbeType type = ProbeType::kReadiness;
  std::string ip;
};

class Probe final : Attempt::Done, port::Alarm {
 public:
  Probe(json::Node container, ProbePlace place, ProbeListener& listener);
  ProbeType type() const { return place_.type; }
  size_t container() const { return place_.attempt.container; }

 private:
  void on_alarm(port::Timer& timer) override;
  void on_attempt(bool ok, std::string_view why) override;

  ProbePlace place_;
  ProbeListener& listener_;
  Deed deed_;
  Duration period_;
  Duration timeout_;
  int64_t successes_needed_;
  int64_t failures_needed_;
  int64_t run_ = 0;  // > 0: successes in a row, < 0: failures
  int verdict_ = 0;  // 0: none yet
  std::unique_ptr<Attempt> attempt_;
  std::unique_ptr<port::Timer> timer_;
};

}  // namespace coracle::node
