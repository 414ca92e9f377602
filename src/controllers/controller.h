// SPDX-License-Identifier: GPL-2.0-or-later
// A controller is one file and one row: which changes wake which keys, and a pure function from
// state to plan. The runner (runner.h) is the only loop: it dedups keys, runs a key again only
// after its plan is applied (so a plan sees its own writes and needs no expectations), and backs
// off after failures.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "base/result.h"
#include "base/time.h"

namespace coracle::controllers {

class TimeZone;

// How long ago the runner saw an object change. Measured with the monotonic clock: what wall clocks
// say on other nodes does not count (ARCHITECTURE D10).
class Ages {
 public:
  virtual Duration since_change(const api::Object& object) const = 0;
  // How long a node of this name is known to be absent.
  virtual Duration since_gone(std::string_view) const { return {}; }
  // How long a node has had a NoExecute taint with this key.
  virtual Duration since_taint(std::string_view, std::string_view) const { return {}; }

 protected:
  ~Ages() = default;
};

// Why the last plan of this key was not carried out: the first call that the API refused for a
// reason other than that the state had moved on.
struct Refusal {
  api::CallVerb verb = api::CallVerb::kCreate;
  std::string message;
};

// Time zones by name, as far as the machine knows them.
class TimeZones {
 public:
  virtual const TimeZone* find(std::string_view name) const = 0;  // null: unknown

 protected:
  ~TimeZones() = default;
};

// What the containers of a pod used lately.
struct PodUsage {
  struct Container {
    std::string name;
    int64_t cpu_millis = 0;
    int64_t memory_bytes = 0;
  };
  Wall at;
  Duration window;  // over which cpu was counted
  std::vector<Container> containers;
};

class Metrics {
 public:
  virtual const PodUsage* of(std::string_view ns, std::string_view pod) = 0;  // null: unknown

 protected:
  ~Metrics() = default;
};

// What an autoscaler recommended and did within its windows. A new leader starts without.
struct ScalingMemory {
  struct Entry {
    Mono at;
    int64_t replicas = 0;
  };
  std::vector<Entry> recommendations;
  std::vector<Entry> ups;  // replicas added
  std::vector<Entry> downs;
};

// The one thing that plans write to: it is not worth a write to flash every 15 seconds.
class ScalingMemories {
 public:
  virtual ScalingMemory& of(const api::Key& key) = 0;

 protected:
  ~ScalingMemories() = default;
};

// All that a plan may look at.
struct Now {
  const api::State& state;
  Wall wall;
  const Ages& ages;
  std::string_view ca_pem;           // the cluster's certificate authority
  const Refusal* refusal = nullptr;  // null: the last plan went through
  std::string_view pod_cidr = {};    // of the cluster; each node gets a part
  const TimeZones* zones = nullptr;  // null: none but UTC
  Mono mono = {};                    // for windows: wall clocks jump
  Metrics* metrics = nullptr;        // null: nobody measures
  ScalingMemories* scaling = nullptr;
};

using Keys = std::set<api::Key>;

// Adds the keys that a change of `kind` (null: of any kind) wakes. `state` already shows the
// change.
struct Watch {
  const api::Kind* kind = nullptr;
  void (*wake)(const api::Change& change, const api::State& state, Keys& keys) = nullptr;
};

struct Controller {
  std::string_view name;  // "replicaset-controller": source of its events, user agent of its writes
  std::span<const Watch> watches;
  // Pure: objects in, calls out. An error means "try again later".
  Result<api::Plan> (*plan)(const Now& now, const api::Key& key) = nullptr;
  // Keys to look at when the runner starts on a new leader; null: every object of every watched
  // kind wakes its keys.
  void (*first_keys)(const api::State& state, Keys& keys) = nullptr;
};

// --- Wake functions that several controllers use.
void wake_itself(const api::Change& change, const api::State& state, Keys& keys);
// The controlling owner (ownerReferences with controller: true) if it is of this kind, before and
// after the change.
void wake_controller_of(const api::Kind& owners, const api::Change& change, Keys& keys);
template <const api::Kind& kOwners>
void wake_controller(const api::Change& change, const api::State&, Keys& keys) {
  wake_controller_of(kOwners, change, keys);
}
// An object that belongs to nobody may be wanted by any `owners` whose spec.selector matches it.
void wake_adopters_of(const api::Kind& owners,
                      const api::Change& change,
                      const api::State& state,
                      Keys& keys);
template <const api::Kind& kOwners>
void wake_adopters(const api::Change& change, const api::State& state, Keys& keys) {
  wake_adopters_of(kOwners, change, state, keys);
}

// All controllers; one row each (table.cc).
std::span<const Controller* const> all_controllers();

}  // namespace coracle::controllers
