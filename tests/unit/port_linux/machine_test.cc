// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/machine.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/port_linux/linux_port.h"

namespace coracle::port_linux {
namespace {

struct Ending : port::ProcessEvents {
  void on_output(std::string_view bytes) override { output.append(bytes); }
  void on_exit(int code_in, int signal_in) override {
    code = code_in;
    signal = signal_in;
    exits++;
  }
  std::string output;
  int code = -1;
  int signal = -1;
  int exits = 0;
};

port::SpawnOptions shell(const std::string& script) {
  port::SpawnOptions options;
  options.arguments = {"/bin/sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin", "GREETING=hello"};
  return options;
}

TEST(Machine, IdleLoopDoesNotWakeUp) {
  LinuxPort port;
  auto lane = port.lane();
  const uint64_t before = port.machine.turns();
  contract::Bell bell;
  struct Stop : port::Alarm {
    explicit Stop(Machine& machine_in) : machine(machine_in) {}
    void on_alarm(port::Timer&) override { machine.stop(); }
    Machine& machine;
  } stop(port.machine);
  auto timer = port.clock().timer(stop);
  timer->arm(port.clock().now() + milliseconds(300));
  port.machine.run();
  EXPECT_LE(port.machine.turns() - before, 2u);
}

TEST(Machine, SignalsArriveOnTheLoop) {
  struct Listener : SignalEvents {
    void on_signal(int signal) override { heard = signal; }
    int heard = 0;
  } listener;
  LinuxPort port;
  port.machine.watch_signals(listener);
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(port.run_until([&] { return listener.heard == SIGHUP; }, contract::kSoon));
  ::kill(::getpid(), SIGTERM);
  EXPECT_TRUE(port.run_until([&] { return listener.heard == SIGTERM; }, contract::kSoon));
}

TEST(Processes, TellOutputAndExitCode) {
  LinuxPort port;
  Ending ending;
  port::SpawnOptions options = shell("echo $GREETING; pwd >&2; exit 7");
  options.capture_output = true;
  options.directory = "/tmp";
  auto process = port.machine.processes().spawn(options, ending);
  ASSERT_TRUE(process) << process.error().message;
  ASSERT_TRUE(port.run_until([&] { return ending.exits == 1; }, contract::kSoon));
  EXPECT_EQ(ending.code, 7);
  EXPECT_EQ(ending.signal, 0);
  EXPECT_EQ(ending.output, "hello\n/tmp\n");
}

TEST(Processes, TellTheSignalThatKilled) {
  LinuxPort port;
  Ending ending;
  auto process = port.machine.processes().spawn(shell("sleep 100"), ending);
  ASSERT_TRUE(process);
  EXPECT_GT(*port.machine.processes().start_time((*process)->pid()), 0u);
  ASSERT_TRUE(port.machine.processes().signal((*process)->pid(), SIGKILL));
  ASSERT_TRUE(port.run_until([&] { return ending.exits == 1; }, contract::kSoon));
  EXPECT_EQ(ending.signal, SIGKILL);
  EXPECT_FALSE(port.machine.processes().signal((*process)->pid(), SIGKILL));
}

TEST(Processes, RefuseAProgramThatIsNotThere) {
  LinuxPort port;
  Ending ending;
  port::SpawnOptions options;
  options.arguments = {"/no/such/program"};
  auto process = port.machine.processes().spawn(options, ending);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, Code::kNotFound);
}

TEST(Processes, ForgottenChildIsReapedAllTheSame) {
  LinuxPort port;
  Ending ending;
  auto process = port.machine.processes().spawn(shell("exit 0"), ending);
  ASSERT_TRUE(process);
  const auto pid = static_cast<pid_t>((*process)->pid());
  process->reset();
  EXPECT_TRUE(port.run_until([&] { return ::kill(pid, 0) != 0; }, contract::kSoon));
  EXPECT_EQ(ending.exits, 0);
}

TEST(Processes, ChildrenInheritNoDescriptor) {
  int expected = 4;  // 0, 1, 2 and the directory that ls reads
  for (int fd = 3; fd < 256; fd++)
    expected += ::fcntl(fd, F_GETFD) == 0;  // whoever started the test left it open for all
  LinuxPort port;
  Ending ending;
  contract::Bell bell;
  auto lane = port.lane();
  auto file = port.disk().open(port.scratch() + "/f", port::OpenMode::kCreate);
  port::SpawnOptions options = shell("ls /proc/self/fd | wc -l");
  options.capture_output = true;
  auto process = port.machine.processes().spawn(options, ending);
  ASSERT_TRUE(port.run_until([&] { return ending.exits == 1; }, contract::kSoon));
  EXPECT_EQ(ending.output, std::to_string(expected) + "\n");
}

TEST(PidFile, RefusesASecondHolder) {
  LinuxPort port;
  const std::string path = port.scratch() + "/pid";
  auto first = PidFile::take(path);
  ASSERT_TRUE(first);
  auto second = PidFile::take(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  first->reset();
  EXPECT_TRUE(PidFile::take(path));
}

}  // namespace
}  // namespace coracle::port_linux
