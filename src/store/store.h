// SPDX-License-Identifier: GPL-2.0-or-later
// The replicated store: propose -> commit -> apply -> Change, for one voter as for five.
//
// propose() never blocks. All proposals of a loop turn become one log append and one fdatasync;
// then they are applied in order and each waiter hears its outcome. resourceVersion of a change =
// index of its log entry (D3).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/kind.h"
#include "base/list.h"
#include "base/result.h"
#include "port/clock.h"
#include "port/disk.h"
#include "store/membership.h"

namespace coracle::store {

enum class Operation : uint8_t { kPut, kDelete };

struct Proposal {
  Operation operation = Operation::kPut;
  const api::Kind* kind = nullptr;
  std::string ns;
  std::string name;
  std::string text;       // kPut: normal form (api/object.h)
  uint64_t expected = 0;  // version that the stored object must have; 0: no such object may exist
};

// Outlives the proposal or calls Store::forget first.
class Waiter {
 public:
  // Exactly once. Errors: kAlreadyExists or kConflict (the expectation did not hold when the entry
  // was applied; nothing changed), kTooManyRequests (queue full), kUnavailable (disk full or quota:
  // no leader: retry later), kTimeout (outcome unknown).
  virtual void on_outcome(Result<api::Change> outcome) = 0;

 protected:
  ~Waiter() = default;
};

// Outlives the question or calls Store::forget first.
class ReadWaiter {
 public:
  // Exactly once: what is applied here is now as new as anything that was acknowledged before the
  // question. Errors: kUnavailable (no leader, or no quorum behind it: retry later).
  virtual void on_confirmed(Result<> outcome) = 0;

 protected:
  ~ReadWaiter() = default;
};

class SnapshotSource;  // store/transport.h
class Transport;

// How soon a silent leader is given up: after one to two election timeouts.
struct Timing {
  Duration tick = milliseconds(125);
  uint32_t heartbeat_ticks = 2;
  uint32_t election_ticks = 6;
};
inline constexpr Timing kSlowDisks = {};  // flash cards that stall now and then
inline constexpr Timing kFastDisks = {milliseconds(10), 2, 10};

// The first start of a member that others have added: it waits to be called by them.
struct Joining {
  uint64_t cluster = 0;
  raft::NodeId member = raft::kNobody;
  std::vector<Member> members;  // as known so far, this one included
};

struct StoreOptions {
  std::string directory;     // e.g. /var/lib/coracle/store; made if absent
  size_t segment_bytes = 0;  // 0: limits.h
  size_t segments = 0;
  size_t message_bytes = 0;        // of entries sent at a time; 0: enough for a good throughput
  Transport* transport = nullptr;  // outlives the store; null: it stays alone
  // Random, fresh at every start: the cluster's id at the first, and what keeps the numbers of one
  // life apart from those of another.
  uint64_t entropy = 0;
  // First start only. Either this founds a cluster of one voter, which `self` names ...
  Member self = {};
  std::optional<Joining> joining = {};  // ... or it joins one.
  Timing timing = {};
};

// Where a watcher stands in the ring of recent changes.
struct Position {
  uint64_t sequence = 0;
};

enum class RingRead : uint8_t {
  kChange,
  kEnd,
  kLost
};  // kLost: overwritten; the watcher must be closed

// A consistent LIST in key order at one version, row by row, without a copy of the list: rows as
// stored, corrected by the ring where they changed after `version()`. next() reads a bounded batch
// at a time; may be left between turns.
class Rows {
 public:
  virtual ~Rows() = default;
  struct Row {
    std::string_view key;   // storage key
    std::string_view text;  // normal form; valid until the next call
    uint64_t version = 0;
  };
  // False at the end. kExpired when the ring no longer reaches back to version().
  virtual Result<bool> next(Row& row) = 0;
  virtual uint64_t version() const = 0;
};

class Store : public api::State {
 public:
  virtual ~Store() = default;

  virtual void propose(Proposal proposal, Waiter& waiter) = 0;
  virtual void forget(Waiter& waiter) = 0;  // its proposals go on; the outcome is dropped

  // Asks a quorum that reads from here on miss nothing that was acknowledged before. True: they do
  // not, and nobody is called; so it always is for a single voter.
  virtual bool confirm(ReadWaiter& waiter) = 0;
  virtual void forget(ReadWaiter& waiter) = 0;

  virtual Membership& membership() = 0;

  // The bytes of a backup file, pulled piece by piece while work goes on: the state as it is now,
  // with checksums. Not to be kept for long: the old state is held meanwhile.
  virtual Result<std::unique_ptr<SnapshotSource>> backup() = 0;

  // get() that tells apart: a null object if there is none, kCorrupt if its checksum does not
  // match.
  virtual Result<api::ObjectRef> find(const api::Kind& kind,
                                      std::string_view ns,
                                      std::string_view name) const = 0;

  // kinds: prefix = api::storage_prefix(kind) [+ ns + "/"]. `after`: only keys greater than it
  // (continue); empty: all. `at`: 0 for the newest version, else exactly that one (kExpired if
  // history does not reach it).
  virtual Result<std::unique_ptr<Rows>> rows(const std::string& prefix,
                                             const std::string& after,
                                             uint64_t at) const = 0;
  virtual Result<uint64_t> count(const std::string& prefix,
                                 const std::string& after) const = 0;  // newest state

  // Reactors: every change, in order, called at the end of the turn that applied it.
  virtual void subscribe(api::Feed& feed) = 0;
  virtual void unsubscribe(api::Feed& feed) = 0;

  // Watchers: pull. A Feed tells when there is something new. kExpired if `version` is older than
  // the ring reaches.
  virtual Result<Position> position_after(uint64_t version) const = 0;
  virtual RingRead read(Position& position,
                        api::Change& change) const = 0;  // kChange: position moved on

  virtual Result<>
  close() = 0;  // flushes everything; for an orderly stop (a crash instead is harmless)

  // For status, metrics and benchmarks.
  struct Figures {
    uint64_t applied = 0;
    uint64_t durable_applied = 0;  // in SQLite, synced
    uint64_t appends = 0;          // fdatasyncs of the log
    uint64_t entries = 0;
    uint64_t log_bytes = 0;
    uint64_t database_bytes = 0;
    uint64_t damaged_rows =
        0;  // reads that met a row with a wrong checksum (left out of State's lists)
    bool damaged_log = false;  // an entry could not be read back
    bool read_only = false;    // disk full or failed
  };
  virtual Figures figures() const = 0;
};

// Makes the directory of a new cluster of one voter from a backup file. Refused where there is a
// store already, and when anything in the file is damaged. Versions go on far above those of the
// backup, so that what was written after it is never taken for something else.
Result<> restore_store(const StoreOptions& options, port::Disk& disk, const std::string& file);

// Opens or creates; replays the log; detects damage (every row and record carries a checksum).
Result<std::unique_ptr<Store>> open_store(const StoreOptions& options,
                                          port::Clock& clock,
                                          port::Disk& disk,
                                          port::Lane& log_lane,
                                          port::Lane& state_lane);

}  // namespace coracle::store
