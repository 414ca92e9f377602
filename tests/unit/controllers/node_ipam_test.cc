// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "controllers/rows.h"
#include "tests/unit/controllers/cluster.h"

namespace coracle::controllers {
namespace {

using testing::Cluster;

class NodeIpam : public ::testing::Test, Ages {
 protected:
  void node(const char* name, const char* part = "") {
    json::Tree tree;
    const json::Node node = tree.make_object();
    node.object("metadata").set("name", name);
    if (*part != 0) node.object("spec").set("podCIDR", part);
    cluster_.put(api::kNode, node);
  }
  api::Plan plan(std::string_view whole) {
    const Now now{cluster_, cluster_.now, *this, "PEM", nullptr, whole};
    return *kNodeIpamController.plan(now, {&api::kNode, {}, {}});
  }
  void settle(std::string_view whole) {
    for (const api::Call& call : plan(whole).calls)
      ASSERT_TRUE(cluster_.apply(call));
  }
  std::string part_of(const char* name) {
    json::Tree tree;
    const api::ObjectRef node = cluster_.get(api::kNode, {}, name);
    return node ? std::string(node->parse(tree)["spec"]["podCIDR"].string()) : "none";
  }
  Duration since_change(const api::Object&) const override { return {}; }
  Cluster cluster_{Wall{1'700'000'000'000'000'000}};
};

TEST_F(NodeIpam, GivesEachNodeThatHasNoneTheFirstFreePart) {
  node("a", "10.42.0.0/24");
  node("b");
  node("c", "10.42.2.0/24");
  node("d");
  settle("10.42.0.0/16");
  EXPECT_EQ(part_of("a"), "10.42.0.0/24");
  EXPECT_EQ(part_of("b"), "10.42.1.0/24");
  EXPECT_EQ(part_of("d"), "10.42.3.0/24");
  EXPECT_TRUE(plan("10.42.0.0/16").empty());
}

TEST_F(NodeIpam, KeepsClearOfPartsOfOtherSizes) {
  node("a", "10.42.0.0/22");
  node("b");
  settle("10.42.0.0/16");
  EXPECT_EQ(part_of("b"), "10.42.4.0/24");
}

TEST_F(NodeIpam, SaysWhenThereAreNoPartsLeft) {
  node("a", "10.42.0.0/24");
  node("b", "10.42.1.0/24");
  node("c");
  const api::Plan full = plan("10.42.0.0/23");
  EXPECT_TRUE(full.calls.empty());
  ASSERT_EQ(full.notes.size(), 1u);
  EXPECT_EQ(full.notes[0].reason, "CIDRNotAvailable");
}

}  // namespace
}  // namespace coracle::controllers
