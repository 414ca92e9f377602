// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/usage_metrics.h"

#include "base/bytes.h"

namespace coracle::controllers {

namespace {

constexpr Duration kFresh = seconds(10);  // autoscalers look every 15
constexpr Duration kKept = seconds(60);   // of a node that is silent
constexpr uint64_t kNanoPerMilli = 1'000'000;

}  // namespace

const PodUsage* UsageMetrics::of(std::string_view ns, std::string_view pod) {
  if (!asked_once_ || clock_.now() - asked_ >= kFresh) ask_all();
  const auto found = heard_.find(join({ns, "/", pod}));
  return found == heard_.end() ? nullptr : &found->second.usage;
}

void UsageMetrics::ask_all() {
  asked_once_ = true;
  asked_ = clock_.now();
  std::erase_if(heard_, [this](const auto& each) { return asked_ - each.second.at >= kKept; });
  api::for_each(state_, api::kNode, {}, [this](const api::ObjectRef& node) {
    usages_.ask_usage(std::string(node->name()), *this, 0);
  });
}

void UsageMetrics::on_usage(uint64_t, Result<api::NodeUsage> usage) {
  if (!usage) return;  // what was heard before counts for a minute
  for (const api::PodUsage& pod : usage->pods) {
    Heard& heard = heard_[join({pod.ns, "/", pod.name})];
    heard.at = clock_.now();
    heard.usage = {usage->at, usage->window, {}};
    for (const api::ContainerUsage& each : pod.containers) {
      heard.usage.containers.push_back({each.name,
                                        static_cast<int64_t>(each.usage.nano_cores / kNanoPerMilli),
                                        static_cast<int64_t>(each.usage.memory_bytes)});
    }
  }
}

}  // namespace coracle::controllers
