// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/roster.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace coracle::store {
namespace {

constexpr size_t kTextBytesMax = 512;
constexpr size_t kAddressesMax = 8;
constexpr size_t kIdsMax = 64;

// What was written, read back in order; once anything is missing everything is.
class Parser {
 public:
  explicit Parser(std::string_view bytes) : rest_(bytes) {}
  uint64_t number() { return good(8) ? get_u64(taken_) : 0; }
  uint32_t count(size_t most) {
    const uint32_t value = good(4) ? get_u32(taken_) : 0;
    good_ = good_ && value <= most;
    return good_ ? value : 0;
  }
  std::string text() {
    const uint32_t size = count(kTextBytesMax);
    return good(size) ? std::string(taken_, size) : std::string();
  }
  std::vector<raft::NodeId> ids() {
    std::vector<raft::NodeId> out(count(kIdsMax));
    for (raft::NodeId& id : out)
      id = number();
    return out;
  }
  bool done() const { return good_ && rest_.empty(); }

 private:
  bool good(size_t bytes) {
    good_ = good_ && rest_.size() >= bytes;
    if (!good_) return false;
    taken_ = rest_.data();
    rest_.remove_prefix(bytes);
    return true;
  }
  std::string_view rest_;
  const char* taken_ = nullptr;
  bool good_ = true;
};

void put_text(std::string& out, std::string_view text) {
  put_u32(out, static_cast<uint32_t>(text.size()));
  out += text;
}

void put_ids(std::string& out, const std::vector<raft::NodeId>& ids) {
  put_u32(out, static_cast<uint32_t>(ids.size()));
  for (const raft::NodeId id : ids)
    put_u64(out, id);
}

void put_member(std::string& out, const Member& member) {
  put_u64(out, member.id);
  put_text(out, member.name);
  put_u32(out, static_cast<uint32_t>(member.addresses.size()));
  for (const std::string& address : member.addresses)
    put_text(out, address);
  put_text(out, member.api_address);
  put_u32(out, member.wants_vote ? 1 : 0);
}

Member get_member(Parser& parser) {
  Member member;
  member.id = parser.number();
  member.name = parser.text();
  member.addresses.resize(parser.count(kAddressesMax));
  for (std::string& address : member.addresses)
    address = parser.text();
  member.api_address = parser.text();
  member.wants_vote = parser.count(1) != 0;
  return member;
}

bool has(const std::vector<raft::NodeId>& ids, raft::NodeId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

std::string MemberRequest::encode() const {
  std::string out;
  put_u64(out, asker);
  put_u64(out, sequence);
  put_u32(out, static_cast<uint32_t>(verb));
  put_member(out, member);
  return out;
}

std::optional<MemberRequest> MemberRequest::decode(std::string_view bytes) {
  Parser parser(bytes);
  MemberRequest request;
  request.asker = parser.number();
  request.sequence = parser.number();
  request.verb = static_cast<MemberVerb>(parser.count(static_cast<size_t>(MemberVerb::kRemove)));
  request.member = get_member(parser);
  if (!parser.done() || request.verb < MemberVerb::kPut) return std::nullopt;
  return request;
}

const Member* Roster::find(raft::NodeId id) const {
  for (const Member& member : members_) {
    if (member.id == id) return &member;
  }
  return nullptr;
}

Roster Roster::founded(uint64_t cluster, Member first) {
  Roster roster;
  roster.cluster_ = cluster;
  roster.highest_id_ = first.id;
  roster.configuration_.voters = {first.id};
  first.role = MemberRole::kVoter;
  first.wants_vote = false;
  roster.members_.push_back(std::move(first));
  return roster;
}

// The configuration stays empty until a leader tells it: who is not in one never campaigns.
Roster Roster::joining(uint64_t cluster, std::vector<Member> members) {
  Roster roster;
  roster.cluster_ = cluster;
  roster.members_ = std::move(members);
  return roster;
}

Result<> Roster::judge_put(const Member& member) const {
  bool fits = member.addresses.size() <= kAddressesMax && member.name.size() <= kTextBytesMax &&
              member.api_address.size() <= kTextBytesMax && !raft::is_lane(member.id);
  for (const std::string& address : member.addresses)
    fits = fits && address.size() <= kTextBytesMax;
  if (!fits) return fail(Code::kInvalid, "a member's name or addresses are too long");
  for (const Member& other : members_) {
    if (other.id != member.id && other.name == member.name) {
      return fail(Code::kConflict,
                  join({"there is a member named ", member.name, " already: remove it first"}));
    }
  }
  if (find(member.id) != nullptr) return {};
  if (member.id <= highest_id_) return fail(Code::kConflict, "the member's id was used before");
  if (members_.size() >= kMembersMax) return fail(Code::kConflict, "there are too many members");
  return {};
}

Result<> Roster::judge(const MemberRequest& request, raft::ConfChange& change) const {
  using Type = raft::Change::Type;
  const raft::NodeId id = request.member.id;
  const Member* known = find(id);
  change.context = request.encode();
  if (request.verb == MemberVerb::kPut) {
    TRY(judge_put(request.member));
    change.changes = {{known != nullptr ? Type::kUpdate : Type::kAddLearner, id}};
    return {};
  }
  if (known == nullptr) return fail(Code::kNotFound, "there is no such member");
  const bool voter = has(configuration_.voters, id);
  if (request.verb == MemberVerb::kPromote) {
    change.changes = {{Type::kAddVoter, id}};
    return voter ? Result<>(fail(Code::kConflict, "the member is a voter already")) : Result<>();
  }
  change.changes = {{Type::kRemove, id}};
  if (voter && voters() == 1) return fail(Code::kConflict, "the last voter cannot be removed");
  return {};
}

void Roster::granted(const MemberRequest& request) {
  const raft::NodeId id = request.member.id;
  if (request.verb == MemberVerb::kRemove) {
    std::erase_if(members_, [id](const Member& member) { return member.id == id; });
  }
  if (request.verb != MemberVerb::kPut) return;
  highest_id_ = std::max(highest_id_, id);
  for (Member& member : members_) {
    if (member.id != id) continue;
    const MemberRole role = member.role;
    member = request.member;
    member.role = role;
    return;
  }
  members_.push_back(request.member);
}

void Roster::configured(raft::ConfState configuration) {
  configuration_ = std::move(configuration);
  for (Member& member : members_) {
    const bool voter = has(configuration_.voters, member.id);
    member.role = voter ? MemberRole::kVoter : MemberRole::kLearner;
    member.wants_vote = member.wants_vote && !voter;
  }
}

std::string Roster::encode() const {
  std::string out;
  put_u64(out, cluster_);
  put_u64(out, highest_id_);
  put_ids(out, configuration_.voters);
  put_ids(out, configuration_.voters_outgoing);
  put_ids(out, configuration_.learners);
  put_ids(out, configuration_.learners_next);
  put_u32(out, configuration_.auto_leave ? 1 : 0);
  put_u32(out, static_cast<uint32_t>(members_.size()));
  for (const Member& member : members_)
    put_member(out, member);
  return out;
}

std::optional<Roster> Roster::decode(std::string_view bytes) {
  Parser parser(bytes);
  Roster roster;
  roster.cluster_ = parser.number();
  roster.highest_id_ = parser.number();
  raft::ConfState configuration;
  configuration.voters = parser.ids();
  configuration.voters_outgoing = parser.ids();
  configuration.learners = parser.ids();
  configuration.learners_next = parser.ids();
  configuration.auto_leave = parser.count(1) != 0;
  roster.members_.resize(parser.count(kIdsMax));
  for (Member& member : roster.members_)
    member = get_member(parser);
  if (!parser.done()) return std::nullopt;
  roster.configured(std::move(configuration));
  return roster;
}

}  // namespace coracle::store
