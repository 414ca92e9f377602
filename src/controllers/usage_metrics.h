// SPDX-License-Identifier: GPL-2.0-or-later
// What pods use, asked of their nodes as long as an autoscaler wants to know and never otherwise.
#pragma once

#include <map>
#include <string>

#include "api/client.h"
#include "api/usage.h"
#include "controllers/controller.h"
#include "port/clock.h"

namespace coracle::controllers {

class UsageMetrics final : public Metrics, api::UsageSink {
 public:
  UsageMetrics(const api::State& state, api::Usages& usages, port::Clock& clock)
      : state_(state),
        usages_(usages),
        clock_(clock) {}
  ~UsageMetrics() { usages_.forget(*this); }
  UsageMetrics(const UsageMetrics&) = delete;
  UsageMetrics& operator=(const UsageMetrics&) = delete;

  // What was heard last; asks the nodes again if that is old, for the next time.
  const PodUsage* of(std::string_view ns, std::string_view pod) override;

 private:
  struct Heard {
    PodUsage usage;
    Mono at;
  };
  void on_usage(uint64_t token, Result<api::NodeUsage> usage) override;
  void ask_all();

  const api::State& state_;
  api::Usages& usages_;
  port::Clock& clock_;
  std::map<std::string, Heard, std::less<>> heard_;  // by "ns/pod"
  Mono asked_;
  bool asked_once_ = false;
};

}  // namespace coracle::controllers
