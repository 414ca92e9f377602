// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/member_desk.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace coracle::daemon {

namespace {

std::string cell(std::string_view text, size_t width) {
  std::string out(text);
  out.append(out.size() < width ? width - out.size() : 1, ' ');
  return out;
}

std::string_view role_of(const store::Member& member) {
  if (member.role == store::MemberRole::kVoter) return "voter";
  return member.wants_vote ? "joining" : "learner";
}

std::string name_of(const std::vector<store::Member>& members, raft::NodeId id) {
  for (const store::Member& member : members) {
    if (member.id == id) return member.name;
  }
  return "member " + std::to_string(id);
}

}  // namespace

class MemberDesk::Order final : public store::MembershipWaiter {
 public:
  Order(MemberDesk& desk, uint64_t number) : token(number), desk_(desk) {}
  void on_membership(Result<> outcome) override {
    const raft::NodeId gone = std::exchange(removes_next, raft::kNobody);
    if (gone != raft::kNobody) return desk_.membership_.remove(gone, *this);
    desk_.ended(*this, std::move(outcome));
  }
  const uint64_t token;
  raft::NodeId removes_next = raft::kNobody;
  bool removes_self = false;  // then the outcome may be learned from the others alone

 private:
  MemberDesk& desk_;
};

MemberDesk::MemberDesk(store::Membership& membership, ControlServer& control)
    : membership_(membership),
      control_(control) {}

MemberDesk::~MemberDesk() {
  for (const auto& order : orders_)
    membership_.forget(*order);
}

bool MemberDesk::take(uint64_t token, const std::vector<std::string>& words) {
  if (words.empty()) return false;
  if (words[0] == "standing") {
    control_.answer(token, standing());
    return true;
  }
  if (words[0] != "member" && words[0] != "leader") return false;
  if (words[0] == "member" && words.size() == 2 && words[1] == "list") {
    control_.answer(token, member_lines());
    return true;
  }
  if (const Result<> begun = begin(token, words); !begun) control_.answer(token, begun.error());
  return true;
}

Result<raft::NodeId> MemberDesk::find(std::string_view name) const {
  for (const store::Member& member : membership_.members()) {
    if (member.name == name || std::to_string(member.id) == name) return member.id;
  }
  return fail(Code::kNotFound,
              join({"there is no member \"", name, "\"; `coracle member list` shows them"}));
}

// Any voter that does not lead now; one that is known to be there if possible.
raft::NodeId MemberDesk::heir() const {
  const store::Standing now = membership_.standing();
  raft::NodeId best = raft::kNobody;
  bool best_active = false;
  for (const store::Member& member : membership_.members()) {
    if (member.role != store::MemberRole::kVoter || member.id == now.leader) continue;
    const bool active = std::any_of(now.members.begin(), now.members.end(), [&](const auto& lag) {
      return lag.id == member.id && lag.active;
    });
    if (best != raft::kNobody && !active) continue;
    if (best == raft::kNobody || !best_active) best = member.id, best_active = active;
  }
  return best;
}

Result<> MemberDesk::begin(uint64_t token, const std::vector<std::string>& words) {
  const std::string& verb = words.size() > 1 ? words[1] : words[0];
  raft::NodeId target = raft::kNobody;
  if (words.size() > 2) {
    target = TRY(find(words[2]));
  } else if (verb == "transfer") {
    target = heir();
    if (target == raft::kNobody)
      return fail(Code::kConflict, "there is no other member that could lead");
  }
  orders_.push_back(std::make_unique<Order>(*this, token));
  Order& order = *orders_.back();
  order.removes_self = verb == "remove" && target == membership_.standing().self;
  if (verb == "remove" && target == membership_.standing().leader && heir() != raft::kNobody) {
    order.removes_next = target;  // led by another one first, the cluster does not notice
    membership_.transfer(heir(), order);
  } else if (verb == "remove" && target != raft::kNobody) {
    membership_.remove(target, order);
  } else if (verb == "promote" && target != raft::kNobody) {
    membership_.promote(target, order);
  } else if (verb == "transfer") {
    membership_.transfer(target, order);
  } else {
    orders_.pop_back();
    return fail(Code::kBadRequest, "unknown command");
  }
  return {};
}

void MemberDesk::ended(Order& order, Result<> outcome) {
  const bool done = outcome || (order.removes_self && membership_.standing().removed);
  control_.answer(order.token, done ? Result<std::string>(std::string("done\n")) : outcome.error());
  std::erase_if(orders_, [&](const auto& each) { return each.get() == &order; });
}

std::string MemberDesk::standing() const {
  const store::Standing now = membership_.standing();
  const auto& members = membership_.members();
  const auto voters = std::count_if(members.begin(), members.end(), [](const auto& member) {
    return member.role == store::MemberRole::kVoter;
  });
  if (now.removed)
    return join({"this server was removed from the cluster (member ", std::to_string(now.self),
                 "); to come back, empty its data directory and start it with --join and "
                 "--token\n"});
  std::string out =
      join({"leader: ", now.leader == raft::kNobody ? "none" : name_of(members, now.leader),
            "\nterm: ", std::to_string(now.term), "\nserver: ", name_of(members, now.self),
            ", applied ", std::to_string(now.applied), " of ", std::to_string(now.commit), "\n"});
  out += join({"quorum: ", now.leader == raft::kNobody ? "no" : "yes", ", ",
               std::to_string(voters / 2 + 1), " of ", std::to_string(voters), " servers\n"});
  return out;
}

std::string MemberDesk::member_lines() const {
  const store::Standing now = membership_.standing();
  std::string out = now.removed ? standing() : std::string();
  out += "NAME           ID     ROLE       ADDRESS                 STATE\n";
  for (const store::Member& member : membership_.members()) {
    std::string state = member.id == now.leader ? "leader" : "";
    for (const store::Standing::Lag& lag : now.members) {
      if (lag.id != member.id || member.id == now.self) continue;
      const uint64_t behind = now.commit > lag.match ? now.commit - lag.match : 0;
      state = lag.active ? join({std::to_string(behind), " behind"}) : "silent";
    }
    out += cell(member.name, 15) + cell(std::to_string(member.id), 7) + cell(role_of(member), 11) +
           cell(member.addresses.empty() ? "-" : member.addresses.front(), 24) + state + "\n";
  }
  return out;
}

}  // namespace coracle::daemon
