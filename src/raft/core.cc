// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/core.h"

namespace coracle::raft {

Result<std::unique_ptr<Core>> Core::open(const Options& options,
                                         const Storage& storage,
                                         Trace* trace) {
  TRY(valid(options));
  std::unique_ptr<Core> core(new Core(options, storage, trace));
  TRY(core->machine_.start(storage));
  core->last_soft_ = core->machine_.soft_state();
  core->last_hard_ = core->machine_.hard_state();
  return core;
}

Result<> Core::step(Input input, Effects& effects) {
  Result<> given = give(std::move(input));
  effects = take_effects();
  return given;
}

Result<> Core::give(Input input) {
  NodeId self = machine_.id();
  Message message;
  switch (input.kind) {
    case Input::Kind::kTick:
      machine_.tick();
      return {};
    case Input::Kind::kResponse:
      ASSERT(input.message.to == self);
      return machine_.step(std::move(input.message));
    case Input::Kind::kMessage:
      return receive(std::move(input.message));
    case Input::Kind::kPropose:
      message = {.type = MessageType::kPropose, .from = self};
      message.entries.push_back({.data = std::move(input.data)});
      for (Payload& data : input.more)
        message.entries.push_back({.data = std::move(data)});
      break;
    case Input::Kind::kChange:
      if (input.change.changes.size() > kChangesMax) {
        return fail(Code::kInvalid, "raft: too many changes");
      }
      message = {.type = MessageType::kPropose, .from = self};
      message.entries.push_back({.type = input.change_type, .data = Payload(encode(input.change))});
      break;
    case Input::Kind::kRead:
      message = {.type = MessageType::kReadIndex, .request = input.request};
      break;
    case Input::Kind::kCampaign:
      message = {.type = MessageType::kCampaign};
      break;
    case Input::Kind::kTransfer:
      message = {.type = MessageType::kTransferLeader, .from = input.node};
      break;
    case Input::Kind::kForgetLeader:
      message = {.type = MessageType::kForgetLeader};
      break;
    case Input::Kind::kUnreachable:
      message = {.type = MessageType::kUnreachable, .from = input.node};
      break;
    case Input::Kind::kSnapshotDone:
      message = {.type = MessageType::kSnapshotStatus, .from = input.node, .reject = input.failed};
      break;
  }
  return machine_.step(std::move(message));
}

Result<> Core::receive(Message message) {
  TRY(admissible(message, machine_.id()));
  if (is_reply(message.type) && !machine_.tracker().find(message.from)) {
    return fail(Code::kNotFound, "raft: cannot step as peer not found");
  }
  return machine_.step(std::move(message));
}

bool Core::has_effects() const {
  const Machine& machine = machine_;
  HardState hard = machine.hard_state();
  return machine.soft_state() != last_soft_ || (!hard.empty() && hard != last_hard_) ||
         machine.log().unstable().has_next_snapshot() || !machine.messages().empty() ||
         !machine.after_append().empty() || !machine.log().unstable().next_entries().empty() ||
         machine.log().has_next_committed(allow_unstable()) || !machine.reads().empty();
}

}  // namespace coracle::raft
