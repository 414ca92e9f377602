// SPDX-License-Identifier: GPL-2.0-or-later
// Real shims, crun and containers.
#include "port/sandbox.h"

#include <algorithm>

#include <signal.h>

#include "tests/unit/port_linux/sandbox_fixture.h"

namespace coracle::port_linux {
namespace {

TEST_F(SandboxTest, RunsAContainerAndKeepsItsLogAndExitCode) {
  create();
  sandbox_->start(container("web-0", "busybox echo out; busybox hostname >&2; exit 42"));
  ASSERT_TRUE(wait([&] { return notes_.is("web-0", kExited); })) << notes_.last["web-0"].message;
  EXPECT_EQ(notes_.phases["web-0"], (std::vector{kStarting, kRunning, kExited}));
  const port::ContainerRecord& record = notes_.last["web-0"];
  EXPECT_EQ(record.exit_code, 42);
  EXPECT_EQ(record.signal, 0);
  EXPECT_LE(record.started.ns, record.finished.ns);
  EXPECT_GT(record.started.ns, 1'600'000'000'000'000'000);
  auto found = lines("web-0");
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"stderr F pod-name", "stdout F out"}));
  EXPECT_TRUE(port_.disk().read_file(directory_ + "/c/web-0/exit"));
  sandbox_->forget("web-0");
  EXPECT_TRUE(wait([&] { return !port_.disk().stat(directory_ + "/c/web-0"); }));
}

TEST_F(SandboxTest, NamespacesAreItsOwnAndNothingIsMountedOutside) {
  create();
  const auto link = [](int64_t pid, const char* name) {
    char target[64] = "";
    const std::string path = join({"/proc/", std::to_string(pid), "/ns/", name});
    static_cast<void>(::readlink(path.c_str(), target, sizeof target - 1));
    return std::string(target);
  };
  for (const char* name : {"net", "uts", "ipc", "mnt"})
    EXPECT_NE(link(sandbox_->pid(), name), link(::getpid(), name)) << name;
  sandbox_->start(container("a-0", "busybox sleep 100"));
  ASSERT_TRUE(wait([&] { return notes_.is("a-0", kRunning); }));
  for (const char* name : {"net", "uts", "ipc"})
    EXPECT_EQ(link(sandbox_->pid(), name), link(notes_.last["a-0"].pid, name)) << name;
  EXPECT_EQ(port_.disk().read_file("/proc/self/mounts")->find("bundle-a-0"), std::string::npos);
}

// A container that may write to the volume puts symlinks where the path led.
TEST_F(SandboxTest, ASubPathNeverLeadsOutOfItsVolume) {
  port::Disk& disk = port_.disk();
  const std::string volume = port_.scratch() + "/volume";
  const std::string outside = port_.scratch() + "/outside";
  for (const std::string& path : {volume + "/in/deep", volume + "/secret", outside + "/secret"})
    ASSERT_TRUE(disk.make_directories(path));
  ASSERT_TRUE(disk.write_file(volume + "/in/deep/file", "inside", 0600));
  ASSERT_TRUE(disk.write_file(outside + "/secret/file", "stolen", 0600));
  const auto links = [&](const char* name, const std::string& to) {
    ASSERT_EQ(::symlink(to.c_str(), (volume + "/" + name).c_str()), 0);
  };
  links("absolute", outside + "/secret");
  links("relative", "../outside/secret");
  links("magic", join({"/proc/", std::to_string(::getpid()), "/root", outside, "/secret"}));
  create();
  const auto bound = [&](const std::string& id, const std::string& path, bool is_file) {
    port::ContainerStart start = container(id, "true");
    const std::string place = start.bundle + "/sub";
    EXPECT_TRUE(is_file ? disk.write_file(place, {}, 0600) : disk.make_directories(place));
    start.mounts.push_back({"subpath", volume, place, path});
    sandbox_->start(start);
    EXPECT_TRUE(wait([&] { return notes_.is(id, kExited) || notes_.is(id, kFailedToStart); }));
    if (notes_.is(id, kFailedToStart)) return notes_.last[id].message;
    const std::string seen =
        join({"/proc/", std::to_string(sandbox_->pid()), "/root", place, is_file ? "" : "/file"});
    const auto text = disk.read_file(seen);
    return text ? *text : text.error().message;
  };
  EXPECT_EQ(bound("a-0", "in/deep", false), "inside");
  EXPECT_EQ(bound("b-0", "in/deep/file", true), "inside");
  for (const char* path : {"absolute", "relative", "magic", "../outside/secret"}) {
    const std::string id = join({"c", std::to_string(path[0]), "-0"});
    EXPECT_EQ(bound(id, path, false).find("stolen"), std::string::npos) << path;
  }
  EXPECT_NE(bound("d-0", "nothing", false).find("errno 2"), std::string::npos);
}

