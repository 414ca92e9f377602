// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/tracker.h"

namespace coracle::raft {

namespace {

class Matches final : public Acknowledged {
 public:
  explicit Matches(const Tracker& tracker) : tracker_(tracker) {}
  std::optional<Index> by(NodeId voter) const override {
    const Progress* progress = tracker_.find(voter);
    if (!progress) return std::nullopt;
    return progress->match();
  }

 private:
  const Tracker& tracker_;
};

}  // namespace

std::string Config::text() const {
  std::string text = "voters=" + voters.text();
  if (!learners.empty()) text += " learners=" + learners.text();
  if (!learners_next.empty()) text += " learners_next=" + learners_next.text();
  if (auto_leave) text += " autoleave";
  return text;
}

Progress* Tracker::find(NodeId id) {
  auto at = progress.find(id);
  return at == progress.end() ? nullptr : &at->second;
}

const Progress* Tracker::find(NodeId id) const {
  auto at = progress.find(id);
  return at == progress.end() ? nullptr : &at->second;
}

Index Tracker::committed() const {
  return committed_index(config.voters, Matches(*this));
}

bool Tracker::quorum_active() const {
  Votes active;
  for (const auto& [id, member] : progress) {
    if (!member.learner) active.emplace(id, member.recently_active);
  }
  return vote_result(config.voters, active) == Vote::kWon;
}

Tally Tracker::tally() const {
  Tally tally;
  for (const auto& [id, member] : progress) {
    auto vote = votes.find(id);
    if (member.learner || vote == votes.end()) continue;
    (vote->second ? tally.granted : tally.rejected)++;
  }
  tally.result = vote_result(config.voters, votes);
  return tally;
}

}  // namespace coracle::raft
