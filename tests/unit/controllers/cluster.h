// SPDX-License-Identifier: GPL-2.0-or-later
// A cluster in a map: what reactors see as State, with just enough of the API's write rules
// (versions, preconditions, subresources, finalizers, graceful deletion) to carry out their plans.
// Answers at once through apply(); as a Client it answers at the end of the turn.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "api/client.h"
#include "port/clock.h"

namespace coracle::testing {

class Cluster final : public api::State {
 public:
  explicit Cluster(Wall start) : now(start) {}

  // --- api::State
  api::ObjectRef get(const api::Kind& kind,
                     std::string_view ns,
                     std::string_view name) const override;
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const override;
  void list_owned_by(std::string_view uid, api::Visitor& visitor) const override;
  uint64_t version() const override { return version_; }

  Result<api::ObjectRef> apply(const api::Call& call);
  // Stores the object as it is, complete with uid and times where they are missing.
  void put(const api::Kind& kind, json::Node object);
  void remove(const api::Object& object);
  std::vector<api::ObjectRef> all() const;
  // Changes since the last call.
  std::vector<api::Change> take_changes() { return std::exchange(changes_, {}); }

  Wall now;
  // Creates of this kind are refused with this error.
  const api::Kind* refused_kind = nullptr;
  std::string refused_with;

 private:
  using Place = std::tuple<std::string_view, std::string, std::string>;  // plural, ns, name
  Result<api::ObjectRef> create(const api::Call& call);
  Result<api::ObjectRef> change(const api::Call& call, const api::ObjectRef& stored);
  Result<api::ObjectRef> end(const api::Call& call, const api::ObjectRef& stored);
  api::ObjectRef store(const api::Kind& kind, json::Node object);

  std::map<Place, api::ObjectRef> objects_;
  std::vector<api::Change> changes_;
  uint64_t version_ = 100;
  uint64_t uids_ = 0;
};

// The in-process Client over a Cluster: calls are carried out at the end of the turn, one log entry
// each, then subscribers hear of the changes and callers get their answers.
class ClusterClient final : public api::Client, port::TurnEnd {
 public:
  ClusterClient(Cluster& cluster, port::Clock& clock) : cluster_(cluster), clock_(clock) {}
  ~ClusterClient() { clock_.cancel_turn_end(*this); }
  const api::State& state() const override { return cluster_; }
  void subscribe(api::Feed& feed) override { feeds_.push_back(&feed); }
  void unsubscribe(api::Feed& feed) override { std::erase(feeds_, &feed); }
  void submit(api::Call call, api::Caller& caller, uint64_t token) override;
  void forget(api::Caller& caller) override;

  void tell();                       // subscribers of changes that a test made itself
  bool hold = false;                 // keep calls unanswered
  void release();                    // answer those kept
  std::vector<api::Call> submitted;  // all but events, in order
  std::vector<size_t> rounds;        // calls that arrived together, without events
  std::vector<std::string> events;   // "Warning FailedCreate d/web: message"
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    api::Call call;
    api::Caller* caller;
    uint64_t token;
  };
  void on_turn_end() override;
  Cluster& cluster_;
  port::Clock& clock_;
  std::vector<api::Feed*> feeds_;
  std::deque<Waiting> waiting_;
};

}  // namespace coracle::testing