TEST_F(SandboxTest, HostNetworkStaysOutside) {
  port::SandboxOptions options;
  options.host_network = true;
  create(options);
  struct stat ours;
  struct stat theirs;
  ASSERT_EQ(::stat("/proc/self/ns/net", &ours), 0);
  ASSERT_EQ(::stat(join({"/proc/", std::to_string(sandbox_->pid()), "/ns/net"}).c_str(), &theirs),
            0);
  EXPECT_EQ(ours.st_ino, theirs.st_ino);
}

TEST_F(SandboxTest, SharedMountsStandBeforeReady) {
  ASSERT_TRUE(port_.disk().make_directories(port_.scratch() + "/shared"));
  port::SandboxOptions options;
  options.mounts = {{"tmpfs", "tmpfs", port_.scratch() + "/shared", "size=1m,mode=1777,nosuid"}};
  create(options);
  const auto mounts =
      port_.disk().read_file(join({"/proc/", std::to_string(sandbox_->pid()), "/mounts"}));
  EXPECT_NE(mounts->find(port_.scratch() + "/shared tmpfs rw,nosuid"), std::string::npos);
}

TEST_F(SandboxTest, FailedSetUpSaysWhy) {
  port::SandboxOptions options;
  options.directory = directory_;
  options.mounts = {{"tmpfs", "tmpfs", "/no/such/place", ""}};
  auto sandbox = port_.machine.sandboxes().create(options, notes_);
  ASSERT_TRUE(sandbox);
  sandbox_ = std::move(*sandbox);
  ASSERT_TRUE(wait([&] { return notes_.lost > 0; }));
  EXPECT_EQ(notes_.why, "mount tmpfs on /no/such/place: errno 2");
}

TEST_F(SandboxTest, FailedStartCarriesTheWordsOfCrun) {
  create();
  port::ContainerStart start = container("bad-0", "true");
  ASSERT_TRUE(port_.disk().write_file(
      start.bundle + "/config.json",
      R"({"ociVersion":"1.0.0","process":{"user":{"uid":0,"gid":0},"args":["/no-such-program"],)"
      R"("cwd":"/"},"root":{"path":"rootfs"},"mounts":[],"linux":{"namespaces":[{"type":"mount"}]}})",
      0600));
  sandbox_->start(start);
  ASSERT_TRUE(wait([&] { return notes_.is("bad-0", kFailedToStart); }));
  EXPECT_NE(notes_.last["bad-0"].message.find("no-such-program"), std::string::npos)
      << notes_.last["bad-0"].message;
  start.id = "bad-1";
  start.mounts[0].options = "lowerdir=/no/such";
  sandbox_->start(start);
  ASSERT_TRUE(wait([&] { return notes_.is("bad-1", kFailedToStart); }));
  EXPECT_NE(notes_.last["bad-1"].message.find("mount overlay on"), std::string::npos);
  sandbox_->forget("bad-0");
  EXPECT_TRUE(wait([&] { return !port_.disk().stat(directory_ + "/c/bad-0"); }));
}

