// SPDX-License-Identifier: GPL-2.0-or-later
// A store on a simulated machine, and the few verbs with which tests use it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "port/sim/world.h"
#include "store/store.h"

namespace coracle::store {

inline std::string config_map(const std::string& ns,
                              const std::string& name,
                              const std::string& value) {
  return join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")", name,
               R"(","namespace":")", ns, R"(","uid":"uid-)", name, R"("},"data":{"v":")", value,
               R"("}})"});
}

inline std::string lease(const std::string& name, const std::string& holder) {
  return join({R"({"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":")",
               name, R"(","namespace":"n"},"spec":{"holderIdentity":")", holder, R"("}})"});
}

struct Outcome : Waiter {
  void on_outcome(Result<api::Change> result) override {
    count++;
    if (result) {
      change = std::move(*result);
    } else {
      error = std::move(result).error();
    }
  }
  bool ok() const { return count == 1 && change.has_value(); }
  std::optional<api::Change> change;
  std::optional<Error> error;
  int count = 0;
};

class Bench {
 public:
  explicit Bench(uint64_t seed = 1) : world(seed) {}
  ~Bench() { store.reset(); }

  Result<> open() {
    store.reset();
    log_lane = machine.lane();
    state_lane = machine.lane();
    auto opened = open_store(options, machine.clock(), machine.disk(), *log_lane, *state_lane);
    if (!opened) return std::move(opened).error();
    store = std::move(*opened);
    return {};
  }
  // The process dies, and the machine with it.
  void cut_power() {
    machine.disk().power_off();
    store.reset();
    machine.disk().power_on();
  }

  std::unique_ptr<Outcome> propose_put(const std::string& name,
                                       const std::string& value,
                                       uint64_t expected) {
    auto outcome = std::make_unique<Outcome>();
    store->propose(
        {Operation::kPut, &api::kConfigMap, "d", name, config_map("d", name, value), expected},
        *outcome);
    return outcome;
  }
  void settle(const Outcome& outcome) {
    world.run_until([&] { return outcome.count > 0; }, seconds(30));
  }
  // The version written; 0 if refused.
  uint64_t put(const std::string& name, const std::string& value, uint64_t expected = 0) {
    const auto outcome = propose_put(name, value, expected);
    settle(*outcome);
    return outcome->ok() ? outcome->change->version : 0;
  }
  uint64_t remove(const std::string& name, uint64_t expected) {
    Outcome outcome;
    store->propose({Operation::kDelete, &api::kConfigMap, "d", name, "", expected}, outcome);
    settle(outcome);
    return outcome.ok() ? outcome.change->version : 0;
  }
  // The stored text's value, "" if there is none.
  std::string value_of(const std::string& name) {
    const api::ObjectRef object = store->get(api::kConfigMap, "d", name);
    return object ? std::string(value_in(object->text())) : "";
  }
  static std::string_view value_in(std::string_view text) {
    const size_t at = text.find("\"v\":\"");
    if (at == std::string_view::npos) return {};
    return text.substr(at + 5, text.size() - at - 5 - 3);
  }
  // "a=1 b=2" of everything under the prefix, at a version.
  std::string listing(uint64_t at = 0, const std::string& after = "") {
    auto rows = store->rows(prefix, after, at);
    return rows ? drain(**rows) : rows.error().message;
  }
  static std::string drain(Rows& rows) {
    std::string out;
    for (Rows::Row row;;) {
      const auto more = rows.next(row);
      if (!more) return more.error().message;
      if (!*more) return out;
      if (!out.empty()) out += ' ';
      out += join({row.key.substr(row.key.rfind('/') + 1), "=", value_in(row.text)});
    }
  }

  port_sim::World world;
  port_sim::Machine& machine = world.machine();
  StoreOptions options{"/var/lib/coracle/store", 64 * 1024, 4};
  std::unique_ptr<port::Lane> log_lane;
  std::unique_ptr<port::Lane> state_lane;
  std::unique_ptr<Store> store;
  const std::string prefix = api::storage_prefix(api::kConfigMap) + "d/";
};

}  // namespace coracle::store
