// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/choose.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

constexpr size_t kEnough = 100;

// Names that required node affinity asks for by metadata.name alone, as a DaemonSet's pods do; then
// no other node needs a look. Empty: not restricted to names.
std::vector<std::string_view> names_asked_for(const PodNeeds& needs) {
  std::vector<std::string_view> names;
  for (const NodeTerm& term : needs.required) {
    const auto by_name = std::find_if(
        term.fields.begin(), term.fields.end(),
        [](const NodeTerm::Requirement& r) { return r.key == "metadata.name" && r.op == "In"; });
    if (by_name == term.fields.end()) return {};
    names.insert(names.end(), by_name->values.begin(), by_name->values.end());
  }
  return names;
}

class Chooser {
 public:
  Chooser(const Board& board, const Shape& pod, const Profile* profile)
      : survey_(board, pod, profile) {}

  void look_at(const BoardNode& node) {
    ++choice_.looked_at;
    Refused refused = refusal_of(survey_, node.offer, choice_.helped_by);
    if (!refused) {
      fitting_.push_back(&node);
      return;
    }
    if (!refused.for_good) choice_.worth_trying.push_back(&node);
    for (std::string& reason : refused.reasons)
      ++choice_.reasons.counts[std::move(reason)];
  }

  void look_at_named(const Board& board, const std::vector<std::string_view>& names) {
    std::vector<const BoardNode*> known;
    for (const std::string_view name : names) {
      const BoardNode* node = board.node(name);
      if (node != nullptr && std::find(known.begin(), known.end(), node) == known.end())
        known.push_back(node);
    }
    for (const BoardNode* node : known)
      look_at(*node);
    if (const size_t others = board.nodes().size() - known.size(); others > 0)
      choice_.reasons.counts["node(s) didn't satisfy plugin(s) [NodeAffinity]"] += others;
    choice_.helped_by |= kNodeAdded;
  }

  void look_around(const Board& board, size_t start) {
    const std::vector<BoardNode*>& nodes = board.nodes();
    for (size_t i = 0; i < nodes.size() && fitting_.size() < kEnough; ++i)
      look_at(*nodes[(start + i) % nodes.size()]);
  }

  // What keeps the pod off all nodes alike.
  bool is_hopeless() const { return survey_.volumes() && !survey_.volumes()->problem().empty(); }

  Choice done(size_t nodes) {
    choice_.reasons.nodes = nodes;
    if (is_hopeless()) {
      choice_.message = join({"0/", std::to_string(nodes),
                              " nodes are available: ", survey_.volumes()->problem(), "."});
      choice_.helped_by = kVolumes;
    } else if (fitting_.empty())
      choice_.message = choice_.reasons.text();
    else
      choice_.node = fitting_.size() == 1 ? fitting_[0] : best();
    return std::move(choice_);
  }

 private:
  // Equals are filled evenly: the one with the fewest pods is taken.
  const BoardNode* best() const {
    std::vector<int64_t> sums(fitting_.size(), 0);
    for (const Score& row : scores()) {
      const std::vector<int64_t> rated = row.rate(survey_, fitting_);
      for (size_t i = 0; i < sums.size(); ++i)
        sums[i] += row.weight * rated[i];
    }
    size_t top = 0;
    for (size_t i = 1; i < sums.size(); ++i) {
      if (sums[i] > sums[top] ||
          (sums[i] == sums[top] && fitting_[i]->offer.pods < fitting_[top]->offer.pods))
        top = i;
    }
    return fitting_[top];
  }

  Survey survey_;
  Choice choice_;
  std::vector<const BoardNode*> fitting_;
};

}  // namespace

std::string Reasons::text() const {
  std::vector<std::string> parts;
  for (const auto& [reason, count] : counts)
    parts.push_back(join({std::to_string(count), " ", reason}));
  std::sort(parts.begin(), parts.end());
  std::string out = join({"0/", std::to_string(nodes), " nodes are available: "});
  for (size_t i = 0; i < parts.size(); ++i)
    out += (i > 0 ? ", " : "") + parts[i];
  return out + ".";
}

Choice choose(const Board& board, const Shape& pod, size_t start, const Profile* profile) {
  if (board.nodes().empty()) {
    Choice none;
    none.message = "no nodes available to schedule pods";
    none.helped_by = kNodeAdded;
    return none;
  }
  Chooser chooser(board, pod, profile);
  const auto names = names_asked_for(pod.needs);
  if (!names.empty() && !chooser.is_hopeless())
    chooser.look_at_named(board, names);
  else if (!chooser.is_hopeless())
    chooser.look_around(board, start);
  return chooser.done(board.nodes().size());
}

}  // namespace coracle::scheduler
