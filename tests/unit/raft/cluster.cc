// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/raft/cluster.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::raft {

namespace {
constexpr size_t kInFlightMax = 400;  // older ones are lost
}

Cluster::Cluster(uint64_t seed, size_t voters, bool pre_vote) : random_(seed) {
  Snapshot start{.index = 5, .term = 1};
  for (NodeId id = 1; id <= voters; id++)
    start.conf_state.voters.push_back(id);
  for (NodeId id = 1; id <= voters + 2; id++) {
    auto member = std::make_unique<Member>();
    member->options = {.id = id,
                       .election_ticks = 10,
                       .heartbeat_ticks = 2,
                       .async_storage = true,
                       .message_bytes_max = 200,
                       .applying_bytes_max = 400,
                       .uncommitted_bytes_max = 2000,
                       .window = {.messages_max = 4, .bytes_max = 400},
                       .check_quorum = pre_vote,
                       .pre_vote = pre_vote,
                       .step_down_on_removal = true,
                       .seed = seed + id};
    if (id <= voters) member->storage.apply(start);
    if (id <= voters) member->state = start;
    open(*member);
    members_.push_back(std::move(member));
  }
}

uint64_t Cluster::draw(uint64_t below) {
  random_ += 0x9e3779b97f4a7c15;
  uint64_t mixed = (random_ ^ (random_ >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return (mixed ^ (mixed >> 31)) % below;
}

void Cluster::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void Cluster::open(Member& member) {
  member.options.applied = member.state.index;
  Result<std::unique_ptr<Core>> core = Core::open(member.options, member.storage, nullptr);
  if (!core) return complain("member does not start: " + core.error().message);
  member.core = std::move(*core);
}

// What was not durable is lost, and with it every promise that waited for it.
void Cluster::crash(Member& member) {
  member.append_work.clear();
  member.apply_work.clear();
  member.options.seed++;
  open(member);
}

void Cluster::compact(Member& member) {
  Index to = std::min(member.state.index, member.storage.last_index());
  if (to <= member.storage.first_index() + 3) return;
  member.storage.compact(to - draw(3));
}

void Cluster::take(Member& member, Input input) {
  bool refusable = input.kind != Input::Kind::kMessage && input.kind != Input::Kind::kResponse;
  Code code = Code::kUnavailable;
  Result<> given = member.core->give(std::move(input));
  if (!given) code = given.error().code;
  // Nothing that members say to each other is ever nonsense.
  if (!given && !refusable && code == Code::kCorrupt) complain(given.error().message);
  check(member);
}

void Cluster::propose(Member& member) {
  Input input{.kind = Input::Kind::kPropose};
  input.data = Payload("p" + std::to_string(++requests_) + std::string(draw(60), '.'));
  take(member, std::move(input));
}

void Cluster::read(Member& member) {
  uint64_t request = ++requests_;
  reads_[request] = highest_commit();
  take(member, {.kind = Input::Kind::kRead, .request = request});
}

void Cluster::change(const ConfChange& change) {
  for (const auto& member : members_) {
    if (member->core->machine().role() != Role::kLeader) continue;
    Input input{.kind = Input::Kind::kChange};
    input.change = change;
    take(*member, std::move(input));
  }
}

Index Cluster::highest_commit() const {
  Index highest = 0;
  for (const auto& member : members_) {
    highest = std::max(highest, member->core->machine().log().committed());
  }
  return highest;
}

void Cluster::check(const Member& member) {
  const Machine& machine = member.core->machine();
  if (machine.role() != Role::kLeader) return;
  auto [at, first] = leaders_.emplace(machine.term(), machine.id());
  if (!first && at->second != machine.id()) {
    complain("two leaders in term " + std::to_string(machine.term()));
  }
}

void Cluster::collect(Member& member) {
  if (!member.core->has_effects()) return;
  Effects effects = member.core->take_effects();
  if (effects.failure) complain(effects.failure->message);
  for (const ReadState& read : effects.reads) {
    reads_answered_++;
    auto asked = reads_.find(read.request);
    if (asked != reads_.end() && read.index < asked->second) {
      complain("stale read: " + std::to_string(read.index) + " instead of " +
               std::to_string(asked->second));
    }
  }
  for (Message& message : effects.messages) {
    if (message.to == kAppendLane)
      member.append_work.push_back(std::move(message));
    else if (message.to == kApplyLane)
      member.apply_work.push_back(std::move(message));
    else
      messages_.push_back(std::move(message));
  }
}

void Cluster::deliver(size_t at, const Weather& weather) {
  Message message = messages_[at];
  if (!chance(weather.doubled_percent)) {
    messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (chance(weather.lost_percent) || broken_.contains({message.from, message.to})) return;
  if (message.to > members_.size()) return;
  Member& to = *members_[message.to - 1];
  Input input{.kind = Input::Kind::kMessage};
  input.message = std::move(message);
  take(to, std::move(input));
}

void Cluster::finish(std::vector<Message> responses, Member& member) {
  for (Message& response : responses) {
    if (response.to != member.options.id) {
      messages_.push_back(std::move(response));
      continue;
    }
    Input input{.kind = Input::Kind::kResponse};
    input.message = std::move(response);
    take(member, std::move(input));
  }
}

void Cluster::append_lane(Member& member) {
  if (member.append_work.empty()) return;
  Message work = std::move(member.append_work.front());
  member.append_work.erase(member.append_work.begin());
  HardState hard{work.term, work.vote, work.commit};
  if (!hard.empty()) member.storage.set_hard_state(hard);
  if (!work.snapshot.empty()) {
    member.storage.apply(work.snapshot);
    member.state = work.snapshot;
  }
  member.storage.append(work.entries);
  finish(std::move(work.responses), member);
}

void Cluster::apply_lane(Member& member) {
  if (member.apply_work.empty()) return;
  Message work = std::move(member.apply_work.front());
  member.apply_work.erase(member.apply_work.begin());
  for (const Entry& entry : work.entries)
    apply(member, entry);
  finish(std::move(work.responses), member);
}

void Cluster::apply(Member& member, const Entry& entry) {
  // A snapshot overtook entries that were already handed to the lane.
  if (entry.index <= member.state.index) return;
  if (entry.index != member.state.index + 1) {
    return complain("member " + std::to_string(member.options.id) + " applies " +
                    std::to_string(entry.index) + " after " + std::to_string(member.state.index));
  }
  if (entry.type != EntryType::kNormal) {
    Result<ConfChange> change = decode_conf_change(entry.data.view());
    Result<ConfState> state = member.core->apply(*change);
    if (state) member.state.conf_state = *state;
  }
  std::string before(member.state.data.view());
  std::string after = std::to_string(crc32c(entry.data.view(), crc32c(before)));
  member.state.data = Payload(after);
  member.state.index = entry.index;
  member.state.term = entry.term;
  member.storage.serve(member.state);
  member.storage.set_conf_state(member.state.conf_state);
  auto [truth, first] = truth_.emplace(entry.index, Truth{entry.term, after});
  if (!first && (truth->second.state != after || truth->second.term != entry.term)) {
    complain("members differ at " + std::to_string(entry.index));
  }
}

// One-way links at random, or the leader alone: it is the one who might answer for a cluster that
// has moved on.
void Cluster::cut() {
  broken_.clear();
  const Member* lonely = leader();
  if (lonely && chance(50)) {
    for (NodeId id = 1; id <= members_.size(); id++) {
      broken_.emplace(lonely->options.id, id);
      broken_.emplace(id, lonely->options.id);
    }
    return;
  }
  for (uint64_t i = draw(members_.size() * 2); i > 0; i--) {
    broken_.emplace(1 + draw(members_.size()), 1 + draw(members_.size()));
  }
}

void Cluster::step(const Weather& weather) {
  Member& member = *members_[draw(members_.size())];
  switch (draw(8)) {
    case 0:
      take(member, {});
      break;
    case 1:
      append_lane(member);
      break;
    case 2:
      apply_lane(member);
      break;
    case 3:
      if (chance(30)) propose(member);
      if (chance(40)) read(member);
      if (chance(5)) compact(member);
      if (chance(5)) report_snapshots(member);
      if (chance(2))
        take(member, {.kind = Input::Kind::kTransfer, .node = 1 + draw(members_.size())});
      break;
    default:
      if (!messages_.empty()) deliver(draw(messages_.size()), weather);
      break;
  }
  if (draw(1000) < weather.crash_permille) crash(member);
  if (draw(1000) < weather.cut_permille) {
    cut();
  }
  collect(*members_[draw(members_.size())]);
  if (messages_.size() > kInFlightMax) messages_.erase(messages_.begin(), messages_.begin() + 100);
}

// A transport knows how a snapshot's stream ended; here whoever waits is told that it failed, which
// is always safe.
void Cluster::report_snapshots(Member& member) {
  std::vector<NodeId> waiting;
  for (const auto& [id, progress] : member.core->machine().tracker().progress) {
    if (progress.state() == Progress::State::kSnapshot) waiting.push_back(id);
  }
  for (NodeId id : waiting) {
    take(member, {.kind = Input::Kind::kSnapshotDone, .node = id, .failed = true});
  }
}

const Cluster::Member* Cluster::leader() const {
  const Member* leader = nullptr;
  for (const auto& member : members_) {
    const Machine& machine = member->core->machine();
    if (machine.role() != Role::kLeader) continue;
    if (!leader || machine.term() > leader->core->machine().term()) leader = member.get();
  }
  return leader;
}

bool Cluster::agreed() const {
  const Member* leader = this->leader();
  if (!leader || leader->core->machine().tracker().config.voters.joint()) return false;
  for (const auto& [id, progress] : leader->core->machine().tracker().progress) {
    if (members_[id - 1]->state.index != leader->core->machine().log().last_index()) return false;
  }
  return leader->state.term == leader->core->machine().term();
}

std::string Cluster::text() const {
  std::string text;
  for (const auto& member : members_) {
    const Machine& machine = member->core->machine();
    text += "member " + std::to_string(machine.id()) + " role " +
            std::to_string(static_cast<int>(machine.role())) + " term " +
            std::to_string(machine.term()) + " log " + std::to_string(machine.log().last_index()) +
            " committed " + std::to_string(machine.log().committed()) + " state " +
            std::to_string(member->state.index) + " " + machine.tracker().config.text() + "\n";
    if (machine.role() != Role::kLeader) continue;
    for (const auto& [id, progress] : machine.tracker().progress) {
      text += "  " + std::to_string(id) + ": " + progress.text() + "\n";
    }
  }
  return text;
}

// Rounds of one tick each, with everything delivered in order.
void Cluster::heal() {
  broken_.clear();
  Weather fair{.lost_percent = 0, .doubled_percent = 0, .crash_permille = 0, .cut_permille = 0};
  for (int round = 0; round < 400 && complaint_.empty(); round++) {
    if (round > 50 && agreed()) return;
    for (const auto& member : members_) {
      take(*member, {});
      if (round % 20 == 0) report_snapshots(*member);
    }
    for (int pass = 0; pass < 12; pass++) {
      for (const auto& member : members_) {
        collect(*member);
        while (!member->append_work.empty())
          append_lane(*member);
        while (!member->apply_work.empty())
          apply_lane(*member);
      }
      for (size_t count = messages_.size(); count > 0; count--)
        deliver(0, fair);
    }
  }
  complain("no agreement after healing\n" + text());
}

}  // namespace coracle::raft
