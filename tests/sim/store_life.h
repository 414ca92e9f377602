// SPDX-License-Identifier: GPL-2.0-or-later
// A store that lives many short lives on one disk. Each ends in a power cut at a disk operation of
// chance, in the death of the process, or in an orderly stop; the next begins by checking that
// nothing that was acknowledged or seen is missing, nothing is half there, and versions have not
// gone back.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/kind.h"
#include "base/bytes.h"
#include "port/sim/world.h"
#include "store/store.h"
#include "tests/sim/model.h"

namespace coracle::sim {

class StoreLife {
 public:
  explicit StoreLife(uint64_t seed) : world_(seed) {
    options_.directory = "/var/lib/coracle/store";
    options_.segment_bytes = size_t{4096} << dice().below(4);
    options_.segments = dice().between(2, 5);
  }
  ~StoreLife() {
    machine_.disk().power_off();
    end();
  }

  void lie_about_syncs() { machine_.disk().faults().ignores_syncs = true; }

  // Lives until `cuts` power cuts have happened. False: failure() tells what was wrong.
  bool live(uint64_t cuts) {
    while (cuts_ < cuts && failure_.empty()) {
      if (!wake() || !check()) break;
      work();
    }
    return failure_.empty();
  }
  const std::string& failure() const { return failure_; }
  uint64_t cuts() const { return cuts_; }
  uint64_t acknowledged() const { return acknowledged_; }

 private:
  struct Promise : store::Waiter {
    Promise(StoreLife& life_in, Verdict verdict_in, uint64_t version_in)
        : life(life_in),
          verdict(verdict_in),
          version(version_in) {}
    void on_outcome(Result<api::Change> outcome) override {
      answered = true;
      life.answered(*this, outcome);
    }
    StoreLife& life;
    Verdict verdict;
    uint64_t version;
    bool answered = false;
  };
  struct Witness : api::Feed {
    void on_change(const api::Change& change) override {
      in_order = in_order && change.version > last;
      last = change.version;
    }
    uint64_t last = 0;
    bool in_order = true;
  };

  port_sim::Dice& dice() { return world_.dice(); }
  port_sim::SimDisk& disk() { return machine_.disk(); }
  bool fail_with(const std::string& what) {
    if (failure_.empty()) failure_ = what;
    return false;
  }

  // --- the ends of a life
  void end() {
    store_.reset();
    promises_.clear();
    log_lane_.reset();
    state_lane_.reset();
  }
  void cut() {
    cuts_++;
    disk().power_off();
    end();
    disk().power_on();
  }

  Result<> open() {
    log_lane_ = machine_.lane();
    state_lane_ = machine_.lane();
    auto opened = store::open_store(options_, machine_.clock(), disk(), *log_lane_, *state_lane_);
    if (!opened) return std::move(opened).error();
    store_ = std::move(*opened);
    return {};
  }

  // Opening may be cut short, too, again and again.
  bool wake() {
    for (starts_ = 1;; ++starts_) {
      const bool cut_early = dice().chance(30);
      const uint64_t after = cut_early ? dice().between(1, 40) : dice().between(1, 300);
      disk().faults().power_off_at = disk().platter().operations() + after;
      const Result<> opened = open();
      if (opened && disk().platter().powered()) break;
      if (!opened && disk().platter().powered())
        return fail_with("does not open: " + opened.error().message);
      cut();
    }
    witness_ = Witness{};
    witness_.last = store_->version();
    store_->subscribe(witness_);
    return true;
  }

  // --- checks
  // Each start, cut short or not, may have added an entry of its own that writes nothing.
  bool check() {
    const uint64_t version = store_->version();
    if (first_life_) model_.start(version);
    const uint64_t starts = first_life_ ? 0 : starts_;
    first_life_ = false;
    uint64_t last = std::min(version - std::min<uint64_t>(starts, 1), model_.version());
    while (last + starts > version && last > promised_ && !same_state(model_.at(last)))
      last--;
    if (last + starts < version) return fail_with("more writes than were ever proposed");
    if (last < promised_) {
      return fail_with(join({"acknowledged up to ", std::to_string(promised_), ", recovered only ",
                             std::to_string(last)}));
    }
    model_.roll_back(last);
    model_.skip_to(version);
    promised_ = version;
    return check_list(0, model_.now()) && check_old_list() && check_ring();
  }

  bool same_state(const Values& should) {
    Values is;
    for (const api::Kind* kind : {&api::kConfigMap, &api::kLease}) {
      auto rows = store_->rows(api::storage_prefix(*kind), "", 0);
      for (store::Rows::Row row; rows && more(**rows, row);)
        is[std::string(row.key)] = {std::string(row.text), row.version};
    }
    return is == should;
  }

  static bool more(store::Rows& rows, store::Rows::Row& row) {
    const auto next = rows.next(row);
    return next && *next;
  }

  static std::string difference(const Values& is, const Values& should) {
    for (const auto& [key, value] : should) {
      const auto found = is.find(key);
      if (found == is.end()) return key + " is missing";
      if (found->second.version != value.version) {
        return join({key, " has version ", std::to_string(found->second.version), " instead of ",
                     std::to_string(value.version)});
      }
      if (found->second.text != value.text) return key + " has another text";
    }
    for (const auto& [key, value] : is) {
      if (!should.contains(key)) return key + " is there but should not";
    }
    return "";
  }