TEST_F(SandboxTest, SignalsAndKillsReachTheContainer) {
  create();
  sandbox_->start(container(
      "t-0", "trap 'exit 3' TERM; busybox echo up; while :; do busybox sleep 0.05; done"));
  sandbox_->start(
      container("k-0", "trap '' TERM; busybox echo up; while :; do busybox sleep 0.05; done"));
  ASSERT_TRUE(wait([&] { return log("t-0").size() > 8 && log("k-0").size() > 8; }));
  sandbox_->signal("t-0", SIGTERM);
  sandbox_->signal("k-0", SIGTERM);
  ASSERT_TRUE(wait([&] { return notes_.is("t-0", kExited); }));
  EXPECT_EQ(notes_.last["t-0"].exit_code, 3);
  EXPECT_TRUE(notes_.is("k-0", kRunning));
  sandbox_->kill("k-0");
  ASSERT_TRUE(wait([&] { return notes_.is("k-0", kExited); }));
  EXPECT_EQ(notes_.last["k-0"].exit_code, 137);
  EXPECT_EQ(notes_.last["k-0"].signal, SIGKILL);
}

TEST_F(SandboxTest, KillReachesEveryProcessOfASharedNamespace) {
  create();
  port::ContainerStart start = container(
      "n-0", "(trap '' TERM; busybox sleep 1000) & busybox echo up; busybox sleep 1000", "");
  start.mounts.push_back({"bind", "/proc", start.bundle + "/rootfs/proc", ""});
  const std::string config = *port_.disk().read_file(start.bundle + "/config.json");
  const size_t mounts = config.find(R"({"destination")");
  ASSERT_TRUE(port_.disk().write_file(
      start.bundle + "/config.json",
      config.substr(0, mounts) + config.substr(config.find('}', mounts) + 1), 0600));
  sandbox_->start(start);
  ASSERT_TRUE(wait([&] { return log("n-0").size() > 8; })) << notes_.last["n-0"].message;
  const auto processes = [&] {
    const auto list = port_.disk().read_file("/sys/fs/cgroup/pids/coracle-test/n-0/cgroup.procs");
    return list ? split(*list, '\n').size() - 1 : 0;
  };
  EXPECT_GE(processes(), 2u);
  sandbox_->kill("n-0");
  ASSERT_TRUE(wait([&] { return notes_.is("n-0", kExited); }));
  EXPECT_TRUE(wait([&] { return processes() == 0; }));
}

TEST_F(SandboxTest, ForgettingARunningContainerKillsIt) {
  create();
  sandbox_->start(container("f-0", "busybox sleep 1000"));
  ASSERT_TRUE(wait([&] { return notes_.is("f-0", kRunning); }));
  sandbox_->forget("f-0");
  ASSERT_TRUE(wait([&] { return notes_.is("f-0", kExited); }));
  EXPECT_TRUE(wait([&] { return !port_.disk().stat(directory_ + "/c/f-0"); }));
  EXPECT_EQ(port_.disk()
                .read_file(join({"/proc/", std::to_string(sandbox_->pid()), "/mounts"}))
                ->find("bundle-f-0"),
            std::string::npos);
}

TEST_F(SandboxTest, ForgettingDuringTheStartWaitsForIt) {
  create();
  sandbox_->start(container("q-0", "busybox sleep 1000"));
  sandbox_->forget("q-0");
  ASSERT_TRUE(wait([&] { return notes_.is("q-0", kExited); }));
  EXPECT_TRUE(wait([&] { return !port_.disk().stat(directory_ + "/c/q-0"); }));
}

