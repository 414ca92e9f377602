// SPDX-License-Identifier: GPL-2.0-or-later
// A network namespace for one test, entered by the test's thread, and pods in it: processes that
// wait in network namespaces of their own.
#pragma once

#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace coracle::port_linux {

inline bool run_shell(const std::string& command) {
  return ::system(command.c_str()) == 0;
}

class HostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    home_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0)
      GTEST_SKIP() << "skipped: needs the right to make network namespaces";
    ASSERT_TRUE(run_shell("ip link set lo up"));
  }
  void TearDown() override {
    for (pid_t pod : pods_) {
      ::kill(pod, SIGKILL);
      ::waitpid(pod, nullptr, 0);
    }
    ::setns(home_, CLONE_NEWNET);
    ::close(home_);
  }
  // Runs `work` in a new process in a new network namespace, from which it does not return.
  pid_t new_pod() {
    int ready[2];
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::unshare(CLONE_NEWNET);
      ::close(ready[1]);
      for (;;)
        ::pause();
    }
    ::close(ready[1]);
    char none;
    static_cast<void>(!::read(ready[0], &none, 1));  // ends when the pod has left our namespace
    ::close(ready[0]);
    pods_.push_back(pid);
    return pid;
  }
  static std::string inside(pid_t pod, const std::string& command) {
    return "nsenter --net=/proc/" + std::to_string(pod) + "/ns/net " + command;
  }

  int home_ = -1;
  std::vector<pid_t> pods_;
};

}  // namespace coracle::port_linux
