// SPDX-License-Identifier: GPL-2.0-or-later
// LocalClient: how a component in this process writes and reads. Each has its own user; its calls
// pass the pipeline from authorization on. Answers come at the end of a turn, never from inside
// submit().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "apiserver/server.h"

namespace coracle::apiserver {

struct LocalUser {
  std::string name;                 // "system:kube-controller-manager", "system:node:gw1"
  std::vector<std::string> groups;  // "system:nodes"; system:authenticated is added
};

class LocalClient final : public api::Client {
 public:
  LocalClient(ApiServer& server, LocalUser user);
  ~LocalClient();
  LocalClient(const LocalClient&) = delete;
  LocalClient& operator=(const LocalClient&) = delete;

  const api::State& state() const override;
  void subscribe(api::Feed& feed) override;
  void unsubscribe(api::Feed& feed) override;
  void submit(api::Call call, api::Caller& caller, uint64_t token) override;
  void forget(api::Caller& caller) override;

 private:
  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace coracle::apiserver
