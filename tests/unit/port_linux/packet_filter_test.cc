// SPDX-License-Identifier: GPL-2.0-or-later
// Real packets between pods of one host without a default route. Sockets are made inside the
// namespaces and belong to them for ever, so one thread plays clients and servers.
#include "port/linux/packet_filter.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "port/linux/links.h"
#include "port/linux/namespace.h"
#include "port/linux/slots.h"
#include "tests/unit/port_linux/host.h"

namespace coracle::port_linux {
namespace {

using port::Backend;
using port::Ruleset;
using port::Transport;
using port::VirtualService;

Ip4 ip(const char* text) {
  return *parse_ip4(text);
}

sockaddr_in socket_address(Ip4 address, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address.value);
  out.sin_port = htons(port);
  return out;
}

bool readable(const Fd& fd, int timeout_ms) {
  pollfd poll_fd{fd.get(), POLLIN, 0};
  return ::poll(&poll_fd, 1, timeout_ms) == 1;
}

class PacketFilterTest : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(links_.ensure_bridge("cni-test", *parse_cidr4("10.42.0.1/24")));
    ASSERT_TRUE(links_.ensure_route(*parse_cidr4("10.43.0.0/16"), "lo"));
    ruleset_.service_cidr = *parse_cidr4("10.43.0.0/16");
    ruleset_.pod_cidr = *parse_cidr4("10.42.0.0/16");
    for (int i = 0; i < 3; i++)
      add_pod(i);
  }
  void add_pod(int i) {
    const pid_t pod = new_pod();
    const std::string address = join({"10.42.0.", std::to_string(i + 2), "/24"});
    auto connected = links_.connect_pod(
        {pod, "cor-" + std::to_string(i), "cni-test", *parse_cidr4(address), ip("10.42.0.1")});
    ASSERT_TRUE(connected) << connected.error().message;
    addresses_.push_back(parse_cidr4(address)->address);
    servers_.push_back(listening(i, SOCK_STREAM));
    udp_servers_.push_back(listening(i, SOCK_DGRAM));
  }
  Fd socket_in(int pod, int type) {  // pod < 0: on the host
    if (pod < 0) return Fd(::socket(AF_INET, type | SOCK_NONBLOCK, 0));
    auto visit = NetworkVisit::enter(pods_[static_cast<size_t>(pod)]);
    EXPECT_TRUE(visit);
    return Fd(::socket(AF_INET, type | SOCK_NONBLOCK, 0));
  }
  Fd listening(int pod, int type) {
    Fd fd = socket_in(pod, type);
    const sockaddr_in any = socket_address({}, 8080);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(fd.get(), 1024), 0);
    }
    return fd;
  }
  // 0 when connected, else the error of the connection.
  int connect(const Fd& fd, const char* address, uint16_t port, int timeout_ms = 1500) {
    const sockaddr_in to = socket_address(ip(address), port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd poll_fd{fd.get(), POLLOUT, 0};
    if (::poll(&poll_fd, 1, timeout_ms) == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }
  // Which pod got the connection that was just made, and from whom; -1: none.
  int accepted(Ip4* from = nullptr) {
    for (size_t i = 0; i < servers_.size(); i++) {
      sockaddr_in peer{};
      socklen_t size = sizeof peer;
      Fd fd(::accept(servers_[i].get(), reinterpret_cast<sockaddr*>(&peer), &size));
      if (fd.valid() && from != nullptr) *from = {ntohl(peer.sin_addr.s_addr)};
      if (fd.valid()) return static_cast<int>(i);
    }
    return -1;
  }
  int reach(int client, const char* address, uint16_t port) {
    Fd fd = socket_in(client, SOCK_STREAM);
    const int error = connect(fd, address, port);
    return error == 0 ? accepted() : -error;
  }
  int udp_receiver() {
    for (int wait : {0, 20, 200}) {
      for (size_t i = 0; i < udp_servers_.size(); i++) {
        char bytes[16];
        if (readable(udp_servers_[i], i == 0 ? wait : 0) &&
            ::recv(udp_servers_[i].get(), bytes, sizeof bytes, 0) > 0)
          return static_cast<int>(i);
      }
    }
    return -1;
  }
  std::vector<Backend> backends(std::vector<int> pods) {
    std::vector<Backend> list;
    for (int pod : pods)
      list.push_back({addresses_[static_cast<size_t>(pod)], 8080});
    std::sort(list.begin(), list.end());
    return list;
  }
  VirtualService service(const char* address,
                         std::vector<int> pods,
                         Transport transport = Transport::kTcp) {
    return {{ip(address), transport, 80}, backends(std::move(pods)), 0};
  }
  void apply(std::vector<VirtualService> services) {
    std::sort(services.begin(), services.end(),
              [](const VirtualService& a, const VirtualService& b) { return a.at < b.at; });
    ruleset_.services = std::move(services);
    const auto applied = filter_.apply(ruleset_);
    ASSERT_TRUE(applied) << applied.error().message;
  }

  RouteLinks links_;
  NftPacketFilter filter_;
  Ruleset ruleset_;
  std::vector<Ip4> addresses_;
  std::vector<Fd> servers_;
  std::vector<Fd> udp_servers_;
};

TEST_F(PacketFilterTest, SpreadsConnectionsOverBackendsAndKeepsTheClientsAddress) {
  apply({service("10.43.0.1", {1, 2})});
  std::map<int, int> hits;
  for (int i = 0; i < 100; i++)
    hits[reach(0, "10.43.0.1", 80)]++;
  EXPECT_EQ(hits[1] + hits[2], 100);
  EXPECT_GT(hits[1], 25);
  EXPECT_GT(hits[2], 25);
  Fd fd = socket_in(0, SOCK_STREAM);
  ASSERT_EQ(connect(fd, "10.43.0.1", 80), 0);
  Ip4 from;
  EXPECT_GT(accepted(&from), 0);
  EXPECT_EQ(from, addresses_[0]);
}

TEST_F(PacketFilterTest, HostWithoutDefaultRouteReachesAService) {
  apply({service("10.43.0.1", {1})});
  EXPECT_EQ(reach(-1, "10.43.0.1", 80), 1);
}

TEST_F(PacketFilterTest, PodReachesItselfThroughItsService) {
  apply({service("10.43.0.1", {1})});
  EXPECT_EQ(reach(1, "10.43.0.1", 80), 1);
}

TEST_F(PacketFilterTest, ServiceWithoutBackendsIsRefusedAtOnce) {
  apply({service("10.43.0.1", {}), service("10.43.0.1", {}, Transport::kUdp)});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), -ECONNREFUSED);
  EXPECT_EQ(reach(-1, "10.43.0.1", 80), -ECONNREFUSED);
  Fd fd = socket_in(0, SOCK_DGRAM);
  ASSERT_EQ(connect(fd, "10.43.0.1", 80), 0);
  ASSERT_EQ(::send(fd.get(), "x", 1, 0), 1);
  EXPECT_TRUE(readable(fd, 1000));
  char byte;
  EXPECT_LT(::recv(fd.get(), &byte, 1, 0), 0);
  EXPECT_EQ(errno, ECONNREFUSED);
  apply({service("10.43.0.1", {1})});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), 1);
  apply({service("10.43.0.1", {})});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), -ECONNREFUSED);
}

