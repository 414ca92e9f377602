// SPDX-License-Identifier: GPL-2.0-or-later
// Reads that wait for proof that this leader still leads. Each gets the next number of this
// leadership; heartbeats carry the highest number, their replies acknowledge it, and a quorum of
// acknowledgements confirms all reads up to it, just as a quorum of stored indexes commits entries.
// Numbers are never reused within a term, so a late reply can only confirm reads that were asked
// before its heartbeat was sent (etcd-io/etcd#20418 was the opposite).
#pragma once

#include <deque>

#include "raft/message.h"

namespace coracle::raft {

class ReadQueue final : public Acknowledged {
 public:
  struct Read {
    Message request;
    Index index;  // commit index when it was asked
  };

  void add(Message request, Index commit);
  void acknowledge(NodeId from, uint64_t number);
  std::vector<Read> confirmed(const Voters& voters);  // taken out of the queue
  uint64_t newest() const { return waiting_.empty() ? 0 : confirmed_ + waiting_.size(); }
  size_t size() const { return waiting_.size(); }
  std::optional<Index> by(NodeId voter) const override;

 private:
  std::deque<Read> waiting_;
  uint64_t confirmed_ = 0;  // number of the last read taken out
  std::map<NodeId, uint64_t> acknowledged_;
};

}  // namespace coracle::raft
