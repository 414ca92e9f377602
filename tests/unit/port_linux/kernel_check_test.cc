// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/kernel_check.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/kernel_probe.h"
#include "tests/unit/port_linux/linux_port.h"

namespace coracle::port_linux {
namespace {

class KernelCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
  }
  LinuxPort port_;
};

std::string network_of_this_process() {
  char name[64] = {};
  static_cast<void>(!::readlink("/proc/self/ns/net", name, sizeof name - 1));
  return name;
}

TEST_F(KernelCheck, FindsWhatThisMachineNeeds) {
  const std::string network = network_of_this_process();
  const std::vector<Finding> findings = check_kernel("/tmp");
  ASSERT_EQ(findings.size(), kernel_probes().size());
  for (const Finding& finding : findings) {
    EXPECT_TRUE(finding.present || !finding.needed) << finding.feature << ": " << finding.detail;
    EXPECT_EQ(finding.remedy.empty(), finding.present) << finding.feature;
  }
  EXPECT_EQ(network_of_this_process(), network);
}

TEST_F(KernelCheck, LeavesNothingBehind) {
  const std::string scratch = port_.scratch();
  const std::string mounts = *port_.disk().read_file("/proc/self/mountinfo");
  static_cast<void>(check_kernel(scratch));
  EXPECT_TRUE(port_.disk().list(scratch)->empty());
  EXPECT_EQ(*port_.disk().read_file("/proc/self/mountinfo"), mounts);
  const auto groups = port_.disk().list("/sys/fs/cgroup/pids");
  if (!groups) return;
  EXPECT_TRUE(std::none_of(groups->begin(), groups->end(), [](const std::string& name) {
    return name.starts_with("coracle-check");
  }));
}

TEST_F(KernelCheck, NamesTheSymbolOfAnUnknownExpression) {
  const Probe made_up{"shuffle", "NFT_SHUFFLE", true, probe_nft_expression, "shuffle"};
  const Finding finding = try_probe(made_up, port_.scratch());
  EXPECT_FALSE(finding.present);
  EXPECT_EQ(finding.detail, "nf_tables does not know the expression shuffle");
  EXPECT_EQ(finding.remedy, "build the kernel with CONFIG_NFT_SHUFFLE");
}

TEST_F(KernelCheck, TellsWhatIsLostAndTheRowsOwnRemedy) {
  const Probe made_up{"colour group", "CGROUP_COLOUR",  false, probe_cgroup, "colour",
                      "no colours",   "paint the board"};
  const Finding finding = try_probe(made_up, port_.scratch());
  EXPECT_FALSE(finding.present);
  EXPECT_EQ(finding.detail, "no controller colour; no colours");
  EXPECT_EQ(finding.remedy, "paint the board");
}

TEST_F(KernelCheck, UnknownFileSystemsAndChainsAreMissing) {
  EXPECT_FALSE(try_probe({"x", "X", true, probe_mount, "no-such-fs"}, port_.scratch()).present);
  EXPECT_FALSE(try_probe({"x", "X", true, probe_nft_chain, "knot"}, port_.scratch()).present);
}

TEST_F(KernelCheck, AProbeThatDiesIsMissing) {
  const Probe dying{"dying", "", true,
                    [](const std::string&, const char*) -> Outcome { ::_exit(3); }};
  EXPECT_EQ(try_probe(dying, port_.scratch()).detail, "the probe ended early");
}

// One set of symbols, tier by tier: what the fragment sets and what the probes name.
TEST(KernelFragment, HoldsTheSymbolsOfTheTable) {
  LinuxPort port;
  const auto text = port.disk().read_file("board-configs/kernel/coracle.config");
  ASSERT_TRUE(text);
  std::set<std::string, std::less<>> must;
  std::set<std::string, std::less<>> should;
  bool needed = false;
  for (const std::string_view line : split(*text, '\n')) {
    if (line.starts_with("# --- must")) needed = true;
    if (line.starts_with("# --- should")) needed = false;
    constexpr std::string_view kPrefix = "CONFIG_";
    if (!line.starts_with(kPrefix)) continue;
    EXPECT_TRUE(line.ends_with("=y")) << line;
    (needed ? must : should).emplace(line.substr(kPrefix.size(), line.find('=') - kPrefix.size()));
  }
  // Used by all of Coracle, or only there so that others can be chosen.
  std::set<std::string, std::less<>> untried{"NAMESPACES", "UNIX",         "EPOLL",
                                             "INET",       "INOTIFY_USER", "NETFILTER"};
  std::set<std::string, std::less<>> tried;
  for (const Probe& probe : kernel_probes()) {
    for (const std::string_view symbol : split(probe.symbol, ' ')) {
      if (symbol.empty()) continue;
      tried.emplace(symbol);
      EXPECT_TRUE((probe.needed ? must : should).contains(symbol))
          << symbol << " of " << probe.feature;
    }
  }
  for (const auto* tier : {&must, &should}) {
    for (const std::string& symbol : *tier)
      EXPECT_TRUE(tried.contains(symbol) || untried.contains(symbol)) << symbol;
  }
}

}  // namespace
}  // namespace coracle::port_linux