  bool check_list(uint64_t at, const Values& should) {
    Values is;
    uint64_t count = 0;
    for (const api::Kind* kind : {&api::kConfigMap, &api::kLease}) {
      const std::string prefix = api::storage_prefix(*kind);
      auto rows = store_->rows(prefix, "", at);
      if (!rows) return fail_with("list: " + rows.error().message);
      for (store::Rows::Row row;;) {
        const auto more = (*rows)->next(row);
        if (!more && more.error().code == Code::kExpired && at != 0) return true;
        if (!more) return fail_with("list: " + more.error().message);
        if (!*more) break;
        is[std::string(row.key)] = {std::string(row.text), row.version};
      }
      count += store_->count(prefix, "").value();
    }
    const std::string wrong = difference(is, should);
    if (!wrong.empty()) return fail_with(join({"list at ", std::to_string(at), ": ", wrong}));
    if (at == 0 && count != should.size()) return fail_with("count is wrong");
    return true;
  }

  bool check_old_list() {
    if (model_.version() <= model_.oldest()) return true;
    const uint64_t at = model_.version() - dice().below(model_.version() - model_.oldest());
    if (!store_->position_after(at)) return true;
    return check_list(at, model_.at(at));
  }

  bool check_ring() {
    for (const Write& write : model_.writes()) {
      auto position = store_->position_after(write.version - 1);
      if (!position) continue;
      api::Change change;
      if (store_->read(*position, change) != store::RingRead::kChange)
        return fail_with("the ring has a hole");
      const bool deleted = change.type == api::ChangeType::kDeleted;
      if (change.version != write.version || change.after->key() != write.key ||
          deleted != write.text.empty() || (!deleted && change.after->text() != write.text)) {
        return fail_with("the ring tells another story at " + std::to_string(write.version));
      }
    }
    return true;
  }

  // --- work
  void answered(const Promise& promise, const Result<api::Change>& outcome) {
    if (!disk().platter().powered()) return;  // nobody hears it
    const bool accepted = promise.verdict == Verdict::kAccepted;
    if (outcome && accepted && outcome->version == promise.version) {
      promised_ = std::max(promised_, promise.version);
      acknowledged_++;
      return;
    }
    if (!outcome && promise.verdict == Verdict::kAlreadyExists &&
        outcome.error().code == Code::kAlreadyExists)
      return;
    if (!outcome && promise.verdict == Verdict::kConflict &&
        outcome.error().code == Code::kConflict)
      return;
    fail_with(outcome ? "accepted with version " + std::to_string(outcome->version)
                      : "refused: " + outcome.error().message);
  }

  std::string text_of(const api::Kind& kind, const std::string& name) {
    const size_t bytes = dice().chance(5) ? dice().below(1500) : dice().below(200);
    std::string filler;
    while (filler.size() < bytes)
      filler += std::to_string(dice().roll());
    return join({R"({"kind":")", kind.name, R"(","apiVersion":")", api::group_version(kind),
                 R"(","metadata":{"name":")", name, R"(","namespace":"n"},"data":{"v":")", filler,
                 R"("}})"});
  }

  void propose_one() {
    const api::Kind& kind = dice().chance(30) ? api::kLease : api::kConfigMap;
    const std::string name = "k" + std::to_string(dice().below(24));
    const std::string key = api::storage_key(kind, "n", name);
    const auto found = model_.now().find(key);
    uint64_t expected = found == model_.now().end() ? 0 : found->second.version;
    if (dice().chance(5)) expected = dice().below(model_.version() + 2);
    const bool deletes = expected != 0 && dice().chance(20);
    const std::string text = deletes ? "" : text_of(kind, name);
    const Verdict verdict = model_.propose(key, text, expected);
    promises_.push_back(std::make_unique<Promise>(*this, verdict, model_.version()));
    store_->propose({deletes ? store::Operation::kDelete : store::Operation::kPut, &kind, "n", name,
                     text, expected},
                    *promises_.back());
  }

  void work() {
    const uint64_t turns = dice().between(1, 60);
    for (uint64_t i = 0; i < turns && alive(); ++i) {
      for (uint64_t n = dice().below(5); n > 0; --n)
        propose_one();
      for (uint64_t n = dice().below(12); n > 0 && alive(); --n)
        world_.step();
      if (dice().chance(2)) world_.run_for(seconds(dice().chance(50) ? 2 : 70));
      std::erase_if(promises_,
                    [](const std::unique_ptr<Promise>& promise) { return promise->answered; });
      model_.forget_old(400);
    }
    if (!failure_.empty()) return;
    if (!witness_.in_order) fail_with("feeds heard changes out of order");
    promised_ = std::max(promised_, witness_.last);
    if (!disk().platter().powered()) return cut();
    const uint64_t how = dice().below(10);
    if (how < 6) return cut();
    if (how < 8) return end();  // the process dies, the machine does not
    stop();
  }
  bool alive() { return failure_.empty() && disk().platter().powered(); }

  void stop() {
    const Result<> closed = store_->close();
    if (!disk().platter().powered()) return cut();
    if (!closed) fail_with("close: " + closed.error().message);
    if (store_->version() != model_.version()) fail_with("close forgot proposals");
    end();
  }

  port_sim::World world_;
  port_sim::Machine& machine_ = world_.machine();
  store::StoreOptions options_;
  std::unique_ptr<port::Lane> log_lane_;
  std::unique_ptr<port::Lane> state_lane_;
  std::vector<std::unique_ptr<Promise>> promises_;
  Witness witness_;
  std::unique_ptr<store::Store> store_;
  Model model_;
  uint64_t promised_ = 0;  // the newest version that anybody was told of
  uint64_t starts_ = 0;    // tried since the last life
  uint64_t cuts_ = 0;
  uint64_t acknowledged_ = 0;
  bool first_life_ = true;
  std::string failure_;
};

}  // namespace coracle::sim
