// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/evictions.h"

#include <gtest/gtest.h>

namespace coracle::apiserver {
namespace {

api::ObjectRef seal(const api::Kind& kind, const std::string& text, uint64_t version) {
  json::Tree tree;
  return api::seal(kind, tree.parse(text).value(), version).value();
}

// One budget, which may change.
class OneBudget final : public api::State {
 public:
  api::ObjectRef get(const api::Kind&, std::string_view, std::string_view) const override {
    return {};
  }
  void list(const api::Kind& kind, std::string_view, api::Visitor& visitor) const override {
    for (const api::ObjectRef& budget : budgets) {
      if (&kind == &api::kPodDisruptionBudget) visitor.visit(budget);
    }
  }
  void list_owned_by(std::string_view, api::Visitor&) const override {}
  uint64_t version() const override { return 1; }
  std::vector<api::ObjectRef> budgets;
};

api::ObjectRef budget(int allowed, uint64_t version) {
  return seal(api::kPodDisruptionBudget,
              R"({"metadata":{"name":"b","namespace":"d","uid":"u","generation":1},
    "spec":{"selector":{"matchLabels":{"a":"b"}}},"status":{"observedGeneration":1,
    "currentHealthy":2,"desiredHealthy":1,"disruptionsAllowed":)" +
                  std::to_string(allowed) + "}}",
              version);
}

api::ObjectRef pod(const std::string& phase, const std::string& ready) {
  return seal(api::kPod,
              R"({"metadata":{"name":"p","namespace":"d","uid":"u","labels":{"a":"b"}},
    "status":{"phase":")" +
                  phase + R"(","conditions":[{"type":"Ready","status":")" + ready + R"("}]}})",
              5);
}

TEST(Evictions, SpendTheBudgetOnceUntilItIsCountedAgain) {
  OneBudget state;
  Evictions evictions;
  state.budgets = {budget(1, 7)};
  EXPECT_TRUE(evictions.admit(state, *pod("Running", "True"), false));  // dry
  EXPECT_TRUE(evictions.admit(state, *pod("Running", "True"), true));
  const auto refused = evictions.admit(state, *pod("Running", "True"), true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTooManyRequests);
  EXPECT_EQ(refused.error().causes[0].message,
            "The disruption budget b needs 1 healthy pods and has 1 currently");
  state.budgets = {budget(1, 8)};
  EXPECT_TRUE(evictions.admit(state, *pod("Running", "True"), true));
}

TEST(Evictions, LetGoWhatIsNoLoss) {
  OneBudget state;
  Evictions evictions;
  state.budgets = {budget(0, 7)};
  EXPECT_TRUE(evictions.admit(state, *pod("Pending", "False"), true));
  EXPECT_TRUE(evictions.admit(state, *pod("Failed", "False"), true));
  EXPECT_TRUE(evictions.admit(state, *pod("Running", "False"), true));  // enough others work
  EXPECT_FALSE(evictions.admit(state, *pod("Running", "True"), true));
  state.budgets.push_back(budget(5, 9));
  EXPECT_EQ(evictions.admit(state, *pod("Running", "True"), true).error().code, Code::kInternal);
  state.budgets.clear();
  EXPECT_TRUE(evictions.admit(state, *pod("Running", "True"), true));
}

}  // namespace
}  // namespace coracle::apiserver
