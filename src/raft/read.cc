// SPDX-License-Identifier: GPL-2.0-or-later
// Reads at the leader: the commit index is only an answer once this term has committed something
// (before, an older leader may have committed more than is known here) and a quorum has confirmed
// the leadership.
#include "raft/machine.h"

namespace coracle::raft {

Result<> Machine::read(Message message) {
  if (read_queue_.size() + postponed_reads_.size() >= options_.reads_max) {
    return fail(Code::kTooManyRequests, "raft: too many reads are waiting");
  }
  if (committed_in_term()) {
    start_read(std::move(message));
  } else {
    postponed_reads_.push_back(std::move(message));
  }
  return {};
}

void Machine::start_read(Message message) {
  if (options_.reads == Reads::kLease || tracker_.only_voter(options_.id)) {
    return answer_read(message, log_.committed());
  }
  read_queue_.add(std::move(message), log_.committed());
  read_queue_.acknowledge(options_.id, read_queue_.newest());
  broadcast_heartbeat();
}

void Machine::answer_read(const Message& request, Index index) {
  if (request.from == kNobody || request.from == options_.id) {
    read_states_.push_back({index, request.request});
    return;
  }
  send({.type = MessageType::kReadIndexReply,
        .to = request.from,
        .index = index,
        .request = request.request});
}

void Machine::release_postponed_reads() {
  if (postponed_reads_.empty() || !committed_in_term()) return;
  std::vector<Message> reads = std::move(postponed_reads_);
  postponed_reads_.clear();
  for (Message& read : reads)
    start_read(std::move(read));
}

void Machine::release_confirmed_reads() {
  for (const ReadQueue::Read& read : read_queue_.confirmed(tracker_.config.voters)) {
    answer_read(read.request, read.index);
  }
}

bool Machine::committed_in_term() const {
  return log_.term_or_zero(log_.committed()) == term_;
}

}  // namespace coracle::raft
