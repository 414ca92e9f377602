// SPDX-License-Identifier: GPL-2.0-or-later
// Disks that rot: a member that notices gives up its store and comes back as a new one.
#include "base/bytes.h"
#include "store/damage.h"
#include "store/record.h"
#include "tests/sim/quorum_life.h"

namespace coracle::sim {
namespace {

struct Newest {
  std::string path;
  uint64_t sequence = 0;
  uint64_t last_batch = 0;  // where it begins
};

// Damage to the very last batch cannot be told from a torn write: it is left alone.
uint64_t begin_of_last_batch(std::string_view bytes) {
  uint64_t begin = store::kSegmentHeaderBytes;
  uint64_t batch = 0;
  for (uint64_t at = begin; at < bytes.size();) {
    const auto record = store::get_record(bytes.substr(at));
    if (!record || record->batch < batch) break;
    if (record->batch > batch) begin = at;
    batch = record->batch;
    at += store::record_bytes(record->length);
  }
  return begin;
}

Newest newest_segment(port_sim::SimDisk& disk, const std::string& directory) {
  Newest newest;
  for (int number = 0;; ++number) {
    const std::string path = join({directory, "/log/", std::to_string(number)});
    const auto bytes = disk.read_file(path, size_t{1} << 24);
    if (!bytes) return newest;
    const auto header = store::get_segment_header(*bytes);
    if (!header || header->sequence <= newest.sequence) continue;
    newest = {path, header->sequence, begin_of_last_batch(*bytes)};
  }
}

}  // namespace

// Only where everybody else is whole, up and enough.
void QuorumLife::rot() {
  Peer* lead = group_.leader();
  Peer* peer = any_up();
  if (broken_ != raft::kNobody || lead == nullptr || group_.unpromoted()) return;
  for (const auto& change : asked_)
    if (!change->done) return;
  size_t voters = 0;
  for (const store::Member& member : lead->store->membership().members()) {
    const Peer* found = group_.find(member.id);
    if (found == nullptr || !found->up()) return;
    voters += member.role == store::MemberRole::kVoter ? 1 : 0;
  }
  if (voters < 3) return;
  close(*peer, dice().chance(50));
  port_sim::SimDisk& disk = peer->machine->disk();
  const Newest newest = newest_segment(disk, peer->options.directory);
  const uint64_t span = newest.last_batch - std::min(newest.last_batch, store::kSegmentHeaderBytes);
  if (span == 0) return;
  disk.flip_bits(newest.path, store::kSegmentHeaderBytes + dice().below(span), 0x04);
  figures_.rotten++;
  open(*peer);
}

// True: it cannot be opened because it is damaged; that is mended later.
bool QuorumLife::is_damage(Peer& peer, const Error& error) {
  if (error.code != Code::kCorrupt || figures_.rotten == 0) return false;
  broken_ = peer.id;
  return true;
}

// As the daemon does it.
void QuorumLife::mend() {
  for (const auto& peer : group_.peers()) {
    if (!peer->up() || !peer->store->membership().standing().damaged) continue;
    if (figures_.rotten == 0) fail("a member believes to be damaged");
    const raft::NodeId id = peer->id;
    close(*peer, false);
    broken_ = id;
    break;
  }
  Peer* lead = group_.leader();
  if (broken_ == raft::kNobody || lead == nullptr) return;
  Peer* broken = group_.find(broken_);
  if (broken != nullptr) {
    const auto remains = store::read_remains(broken->options.directory, broken->machine->disk());
    if (remains && remains->member != broken_) fail("the remains tell of somebody else");
  }
  if (broken != nullptr ? group_.replace(*broken) : group_.come_back()) {
    figures_.mended++;
    broken_ = raft::kNobody;
  }
  for (const auto& peer : group_.peers()) {
    if (peer->up() && !witnesses_.contains(peer->id)) witness(*peer);
  }
}

}  // namespace coracle::sim