TEST_F(SandboxTest, BadIdsAndRepeatedStartsAreIgnored) {
  create();
  port::ContainerStart good = container("g-0", "busybox sleep 1000");
  port::ContainerStart bad = good;
  bad.id = "../escape";
  sandbox_->start(bad);
  sandbox_->start(good);
  sandbox_->start(good);
  ASSERT_TRUE(wait([&] { return notes_.is("g-0", kRunning); }));
  EXPECT_EQ(notes_.phases["g-0"], (std::vector{kStarting, kRunning}));
  EXPECT_EQ(notes_.last.count("../escape"), 0u);
  EXPECT_EQ(*port_.disk().list(directory_ + "/c"), (std::vector<std::string>{"g-0"}));
}

// What a container writes while no daemon is there, and faster than any pipe holds.
TEST_F(SandboxTest, FullPipesNeverBlockAContainer) {
  create();
  port::ContainerStart start = container("p-0", "busybox seq 1 60000; exit 6");
  start.log_bytes_max = 1024 * 1024;
  start.log_files_max = 2;
  sandbox_->start(start);
  ASSERT_TRUE(wait([&] { return notes_.last.count("p-0") > 0; }));
  sandbox_.reset();
  notes_ = {};
  EXPECT_TRUE(wait([&] { return port_.disk().stat(directory_ + "/c/p-0/exit").has_value(); }));
  auto adopted = port_.machine.sandboxes().adopt(directory_, notes_);
  ASSERT_TRUE(adopted);
  sandbox_ = std::move(*adopted);
  ASSERT_TRUE(wait([&] { return notes_.is("p-0", kExited); }));
  EXPECT_EQ(notes_.last["p-0"].exit_code, 6);
  EXPECT_NE(log("p-0").find(" stdout F 60000\n"), std::string::npos);
  const auto memory =
      port_.disk().read_file(join({"/proc/", std::to_string(sandbox_->pid()), "/smaps_rollup"}));
  const size_t pss = memory->find("Pss:") + 4;
  EXPECT_LE(*parse_unsigned(trim(memory->substr(pss, memory->find("kB", pss) - pss))), 150u);
}

TEST_F(SandboxTest, LongLinesAreSplitAndUnfinishedOnesMarked) {
  create();
  sandbox_->start(container("l-0",
                            "busybox head -c 40000 /dev/zero | busybox tr '\\\\0' x; busybox echo; "
                            "busybox echo two; busybox printf end"));
  ASSERT_TRUE(wait([&] { return notes_.is("l-0", kExited); }));
  ASSERT_TRUE(wait([&] { return lines("l-0").size() == 5; }));
  const auto found = lines("l-0");
  EXPECT_EQ(found[0], "stdout P " + std::string(16384, 'x'));
  EXPECT_EQ(found[1], "stdout P " + std::string(16384, 'x'));
  EXPECT_EQ(found[2], "stdout F " + std::string(40000 - 2 * 16384, 'x'));
  EXPECT_EQ(found[3], "stdout F two");
  EXPECT_EQ(found[4], "stdout P end");
}

TEST_F(SandboxTest, LogsRotateBySizeAndLoseNothing) {
  create();
  port::ContainerStart start =
      container("r-0", "busybox seq 1 3000; busybox sleep 0.05; busybox seq 3001 4000");
  start.log_bytes_max = 64 * 1024;
  start.log_files_max = 3;
  sandbox_->start(start);
  ASSERT_TRUE(wait([&] { return notes_.is("r-0", kExited); }));
  const std::string all = log("r-0", ".2") + log("r-0", ".1") + log("r-0");
  int expected = 0;
  for (std::string_view line : split(all, '\n')) {
    if (line.size() < 40) continue;
    const int number = static_cast<int>(*parse_unsigned(line.substr(40)));
    if (expected > 0) {
      ASSERT_EQ(number, expected);
    }
    expected = number + 1;
  }
  EXPECT_EQ(expected, 4001);
  EXPECT_LT(log("r-0", ".1").size(), 64u * 1024 + 17 * 1024);
  EXPECT_EQ(log("r-0", ".3"), "no log");
}

}  // namespace
}  // namespace coracle::port_linux
