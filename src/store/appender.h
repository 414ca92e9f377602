// SPDX-License-Identifier: GPL-2.0-or-later
// Carries what raft wants durable to the log, in order: one write and one fdatasync for everything
// that waits. What may only be said or done afterwards is handed back behind it.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "port/disk.h"
#include "raft/message.h"
#include "store/log.h"
#include "store/raft_log.h"

namespace coracle::store {

class AppendListener {
 public:
  virtual void on_stored(std::vector<raft::Message> responses) = 0;
  // Its turn has come and the log rests: install_ended() lets the rest go on.
  virtual void on_install(const raft::Snapshot& snapshot) = 0;
  virtual void on_commit_stored() = 0;
  virtual void on_log_full() = 0;  // more must become durable first; then call start()
  virtual void on_log_failed(Error error) = 0;

 protected:
  ~AppendListener() = default;
};

class Appender {
 public:
  struct Parts {
    Log& log;
    RaftLog& raft_log;
    port::Disk& disk;
    port::Lane& lane;
  };
  Appender(const Parts& parts, AppendListener& listener);

  void push(raft::Message append);       // kStorageAppend
  void push_commit(raft::Index commit);  // makes it known for sure after a restart
  void start();                          // what waits, unless something is under way
  void grow();                           // the ring, because nothing else makes room
  void install_ended();
  bool idle() const { return waiting_.empty() && !busy_; }
  bool stuck() const { return !waiting_.empty() && !busy_; }
  size_t waiting_bytes() const { return waiting_bytes_; }
  uint64_t appends() const { return appends_; }

 private:
  class AppendJob;
  class GrowJob;
  struct Waiting {
    raft::Message message;
    size_t written = 0;  // of its entries
    bool hard_taken = false;
    bool is_commit = false;  // nothing but message.commit
  };
  // What one batch takes along.
  struct Batch {
    std::vector<LogItem> items;
    std::vector<raft::Entry> entries;
    size_t bytes = 0;
  };
  bool deliver_done();
  bool take(Waiting& waiting, Batch& batch) const;
  void take_hard_state(const Waiting& waiting, Batch& batch) const;
  void send(const Batch& batch);
  void on_appended(const LogAppend& append, std::vector<raft::Entry> entries, Result<> result);
  void on_grown(LogGrowth growth, Result<> result);

  Parts parts_;
  AppendListener& listener_;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  uint64_t appends_ = 0;
  bool busy_ = false;
  bool failed_ = false;
};

}  // namespace coracle::store
