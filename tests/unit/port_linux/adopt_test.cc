// SPDX-License-Identifier: GPL-2.0-or-later
// Sandboxes and the end of those who look after them.
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/port_linux/sandbox_fixture.h"

namespace coracle::port_linux {
namespace {

// The daemon of this test is a process of its own, killed while its container runs.
TEST_F(SandboxTest, KilledDaemonLeavesItsContainersAlone) {
  const port::ContainerStart start =
      container("go-0", "while :; do busybox echo x; busybox sleep 0.05; done");
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    struct Killer : Notes {
      void on_container(const port::ContainerRecord& record) override {
        if (record.phase == kRunning) ::kill(::getpid(), SIGKILL);
      }
    } killer;
    Machine machine;
    auto sandbox = machine.sandboxes().create({directory_, "pod-name", false, {}}, killer);
    if (sandbox) (*sandbox)->start(start);
    if (sandbox) machine.run();
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(daemon, &status, 0), daemon);
  ASSERT_TRUE(WIFSIGNALED(status));
  const std::string run = *port_.disk().read_file(directory_ + "/c/go-0/run");
  auto adopted = port_.machine.sandboxes().adopt(directory_, notes_);
  ASSERT_TRUE(adopted);
  sandbox_ = std::move(*adopted);
  ASSERT_TRUE(wait([&] { return notes_.is("go-0", kRunning); }));
  EXPECT_EQ(run.substr(0, run.find(' ')), std::to_string(notes_.last["go-0"].pid));
  const size_t before = log("go-0").size();
  EXPECT_TRUE(wait([&] { return log("go-0").size() > before; }));
}

TEST_F(SandboxTest, SurvivesTheDaemonAndTellsWhatHappenedMeanwhile) {
  create();
  sandbox_->start(container("go-0", "busybox sleep 0.3; busybox echo later; exit 5"));
  sandbox_->start(container("stay-0", "while :; do busybox echo more; busybox sleep 0.05; done"));
  ASSERT_TRUE(wait([&] { return notes_.is("go-0", kRunning) && notes_.is("stay-0", kRunning); }));
  const int64_t shim = sandbox_->pid();
  const int64_t stays = notes_.last["stay-0"].pid;
  sandbox_.reset();
  port_.run_until([] { return false; }, milliseconds(600));
  notes_ = {};
  auto adopted = port_.machine.sandboxes().adopt(directory_, notes_);
  ASSERT_TRUE(adopted);
  sandbox_ = std::move(*adopted);
  ASSERT_TRUE(wait([&] { return notes_.is("go-0", kExited) && notes_.is("stay-0", kRunning); }));
  EXPECT_EQ(notes_.ready, 1);
  EXPECT_EQ(sandbox_->pid(), shim);
  EXPECT_EQ(notes_.last["stay-0"].pid, stays);
  EXPECT_EQ(notes_.last["go-0"].exit_code, 5);
  EXPECT_EQ(lines("go-0"), (std::vector<std::string>{"stdout F later"}));
  EXPECT_GT(lines("stay-0").size(), 5u);
}

TEST_F(SandboxTest, DeadShimIsNoticedAndItsContainersAreKilled) {
  create();
  sandbox_->start(container("done-0", "exit 4"));
  sandbox_->start(container("alive-0", "busybox sleep 1000"));
  ASSERT_TRUE(wait([&] { return notes_.is("alive-0", kRunning) && notes_.is("done-0", kExited); }));
  const auto alive = static_cast<pid_t>(notes_.last["alive-0"].pid);
  notes_.last.clear();
  ::kill(static_cast<pid_t>(sandbox_->pid()), SIGKILL);
  ASSERT_TRUE(wait([&] { return notes_.lost == 1; }));
  EXPECT_EQ(notes_.last["done-0"].exit_code, 4);
  EXPECT_EQ(notes_.last["alive-0"].exit_code, 137);
  EXPECT_TRUE(wait([&] {
    const auto stat = port_.disk().read_file(join({"/proc/", std::to_string(alive), "/stat"}));
    return !stat || stat->find(") Z") != std::string::npos;
  }));
  EXPECT_FALSE(port_.disk().stat("/sys/fs/cgroup/pids/coracle-test/alive-0"));
}

TEST_F(SandboxTest, AdoptingNothingIsLost) {
  auto sandbox = port_.machine.sandboxes().adopt(directory_, notes_);
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(notes_.lost, 0);
  sandbox_ = std::move(*sandbox);
  EXPECT_TRUE(wait([&] { return notes_.lost == 1; }));
}

}  // namespace
}  // namespace coracle::port_linux
