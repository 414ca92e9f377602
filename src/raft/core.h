// SPDX-License-Identifier: GPL-2.0-or-later
// The consensus core's face: inputs in, effects out, with the behaviour of etcd raft's RawNode.
//
// step(input, effects) is the whole loop. With async_storage the effects carry kStorageAppend and
// kStorageApply messages to the lanes; when one is carried out, its responses are delivered: those
// to this node come back as kResponse, the others are sent. Messages to one lane must be carried
// out in order and are never lost. A snapshot comes through the log lane and may overtake entries
// that are on their way to be applied: those up to its index are then skipped.
//
// Without async_storage the caller makes `entries`, `hard` and `snapshot` durable, then sends the
// messages, applies `committed`, and calls advance() before the next step.
//
// Whoever streams a snapshot reports its end (kSnapshotDone): nothing more is sent to that member
// until then, or until it acknowledges. A read is answered by a ReadState, or never: whoever waits
// asks again when the leader changes or time is up.
#pragma once

#include <memory>

#include "raft/machine.h"

namespace coracle::raft {

struct Input {
  enum class Kind : uint8_t {
    kTick,
    kResponse,  // message: to this node, of a storage message that was carried out
    kMessage,   // message, from another member: the transport vouches for its `from`
    kPropose,   // data
    kChange,    // change
    kRead,      // request
    kCampaign,
    kTransfer,  // to node
    kForgetLeader,
    kUnreachable,   // node
    kSnapshotDone,  // node; failed
  };
  Kind kind = Kind::kTick;
  Message message = {};
  Payload data = {};
  std::vector<Payload> more = {};  // kPropose: further entries, all or none with the first
  ConfChange change = {};
  EntryType change_type = EntryType::kConfChangeV2;
  uint64_t request = 0;
  NodeId node = kNobody;
  bool failed = false;
};

struct Effects {
  std::optional<SoftState> soft;  // set if it changed
  HardState hard;                 // empty if it did not change
  std::vector<ReadState> reads;
  std::vector<Entry> entries;    // to be made durable; the first may replace what is stored
  Snapshot snapshot;             // to be made durable and applied
  std::vector<Entry> committed;  // to be applied
  std::vector<Message> messages;
  bool must_sync = false;        // durable before messages are sent
  std::optional<Error> failure;  // committed entries could not be read back
};

class Core {
 public:
  // `storage` and `trace` (may be null) must outlive the core.
  static Result<std::unique_ptr<Core>> open(const Options& options,
                                            const Storage& storage,
                                            Trace* trace);

  // Refusals (no leader, limits, nonsense from a peer) leave the core as it was; effects are
  // collected all the same.
  Result<> step(Input input, Effects& effects);

  // The same in parts, for callers that batch inputs into one round of effects.
  Result<> give(Input input);
  bool has_effects() const;
  Effects take_effects();
  void advance();

  // Called when a committed change is applied, before the entries after it.
  Result<ConfState> apply(const ConfChange& change) { return machine_.apply(change); }

  const Machine& machine() const { return machine_; }
  // For simulators and scripts: until the next change of role.
  void set_election_timeout(uint32_t ticks) { machine_.set_election_timeout(ticks); }

 private:
  Core(const Options& options, const Storage& storage, Trace* trace)
      : machine_(options, storage, trace) {}

  Result<> receive(Message message);
  bool allow_unstable() const { return !machine_.options().async_storage; }
  void add_storage_messages(Effects& effects, std::vector<Message> after_append) const;
  void keep_for_advance(Effects& effects, std::vector<Message> after_append);
  std::optional<Message> append_reply(const Effects& effects) const;
  Message apply_reply(const Effects& effects) const;

  Machine machine_;
  SoftState last_soft_;
  HardState last_hard_;
  std::vector<Message> on_advance_;
};

}  // namespace coracle::raft
