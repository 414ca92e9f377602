// SPDX-License-Identifier: GPL-2.0-or-later
// Carries the memtable to SQLite, one transaction a job of the state lane, and checkpoints so that
// log segments can be recycled. Keeps a timer only while there is something to carry.
#pragma once

#include <memory>

#include "base/limits.h"
#include "port/clock.h"
#include "port/disk.h"
#include "store/database.h"
#include "store/log.h"
#include "store/memtable.h"
#include "store/reserve.h"
#include "store/row_stream.h"

namespace coracle::store {

inline constexpr uint64_t kCheckpointPages = 1000;
inline constexpr Duration kFullRetry = seconds(5);

class FlushListener {
 public:
  virtual void on_flushed() = 0;  // there is room again, or the attempt failed for now
  virtual void on_state_failed(Error error) = 0;  // for good
  virtual Applied applied_now() = 0;              // what the memtable and the rows are together

 protected:
  ~FlushListener() = default;
};

enum class Durability : uint8_t {
  kLater,       // with some later flush
  kCheckpoint,  // if nobody reads an old state meanwhile
  kWal,         // surely, but the WAL grows
};

struct FlushOutcome {
  bool committed = false;  // the generation is in SQLite
  bool durable = false;    // and everything committed is synced
  Result<> result;
};
FlushOutcome flush(Writer& writer,
                   const Generation* generation,
                   const Applied& applied,
                   Durability durability);

class Flusher : private port::Alarm {
 public:
  struct Parts {
    std::unique_ptr<Writer>& writer;
    Memtable& memtable;
    Log& log;
    port::Clock& clock;
    port::Lane& lane;
    std::shared_ptr<const StreamPins> pins;
    Reserve& reserve;
  };
  Flusher(const Parts& parts, FlushListener& listener);

  void consider();    // after changes were applied or the log ran out of room
  void flush_all();   // with a checkpoint, for close()
  bool over() const;  // the young generation is at its bound
  bool must_wait() const { return over() && busy_; }
  bool stuck() const;  // disk full and no room left for deletions
  // The rows were replaced by a durable state; nothing may be under way.
  void restart(const Applied& applied);
  bool full() const { return full_; }
  bool busy() const { return busy_; }
  uint64_t durable() const { return durable_; }
  uint64_t bytes_used() const { return bytes_used_; }

 private:
  class FlushJob;
  void on_alarm(port::Timer& timer) override;
  bool log_is_low() const;
  void start(bool durably);
  void finish(const FlushJob& job);

  Parts parts_;
  FlushListener& listener_;
  std::unique_ptr<port::Timer> timer_;
  bool armed_lazily_ = false;  // the timer waits for lazy rows alone
  Applied old_applied_;        // of the old generation
  uint64_t durable_ = 0;       // unknown after opening, until the first checkpoint
  uint64_t bytes_used_ = 0;
  bool busy_ = false;
  bool full_ = false;
  bool failed_ = false;
};

}  // namespace coracle::store
