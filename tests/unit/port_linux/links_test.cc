// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/links.h"

#include "tests/unit/port_linux/host.h"

namespace coracle::port_linux {
namespace {

class LinksTest : public HostTest {
 protected:
  port::PodLink pod_link(pid_t pod, const char* name, const char* address) {
    return {pod, name, "cni-test", *parse_cidr4(address), *parse_ip4("10.42.0.1")};
  }
  RouteLinks links_;
};

TEST_F(LinksTest, PodsReachTheGatewayAndEachOther) {
  ASSERT_TRUE(links_.ensure_bridge("cni-test", *parse_cidr4("10.42.0.1/24")));
  const pid_t a = new_pod();
  const pid_t b = new_pod();
  auto connected = links_.connect_pod(pod_link(a, "cor-a", "10.42.0.5/24"));
  ASSERT_TRUE(connected) << connected.error().message;
  ASSERT_TRUE(links_.connect_pod(pod_link(b, "cor-b", "10.42.0.6/24")));
  EXPECT_TRUE(run_shell(inside(a, "busybox ping -c1 -W2 10.42.0.1 >/dev/null")));
  EXPECT_TRUE(run_shell(inside(a, "busybox ping -c1 -W2 10.42.0.6 >/dev/null")));
  EXPECT_TRUE(run_shell("busybox ping -c1 -W2 10.42.0.6 >/dev/null"));
  EXPECT_TRUE(run_shell(inside(a, "busybox ping -c1 -W2 127.0.0.1 >/dev/null"))) << "lo is up";
  EXPECT_TRUE(run_shell("bridge -d link show dev cor-a | grep -q 'hairpin on'"));
  EXPECT_EQ(*links_.links_with_prefix("cor-"), (std::vector<std::string>{"cor-a", "cor-b"}));
}

TEST_F(LinksTest, EverythingMayBeAskedTwice) {
  const pid_t pod = new_pod();
  for (int i = 0; i < 2; i++) {
    ASSERT_TRUE(links_.ensure_bridge("cni-test", *parse_cidr4("10.42.0.1/24")));
    auto connected = links_.connect_pod(pod_link(pod, "cor-a", "10.42.0.5/24"));
    ASSERT_TRUE(connected) << connected.error().message;
    ASSERT_TRUE(links_.ensure_route(*parse_cidr4("10.43.0.0/16"), "lo"));
  }
  EXPECT_TRUE(run_shell(inside(pod, "busybox ping -c1 -W2 10.42.0.1 >/dev/null")));
  EXPECT_TRUE(run_shell("ip route show 10.43.0.0/16 | grep -q 'dev lo'"));
  for (int i = 0; i < 2; i++) {
    EXPECT_TRUE(links_.remove_route(*parse_cidr4("10.43.0.0/16")));
    EXPECT_TRUE(links_.remove_link("cor-a"));
    EXPECT_TRUE(links_.remove_link("cni-test"));
  }
  EXPECT_TRUE(links_.links_with_prefix("c")->empty());
  EXPECT_FALSE(run_shell("ip route | grep -q 10.43"));
}

TEST_F(LinksTest, StaleLinkOfAnEarlierPodIsReplaced) {
  ASSERT_TRUE(links_.ensure_bridge("cni-test", *parse_cidr4("10.42.0.1/24")));
  const pid_t old = new_pod();
  const pid_t fresh = new_pod();
  ASSERT_TRUE(links_.connect_pod(pod_link(old, "cor-a", "10.42.0.5/24")));
  ASSERT_TRUE(links_.connect_pod(pod_link(fresh, "cor-a", "10.42.0.6/24")));
  EXPECT_TRUE(run_shell(inside(fresh, "busybox ping -c1 -W2 10.42.0.1 >/dev/null")));
}

TEST_F(LinksTest, ErrorsNameWhatIsMissing) {
  const auto no_bridge = links_.connect_pod(pod_link(new_pod(), "cor-a", "10.42.0.5/24"));
  ASSERT_FALSE(no_bridge);
  EXPECT_EQ(no_bridge.error().message, "no link cni-test");
  ASSERT_TRUE(links_.ensure_bridge("cni-test", *parse_cidr4("10.42.0.1/24")));
  EXPECT_FALSE(links_.connect_pod(pod_link(99999999, "cor-a", "10.42.0.5/24")));
  EXPECT_FALSE(links_.connect_pod(pod_link(new_pod(), "a-name-that-is-too-long", "10.42.0.5/24")));
  EXPECT_FALSE(links_.ensure_route(*parse_cidr4("10.43.0.0/16"), "nowhere"));
}

TEST_F(LinksTest, AddressOfTheDefaultRouteComesFirst) {
  ASSERT_TRUE(
      run_shell("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up"));
  ASSERT_TRUE(run_shell("ip addr add 172.30.0.1/24 dev v0 && ip addr add 172.31.0.1/24 dev v1"));
  ASSERT_TRUE(run_shell("ip route add default via 172.31.0.254 dev v1"));
  const auto addresses = links_.addresses();
  ASSERT_TRUE(addresses);
  ASSERT_EQ(addresses->size(), 3u);
  EXPECT_EQ((*addresses)[0].link, "v1");
  EXPECT_EQ((*addresses)[0].address.text(), "172.31.0.1/24");
  EXPECT_EQ((*addresses)[1].link, "v0");
  EXPECT_EQ((*addresses)[2].link, "lo");
}

}  // namespace
}  // namespace coracle::port_linux
