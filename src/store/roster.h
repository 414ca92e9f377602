// SPDX-License-Identifier: GPL-2.0-or-later
// The members of the cluster as the log tells them: the configuration that raft counts by, what is
// known about each member, and every id that was ever used. A part of the replicated state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/conf_change.h"
#include "store/membership.h"

namespace coracle::store {

inline constexpr size_t kMembersMax = 16;

enum class MemberVerb : uint8_t { kPut = 1, kPromote = 2, kRemove = 3 };  // numbers in the log

// The context of a configuration change: who asked, and for what.
struct MemberRequest {
  raft::NodeId asker = raft::kNobody;
  uint64_t sequence = 0;
  MemberVerb verb = MemberVerb::kPut;
  Member member;  // kPut; else only the id

  std::string encode() const;
  static std::optional<MemberRequest> decode(std::string_view bytes);
};

class Roster {
 public:
  const std::vector<Member>& members() const { return members_; }
  const Member* find(raft::NodeId id) const;
  const raft::ConfState& configuration() const { return configuration_; }
  uint64_t cluster() const { return cluster_; }
  raft::NodeId fresh_id() const { return highest_id_ + 1; }
  size_t voters() const { return configuration_.voters.size(); }

  static Roster founded(uint64_t cluster, Member first);
  static Roster joining(uint64_t cluster, std::vector<Member> members);

  // Whether the request can be granted as things stand; then `change` is what raft must do.
  Result<> judge(const MemberRequest& request, raft::ConfChange& change) const;
  void granted(const MemberRequest& request);
  void configured(raft::ConfState configuration);

  std::string encode() const;
  static std::optional<Roster> decode(std::string_view bytes);

 private:
  Result<> judge_put(const Member& member) const;

  uint64_t cluster_ = 0;
  raft::NodeId highest_id_ = 0;
  raft::ConfState configuration_;
  std::vector<Member> members_;
};

}  // namespace coracle::store