TEST_F(PacketFilterTest, ClientWithAffinityStaysWithItsBackend) {
  VirtualService sticky = service("10.43.0.1", {0, 1, 2});
  sticky.affinity_seconds = 10'800;
  apply({sticky});
  for (int client : {-1, 0, 1}) {
    const int first = reach(client, "10.43.0.1", 80);
    EXPECT_GE(first, 0);
    for (int i = 0; i < 10; i++)
      EXPECT_EQ(reach(client, "10.43.0.1", 80), first);
  }
}

TEST_F(PacketFilterTest, AffinityOutlivesOtherBackendsAndTheDaemonButNotItsOwnBackend) {
  const auto sticky = [&](std::vector<int> pods) {
    VirtualService made = service("10.43.0.1", std::move(pods));
    made.affinity_seconds = 10'800;
    return made;
  };
  apply({sticky({0, 1, 2})});
  std::vector<int> chosen;
  for (int client : {-1, 0, 1, 2})
    chosen.push_back(reach(client, "10.43.0.1", 80));
  const auto still = [&] {
    for (int client = -1; client < 3; client++)
      EXPECT_EQ(reach(client, "10.43.0.1", 80), chosen[static_cast<size_t>(client + 1)]);
  };
  std::vector<int> kept{chosen[0]};
  for (int pod : chosen) {
    if (pod != kept[0]) kept.push_back(pod);
  }
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  apply({sticky(kept), service("10.43.0.2", {1})});
  still();
  NftPacketFilter after_restart;
  ASSERT_TRUE(after_restart.apply(ruleset_));
  still();
  const int gone = chosen[0];
  std::vector<int> others;
  for (int pod = 0; pod < 3; pod++) {
    if (pod != gone) others.push_back(pod);
  }
  apply({sticky(others)});
  const int moved = reach(-1, "10.43.0.1", 80);
  EXPECT_NE(moved, gone);
  EXPECT_GE(moved, 0);
  apply({sticky({0, 1, 2})});
  for (int i = 0; i < 10; i++)
    EXPECT_EQ(reach(-1, "10.43.0.1", 80), moved) << "it does not go back";
  apply({service("10.43.0.1", {moved})});
  EXPECT_FALSE(run_shell("nft list map ip coracle clients | grep -q elements"));
}

