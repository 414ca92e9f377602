// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/preempt.h"

#include <algorithm>
#include <tuple>

#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

constexpr size_t kCandidatesMin = 100;  // minCandidateNodesAbsolute
constexpr size_t kCandidatesPercent = 10;

bool is_more_important(const Placed& a, const Placed& b) {
  if (a.shape->needs.priority != b.shape->needs.priority)
    return a.shape->needs.priority > b.shape->needs.priority;
  return a.started != b.started ? a.started < b.started : a.name < b.name;
}

struct Candidate {
  const BoardNode* node = nullptr;
  std::vector<Placed> victims;  // most important first
  size_t violations = 0;        // of budgets

  // Smaller is better, in upstream's order of criteria (pickOneNodeForPreemption).
  auto cost() const {
    int64_t sum = 0;
    for (const Placed& victim : victims)
      sum += victim.shape->needs.priority + (int64_t{1} << 31);
    return std::tuple(violations, victims.front().shape->needs.priority, sum, victims.size());
  }
  // The start of the youngest among the most important ones' eldest: later is better.
  const std::string& started() const { return victims.front().started; }
};

class Search {
 public:
  Search(Board& board, const Shape& pod, std::span<const Budget> budgets)
      : board_(board),
        pod_(pod),
        budgets_(budgets) {}

  // False: `why` says what keeps the pod off this node.
  bool try_node(const BoardNode& node, Candidate& out, std::vector<std::string>& why) {
    std::vector<Placed> lower;
    for (const Placed* pod : node.pods) {
      if (pod->shape->needs.priority < pod_.needs.priority) lower.push_back(*pod);
    }
    if (lower.empty()) {
      why.emplace_back("No preemption victims found for incoming pod");
      return false;
    }
    for (const Placed& pod : lower)
      board_.release(pod.name);
    why = refusals(node);
    if (why.empty()) choose_victims(node, lower, out);
    for (const Placed& pod : lower)
      board_.place(pod);
    return why.empty();
  }

 private:
  std::vector<std::string> refusals(const BoardNode& node) const {
    const Survey survey(board_, pod_);
    uint32_t ignored = 0;
    return refusal_of(survey, node.offer, ignored).reasons;
  }

  // All lower ones are off; as many as possible come back, those that a budget protects first, then
  // by importance.
  void choose_victims(const BoardNode& node, std::vector<Placed>& lower, Candidate& out) {
    std::sort(lower.begin(), lower.end(), is_more_important);
    std::vector<const Placed*> violating;
    std::vector<const Placed*> others;
    std::vector<int64_t> left;
    for (const Budget& budget : budgets_)
      left.push_back(budget.allowed);
    for (const Placed& pod : lower)
      (spends_too_much(pod, left) ? violating : others).push_back(&pod);
    out.node = &node;
    for (const Placed* pod : violating)
      out.violations += reprieve(node, *pod, out) ? 0 : 1;
    for (const Placed* pod : others)
      reprieve(node, *pod, out);
    std::sort(out.victims.begin(), out.victims.end(), is_more_important);
  }

  bool spends_too_much(const Placed& pod, std::vector<int64_t>& left) const {
    bool violates = false;
    for (size_t i = 0; i < budgets_.size(); ++i) {
      const Budget& budget = budgets_[i];
      if (budget.ns != pod.name.ns || !pod.shape->labels ||
          !budget.selector.matches(pod.shape->labels))
        continue;
      if (std::find(budget.disrupted.begin(), budget.disrupted.end(), pod.name.name) !=
          budget.disrupted.end())
        continue;
      violates = --left[i] < 0 || violates;
    }
    return violates;
  }

  bool reprieve(const BoardNode& node, const Placed& pod, Candidate& out) {
    board_.place(pod);
    if (refusals(node).empty()) return true;
    board_.release(pod.name);
    out.victims.push_back(pod);
    return false;
  }

  Board& board_;
  const Shape& pod_;
  std::span<const Budget> budgets_;
};

bool is_better(const Candidate& a, const Candidate& b) {
  if (a.cost() != b.cost()) return a.cost() < b.cost();
  return a.started() > b.started();
}

}  // namespace

std::vector<Budget> read_budgets(const api::State& state) {
  std::vector<Budget> budgets;
  const api::Kind* kind = api::find_kind("policy", "v1", "poddisruptionbudgets");
  if (kind == nullptr) return budgets;
  api::for_each(state, *kind, {}, [&](const api::ObjectRef& object) {
    json::Tree tree;
    const json::Node budget = object->parse(tree);
    Budget out{std::string(object->ns()),
               api::LabelSelector::from_object(budget["spec"]["selector"]),
               budget["status"]["disruptionsAllowed"].integer(),
               {}};
    for (const json::Node pod : budget["status"]["disruptedPods"])
      out.disrupted.emplace_back(pod.key());
    budgets.push_back(std::move(out));
  });
  return budgets;
}

Preemption find_victims(Board& board,
                        const Shape& pod,
                        const Choice& choice,
                        std::span<const Budget> budgets,
                        size_t start) {
  if (!pod.needs.preempts)
    return {"", {}, "preemption: not eligible due to preemptionPolicy=Never."};
  const size_t all = board.nodes().size();
  const size_t enough = std::max(kCandidatesMin, all * kCandidatesPercent / 100);
  Reasons reasons;
  reasons.nodes = all;
  if (all > choice.worth_trying.size())
    reasons.counts["Preemption is not helpful for scheduling"] = all - choice.worth_trying.size();
  Search search(board, pod, budgets);
  std::vector<Candidate> candidates;
  const std::vector<const BoardNode*>& nodes = choice.worth_trying;
  for (size_t i = 0; i < nodes.size() && candidates.size() < enough; ++i) {
    Candidate candidate;
    std::vector<std::string> why;
    if (search.try_node(*nodes[(start + i) % nodes.size()], candidate, why)) {
      if (!candidate.victims.empty()) candidates.push_back(std::move(candidate));
      continue;
    }
    for (std::string& reason : why)
      ++reasons.counts[std::move(reason)];
  }
  if (candidates.empty()) return {"", {}, "preemption: " + reasons.text()};
  const Candidate& best = *std::min_element(candidates.begin(), candidates.end(), is_better);
  Preemption preemption{best.node->offer.name, {}, {}};
  for (const Placed& victim : best.victims)
    preemption.victims.push_back(victim.name);
  return preemption;
}

}  // namespace coracle::scheduler
