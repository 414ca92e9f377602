// SPDX-License-Identifier: GPL-2.0-or-later
// What nodes use, for those who ask about any node: from the agent of this process, or over the
// network from the one of that node. Nothing is read unless somebody asks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/usage.h"
#include "port/clock.h"
#include "streams/relay.h"

namespace coracle::daemon {

class UsageRouter final : public api::Usages, port::TurnEnd {
 public:
  UsageRouter(port::Clock& clock, streams::Agents& agents);
  ~UsageRouter();
  UsageRouter(const UsageRouter&) = delete;
  UsageRouter& operator=(const UsageRouter&) = delete;

  void use_local(api::UsageSource* local) { local_ = local; }  // null: none yet

  void ask_usage(const std::string& node, api::UsageSink& sink, uint64_t token) override;
  void forget(api::UsageSink& sink) override;

 private:
  class Question;
  void on_turn_end() override;

  port::Clock& clock_;
  streams::Agents& agents_;
  api::UsageSource* local_ = nullptr;
  std::vector<std::unique_ptr<Question>> questions_;
  std::vector<std::unique_ptr<Question>> told_;  // being answered
};

}  // namespace coracle::daemon
