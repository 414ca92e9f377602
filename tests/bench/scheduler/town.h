// SPDX-License-Identifier: GPL-2.0-or-later
// A cluster that costs next to nothing: objects in a map, writes carried out at the end of the
// turn. What is measured beside it is the scheduler alone.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "api/client.h"
#include "port/clock.h"

namespace coracle::bench {

class Town final : public api::State, public api::Client, port::TurnEnd {
 public:
  explicit Town(port::Clock& clock) : clock_(clock) {}
  ~Town() { clock_.cancel_turn_end(*this); }

  // --- api::State
  api::ObjectRef get(const api::Kind& kind,
                     std::string_view ns,
                     std::string_view name) const override;
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const override;
  void list_owned_by(std::string_view, api::Visitor&) const override {}
  uint64_t version() const override { return version_; }

  // --- api::Client
  const api::State& state() const override { return *this; }
  void subscribe(api::Feed& feed) override { feed_ = &feed; }
  void unsubscribe(api::Feed&) override { feed_ = nullptr; }
  void submit(api::Call call, api::Caller& caller, uint64_t token) override;
  void forget(api::Caller& caller) override;

  // JSON that starts with kind, apiVersion and metadata.
  void put(const api::Kind& kind, std::string text);
  size_t bound() const { return bound_; }
  size_t ended() const { return ended_; }

 private:
  struct Waiting {
    api::Call call;
    api::Caller* caller;
    uint64_t token;
  };
  using Objects = std::map<std::string, api::ObjectRef, std::less<>>;  // by "ns/name"
  void on_turn_end() override;
  Result<api::ObjectRef> carry_out(const api::Call& call);
  Result<api::ObjectRef> bind(const api::Call& call, api::ObjectRef& pod);

  port::Clock& clock_;
  api::Feed* feed_ = nullptr;
  std::map<const api::Kind*, Objects> objects_;
  std::deque<Waiting> waiting_;
  uint64_t version_ = 1;
  size_t bound_ = 0;
  size_t ended_ = 0;
};

}  // namespace coracle::bench
