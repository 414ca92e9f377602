// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/read_queue.h"

#include <algorithm>

namespace coracle::raft {

void ReadQueue::add(Message request, Index commit) {
  waiting_.push_back({std::move(request), commit});
}

void ReadQueue::acknowledge(NodeId from, uint64_t number) {
  // A number that was never given out proves nothing.
  if (number == 0 || number > confirmed_ + waiting_.size()) return;
  uint64_t& highest = acknowledged_[from];
  highest = std::max(highest, number);
}

std::vector<ReadQueue::Read> ReadQueue::confirmed(const Voters& voters) {
  std::vector<Read> reads;
  uint64_t number = std::min(committed_index(voters, *this), confirmed_ + waiting_.size());
  while (confirmed_ < number) {
    reads.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    confirmed_++;
  }
  return reads;
}

std::optional<Index> ReadQueue::by(NodeId voter) const {
  auto at = acknowledged_.find(voter);
  if (at == acknowledged_.end()) return std::nullopt;
  return at->second;
}

}  // namespace coracle::raft
