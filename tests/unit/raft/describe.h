// SPDX-License-Identifier: GPL-2.0-or-later
// What the core says and does, in the words of etcd's raft.
#pragma once

#include "raft/core.h"

namespace coracle::raft {

std::string hex_id(NodeId id);
const char* type_text(MessageType type);
std::optional<MessageType> parse_type(std::string_view text);
const char* role_text(Role role);
std::string changes_text(const std::vector<Change>& changes);  // "v1 l2"
std::string describe(const Entry& entry);
std::string describe(std::span<const Entry> entries);  // one a line
std::string describe(const Message& message, const std::string& indent = "");
std::string describe(const Effects& effects);

// Levels: 0 debug, 1 info, 2 warning, 3 error, 4 fatal, 5 none.
struct Line {
  int level;
  std::string text;
};
Line describe(const Note& note);

}  // namespace coracle::raft