TEST_F(PacketFilterTest, AffinityEndsWithItsTimeoutAndIsRenewedByConnections) {
  VirtualService brief = service("10.43.0.1", {0, 1, 2});
  brief.affinity_seconds = 1;
  VirtualService longer = service("10.43.0.2", {0, 1, 2});
  longer.affinity_seconds = 600;
  apply({brief, longer});
  const int first = reach(-1, "10.43.0.1", 80);
  const int lasting = reach(-1, "10.43.0.2", 80);
  for (int i = 0; i < 5; i++) {
    ::usleep(400'000);
    EXPECT_EQ(reach(-1, "10.43.0.1", 80), first) << "renewed";
  }
  EXPECT_TRUE(run_shell("nft list map ip coracle clients | grep -q 10.43.0.1"));
  ::usleep(1'200'000);
  EXPECT_FALSE(run_shell("nft list map ip coracle clients | grep -q 10.43.0.1"));
  EXPECT_EQ(reach(-1, "10.43.0.2", 80), lasting);
}

TEST_F(PacketFilterTest, OnlyServedPortsOfAClusterAddressAreOpen) {
  apply({service("10.43.0.1", {1})});
  EXPECT_EQ(reach(0, "10.43.0.1", 81), -ECONNREFUSED);
  EXPECT_EQ(reach(-1, "10.43.0.1", 81), -ECONNREFUSED);
  VirtualService other = service("10.43.0.1", {2});
  other.at.port = 81;
  apply({service("10.43.0.1", {1}), other});
  EXPECT_EQ(reach(0, "10.43.0.1", 81), 2);
  apply({service("10.43.0.1", {1})});
  EXPECT_EQ(reach(0, "10.43.0.1", 81), -ECONNREFUSED);
  apply({});
  EXPECT_EQ(reach(0, "10.43.0.1", 81), -EHOSTUNREACH);
}

// A machine outside comes to a port of the node, or to an address that is routed to it.
TEST_F(PacketFilterTest, NodePortsAndOutsideAddressesLeadToBackends) {
  const pid_t outside = new_pod();
  ASSERT_TRUE(
      run_shell("ip link add up0 type veth peer name eth0 netns " + std::to_string(outside)));
  ASSERT_TRUE(run_shell("ip addr add 172.30.0.1/24 dev up0 && ip link set up0 up"));
  ASSERT_TRUE(run_shell(inside(outside, "ip addr add 172.30.0.9/24 dev eth0")));
  ASSERT_TRUE(run_shell(inside(outside, "ip link set eth0 up")));
  ASSERT_TRUE(run_shell(inside(outside, "ip route add 192.0.2.0/24 via 172.30.0.1")));
  VirtualService node_port = service("0.0.0.0", {1});
  node_port.at.port = 30'080;
  node_port.masquerade = true;
  VirtualService local = service("0.0.0.0", {2});
  local.at.port = 30'081;
  VirtualService empty = service("0.0.0.0", {});
  empty.at.port = 30'082;
  VirtualService sticky = service("0.0.0.0", {1, 2});
  sticky.at.port = 30'083;
  sticky.affinity_seconds = 60;
  VirtualService balanced = service("192.0.2.7", {1});
  balanced.masquerade = true;
  apply({node_port, local, empty, sticky, balanced, service("10.43.0.1", {1})});
  ASSERT_TRUE(run_shell("nft list table ip coracle >&2")) << "administrators will look";
  const auto client_seen = [&](uint16_t port, const char* address, int pod) {
    Fd fd = socket_in(3, SOCK_STREAM);
    EXPECT_EQ(connect(fd, address, port), 0) << port;
    Ip4 from;
    EXPECT_EQ(accepted(&from), pod);
    return from.text();
  };
  EXPECT_EQ(client_seen(30'080, "172.30.0.1", 1), "10.42.0.1") << "hidden";
  EXPECT_EQ(client_seen(80, "192.0.2.7", 1), "10.42.0.1");
  ASSERT_TRUE(run_shell(inside(outside, "ip route add 10.42.0.0/24 via 172.30.0.1")));
  EXPECT_EQ(reach(3, "172.30.0.1", 30'082), -ECONNREFUSED);
  EXPECT_EQ(reach(3, "172.30.0.1", 30'084), -ECONNREFUSED) << "nobody's";
  const int stuck = reach(3, "172.30.0.1", 30'083);
  for (int i = 0; i < 8; i++)
    EXPECT_EQ(reach(3, "172.30.0.1", 30'083), stuck);
  EXPECT_EQ(client_seen(30'081, "172.30.0.1", 2), "172.30.0.9") << "seen as it is";
  EXPECT_EQ(reach(-1, "172.30.0.1", 30'080), 1);
  EXPECT_EQ(reach(0, "172.30.0.1", 30'080), 1);
  EXPECT_EQ(reach(1, "172.30.0.1", 30'080), 1) << "hairpin";
  EXPECT_EQ(reach(-1, "127.0.0.1", 30'080), -ECONNREFUSED) << "loopback is the node's own";
}

TEST_F(PacketFilterTest, ChangesReachNewConnectionsAndLeaveOldOnesAlone) {
  apply({service("10.43.0.1", {1}), service("10.43.0.2", {2})});
  Fd old = socket_in(0, SOCK_STREAM);
  ASSERT_EQ(connect(old, "10.43.0.1", 80), 0);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  Fd server(::accept(servers_[1].get(), reinterpret_cast<sockaddr*>(&peer), &size));
  apply({service("10.43.0.1", {2})});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), 2);
  EXPECT_EQ(reach(0, "10.43.0.2", 80), -EHOSTUNREACH) << "a Service that is gone";
  NftPacketFilter after_restart;
  ASSERT_TRUE(after_restart.apply(ruleset_));
  ASSERT_EQ(::send(old.get(), "still here", 10, 0), 10);
  char bytes[16];
  ASSERT_TRUE(readable(server, 1000));
  EXPECT_EQ(::recv(server.get(), bytes, sizeof bytes, 0), 10);
}

TEST_F(PacketFilterTest, UdpFlowsLeaveBackendsThatAreGone) {
  const auto udp = [&](std::vector<int> pods) {
    return service("10.43.0.1", std::move(pods), Transport::kUdp);
  };
  Fd fd = socket_in(0, SOCK_DGRAM);  // one socket, so one flow
  const auto send = [&] {
    static_cast<void>(::send(fd.get(), "x", 1, 0));
    return udp_receiver();
  };
  apply({udp({1})});
  ASSERT_EQ(connect(fd, "10.43.0.1", 80), 0);
  EXPECT_EQ(send(), 1);
  EXPECT_EQ(send(), 1);
  apply({udp({2})});
  EXPECT_EQ(send(), 2);
  apply({udp({1, 2})});
  EXPECT_EQ(send(), 2) << "its backend is still there";
  NftPacketFilter after_restart;
  ASSERT_TRUE(after_restart.apply(ruleset_));
  EXPECT_EQ(send(), 2);
  apply({udp({})});
  EXPECT_EQ(send(), -1);
  apply({udp({1})});
  send();  // takes the error that the refused packet left
  EXPECT_EQ(send(), 1);
  apply({});
  EXPECT_EQ(send(), -1);
}

TEST_F(PacketFilterTest, ManyBackendsUseLargerMaps) {
  VirtualService many = service("10.43.0.1", {1, 2});
  for (uint16_t i = 0; i < 30; i++)  // the same two pods under many ports that lead nowhere else
    many.backends.push_back({addresses_[1], static_cast<uint16_t>(9000 + i)});
  std::sort(many.backends.begin(), many.backends.end());
  apply({many});
  int connected = 0;
  for (int i = 0; i < 200; i++)
    connected += reach(0, "10.43.0.1", 80) > 0;
  EXPECT_GT(connected, 1);
  EXPECT_LT(connected, 60);
  apply({service("10.43.0.1", {1})});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), 1);
}

TEST_F(PacketFilterTest, ThousandBackendsAreAllUsed) {
  VirtualService many = service("10.43.0.1", {});
  for (uint16_t i = 0; i < 1000; i++)
    many.backends.push_back({addresses_[1], static_cast<uint16_t>(9000 + i)});
  apply({many});
  EXPECT_TRUE(
      run_shell("test $(nft list map ip coracle slots_1024 | grep -o '10.42.0.3 . [0-9]*' "
                "| sort -u | wc -l) = 1000"));
  apply({service("10.43.0.1", {1})});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), 1);
}

TEST_F(PacketFilterTest, PodsThatLeaveTheNodeAreMasqueraded) {
  const pid_t outside = new_pod();
  ASSERT_TRUE(
      run_shell("ip link add up0 type veth peer name eth0 netns " + std::to_string(outside)));
  ASSERT_TRUE(run_shell("ip addr add 172.30.0.1/24 dev up0 && ip link set up0 up"));
  ASSERT_TRUE(run_shell(inside(outside, "ip addr add 172.30.0.9/24 dev eth0")));
  ASSERT_TRUE(run_shell(inside(outside, "ip link set eth0 up")));
  servers_.push_back(listening(3, SOCK_STREAM));
  apply({});
  Fd fd = socket_in(0, SOCK_STREAM);
  ASSERT_EQ(connect(fd, "172.30.0.9", 8080), 0);
  Ip4 from;
  EXPECT_EQ(accepted(&from), 3);
  EXPECT_EQ(from, ip("172.30.0.1"));
  Fd local = socket_in(0, SOCK_STREAM);
  ASSERT_EQ(connect(local, "10.42.0.3", 8080), 0);
  EXPECT_EQ(accepted(&from), 1);
  EXPECT_EQ(from, addresses_[0]);
}

// The client is a process of its own that goes on connecting while the table is made anew and
// changed. It resets its connections, as the ports of a client that closes them would run out, and
// takes a breath between them, as the servers' queues would; its exit code is the first error.
TEST_F(PacketFilterTest, NoConnectionFailsWhileTheTableChanges) {
  apply({service("10.43.0.1", {1, 2})});
  const pid_t client = ::fork();
  if (client == 0) {
    auto visit = NetworkVisit::enter(pods_[0]);
    int failed = 0;
    for (int i = 0; i < 4000 && failed == 0; i++) {
      Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      failed = connect(fd, "10.43.0.1", 80, 10'000);
      const linger reset{1, 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      ::usleep(200);
    }
    ::_exit(failed);
  }
  int status = 0;
  int rounds = 0;
  while (::waitpid(client, &status, WNOHANG) == 0) {
    NftPacketFilter fresh;
    ASSERT_TRUE(fresh.apply(ruleset_));
    ruleset_.services[0].backends = backends({rounds % 2 + 1});
    ASSERT_TRUE(fresh.apply(ruleset_));
    while (accepted() >= 0) {
    }
    rounds++;
  }
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << ::strerror(WEXITSTATUS(status));
  EXPECT_GT(rounds, 2);
}

TEST_F(PacketFilterTest, TableOfAnEarlierDaemonStaysHooked) {
  const std::string handles =
      "nft -a list table ip coracle | grep -E '^(table|\tchain)' | grep -v affinity_ | sort";
  VirtualService sticky = service("10.43.0.3", {1});
  sticky.affinity_seconds = 60;
  apply({service("10.43.0.1", {1}), service("10.43.0.2", {}), sticky});
  ASSERT_TRUE(run_shell(handles + " > /tmp/coracle-handles-$PPID"));
  NftPacketFilter after_restart;
  ruleset_.services = {service("10.43.0.1", {2}), service("10.43.0.4", {1})};
  ASSERT_TRUE(after_restart.apply(ruleset_));
  EXPECT_TRUE(run_shell(handles + " | diff /tmp/coracle-handles-$PPID - >&2"));
  EXPECT_TRUE(run_shell("rm /tmp/coracle-handles-$PPID"));
  EXPECT_TRUE(run_shell("! nft list table ip coracle | grep -q affinity_"));
  EXPECT_EQ(reach(0, "10.43.0.1", 80), 2);
  EXPECT_EQ(reach(0, "10.43.0.2", 80), -EHOSTUNREACH);
  EXPECT_EQ(reach(0, "10.43.0.4", 80), 1);
}

TEST_F(PacketFilterTest, TableOfAnotherShapeIsReplaced) {
  ASSERT_TRUE(run_shell("nft 'add table ip coracle; add set ip coracle refused { type mark; }'"));
  apply({service("10.43.0.1", {1}), service("10.43.0.2", {})});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), 1);
  EXPECT_EQ(reach(0, "10.43.0.2", 80), -ECONNREFUSED);
}

TEST_F(PacketFilterTest, TableThatSomebodyDeletedIsMadeAgain) {
  apply({service("10.43.0.1", {1})});
  ASSERT_TRUE(run_shell("nft delete table ip coracle"));
  apply({service("10.43.0.1", {1}), service("10.43.0.2", {2})});
  EXPECT_EQ(reach(0, "10.43.0.1", 80), 1);
  EXPECT_EQ(reach(0, "10.43.0.2", 80), 2);
}

TEST_F(PacketFilterTest, RemoveLeavesNothing) {
  VirtualService sticky = service("10.43.0.3", {1});
  sticky.affinity_seconds = 60;
  apply({service("10.43.0.1", {1}), service("10.43.0.2", {}), sticky});
  ASSERT_TRUE(run_shell("nft list table ip coracle >/dev/null")) << "administrators will look";
  ASSERT_TRUE(filter_.remove());
  ASSERT_TRUE(filter_.remove());
  EXPECT_FALSE(run_shell("nft list tables | grep -q coracle"));
}

TEST_F(PacketFilterTest, ThousandServicesLoadAndChange) {
  std::vector<VirtualService> services;
  for (uint32_t i = 0; i < 1000; i++)
    services.push_back({{{ip("10.43.1.0").value + i}, Transport::kTcp, 80}, backends({1, 2}), 0});
  apply(services);
  EXPECT_EQ(reach(0, "10.43.1.0", 80) > 0, true);
  services[500].backends = backends({1});
  services.pop_back();
  apply(services);
  EXPECT_EQ(reach(0, "10.43.2.244", 80), 1);
  EXPECT_EQ(reach(0, "10.43.4.230", 80) > 0, true);
  EXPECT_EQ(reach(0, "10.43.4.231", 80), -EHOSTUNREACH);
}

TEST(Slots, AreSharedEvenlyAndMoveLittle) {
  std::vector<Backend> list;
  for (uint32_t i = 0; i < 5; i++)
    list.push_back({{0x0a2a0005 + i}, 8080});
  const auto five = assign_slots(list, 64);
  std::map<const Backend*, int> shares;
  for (const Backend* backend : five)
    shares[backend]++;
  EXPECT_EQ(shares.size(), 5u);
  for (const auto& [backend, share] : shares)
    EXPECT_TRUE(share == 12 || share == 13) << share;
  const auto four = assign_slots(std::span(list).first(4), 64);
  int moved = 0;
  for (size_t slot = 0; slot < 64; slot++)
    moved += *five[slot] != *four[slot];
  EXPECT_LT(moved, 40);
}

}  // namespace
}  // namespace coracle::port_linux
