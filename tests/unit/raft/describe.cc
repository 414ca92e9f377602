// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/raft/describe.h"

#include <cinttypes>
#include <cstdio>

namespace coracle::raft {

namespace {

constexpr const char* kTypes[] = {
    "MsgHup",
    "MsgBeat",
    "MsgProp",
    "MsgApp",
    "MsgAppResp",
    "MsgVote",
    "MsgVoteResp",
    "MsgSnap",
    "MsgHeartbeat",
    "MsgHeartbeatResp",
    "MsgUnreachable",
    "MsgSnapStatus",
    "MsgCheckQuorum",
    "MsgTransferLeader",
    "MsgTimeoutNow",
    "MsgReadIndex",
    "MsgReadIndexResp",
    "MsgPreVote",
    "MsgPreVoteResp",
    "MsgStorageAppend",
    "MsgStorageAppendResp",
    "MsgStorageApply",
    "MsgStorageApplyResp",
    "MsgForgetLeader",
};

std::string target_text(NodeId id) {
  if (id == kNobody) return "None";
  if (id == kAppendLane) return "AppendThread";
  if (id == kApplyLane) return "ApplyThread";
  return hex_id(id);
}

std::string ids_text(const std::vector<NodeId>& ids) {
  std::string text = "[";
  for (NodeId id : ids)
    text += (text.size() > 1 ? " " : "") + std::to_string(id);
  return text + "]";
}

std::string conf_state_text(const ConfState& state) {
  return "Voters:" + ids_text(state.voters) + " VotersOutgoing:" + ids_text(state.voters_outgoing) +
         " Learners:" + ids_text(state.learners) +
         " LearnersNext:" + ids_text(state.learners_next) +
         " AutoLeave:" + (state.auto_leave ? "true" : "false");
}

std::string snapshot_text(const Snapshot& snapshot) {
  return "Index:" + std::to_string(snapshot.index) + " Term:" + std::to_string(snapshot.term) +
         " ConfState:" + conf_state_text(snapshot.conf_state);
}

std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (char c : bytes) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string entries_text(const Message& message, const std::string& indent) {
  if (message.entries.empty()) return "";
  if (message.entries.size() == 1) return " Entries:[" + describe(message.entries[0]) + "]";
  std::string text = " Entries:[";
  for (const Entry& entry : message.entries)
    text += "\n" + indent + "  " + describe(entry);
  return text + "\n" + indent + "]";
}

}  // namespace

std::string hex_id(NodeId id) {
  char text[24];
  std::snprintf(text, sizeof text, "%" PRIx64, id);
  return text;
}

const char* type_text(MessageType type) {
  return kTypes[static_cast<size_t>(type)];
}

std::optional<MessageType> parse_type(std::string_view text) {
  for (size_t i = 0; i < std::size(kTypes); i++) {
    if (kTypes[i] == text) return static_cast<MessageType>(i);
  }
  return std::nullopt;
}

const char* role_text(Role role) {
  static constexpr const char* kRoles[] = {"StateFollower", "StateCandidate", "StateLeader",
                                           "StatePreCandidate"};
  return kRoles[static_cast<size_t>(role)];
}

std::string changes_text(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    if (!text.empty()) text += ' ';
    text += "vrul"[static_cast<size_t>(change.type)];
    text += std::to_string(change.node);
  }
  return text;
}

std::string describe(const Entry& entry) {
  static constexpr const char* kEntryTypes[] = {"EntryNormal", "EntryConfChange",
                                                "EntryConfChangeV2"};
  std::string content;
  if (entry.type == EntryType::kNormal) {
    content = quoted(entry.data.view());
  } else {
    Result<ConfChange> change = decode_conf_change(entry.data.view());
    content = change ? changes_text(change->changes) : change.error().message;
  }
  return std::to_string(entry.term) + "/" + std::to_string(entry.index) + " " +
         kEntryTypes[static_cast<size_t>(entry.type)] + (content.empty() ? "" : " " + content);
}

std::string describe(std::span<const Entry> entries) {
  std::string text;
  for (const Entry& entry : entries)
    text += describe(entry) + "\n";
  return text;
}

std::string describe(const Message& message, const std::string& indent) {
  std::string text = indent + target_text(message.from) + "->" + target_text(message.to) + " " +
                     type_text(message.type) + " Term:" + std::to_string(message.term) +
                     " Log:" + std::to_string(message.log_term) + "/" +
                     std::to_string(message.index);
  if (message.reject) text += " Rejected (Hint: " + std::to_string(message.reject_hint) + ")";
  if (message.commit != 0) text += " Commit:" + std::to_string(message.commit);
  if (message.vote != kNobody) text += " Vote:" + std::to_string(message.vote);
  if (message.read_number != 0) text += " Read:" + std::to_string(message.read_number);
  if (message.request != 0) text += " Request:" + std::to_string(message.request);
  text += entries_text(message, indent);
  if (!message.snapshot.empty()) {
    text += "\n" + indent + "  Snapshot: " + snapshot_text(message.snapshot);
  }
  if (!message.responses.empty()) {
    text += " Responses:[";
    for (const Message& response : message.responses) {
      text += "\n" + describe(response, indent + "  ");
    }
    text += "\n" + indent + "]";
  }
  return text;
}

std::string describe(const Effects& effects) {
  std::string text;
  if (effects.soft) {
    text += "Lead:" + std::to_string(effects.soft->leader) +
            " State:" + role_text(effects.soft->role) + "\n";
  }
  if (!effects.hard.empty()) {
    text += "HardState Term:" + std::to_string(effects.hard.term);
    if (effects.hard.vote != kNobody) text += " Vote:" + std::to_string(effects.hard.vote);
    text += " Commit:" + std::to_string(effects.hard.commit) + "\n";
  }
  if (!effects.reads.empty()) {
    text += "ReadStates";
    for (const ReadState& read : effects.reads) {
      text += " " + std::to_string(read.request) + "@" + std::to_string(read.index);
    }
    text += "\n";
  }
  if (!effects.entries.empty()) text += "Entries:\n" + describe(effects.entries);
  if (!effects.snapshot.empty()) text += "Snapshot " + snapshot_text(effects.snapshot) + "\n";
  if (!effects.committed.empty()) text += "CommittedEntries:\n" + describe(effects.committed);
  if (!effects.messages.empty()) text += "Messages:\n";
  for (const Message& message : effects.messages)
    text += describe(message) + "\n";
  if (text.empty()) return "<empty Ready>";
  return std::string("Ready MustSync=") + (effects.must_sync ? "true" : "false") + ":\n" + text;
}

}  // namespace coracle::raft
