// SPDX-License-Identifier: GPL-2.0-or-later
// Commands run in containers, and containers one is attached to, with the real shim and crun.
#include <algorithm>

#include "tests/unit/port_linux/sandbox_fixture.h"

namespace coracle::port_linux {
namespace {

struct Said : port::CommandEvents {
  void on_output(bool is_error, std::string_view bytes) override {
    (is_error ? err : out) += bytes;
  }
  void on_input_taken() override { taken++; }
  void on_command_over(const port::CommandEnd& how) override {
    over++;
    end = how;
  }
  std::string out;
  std::string err;
  int taken = 0;
  int over = 0;
  port::CommandEnd end;
};

class CommandTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(port_.disk().make_directories(port_.scratch() + "/base/dev/pts"));
    create();
  }
  void start(const port::ContainerStart& what) {
    sandbox_->start(what);
    ASSERT_TRUE(wait([&] { return notes_.is(what.id, kRunning); })) << notes_.last[what.id].message;
  }
  static port::CommandOptions shell(const std::string& script, bool input = false) {
    return {"a-0",
            join({R"({"terminal":false,"user":{"uid":0,"gid":0},"args":["/bin/sh","-c",")", script,
                  R"("],"env":["PATH=/bin","GREETING=hi"],"cwd":"/tmp"})"}),
            input};
  }
  // A bundle whose process has a terminal and a place for it.
  port::ContainerStart terminal(const std::string& script) {
    port::ContainerStart start = container("a-0", script);
    std::string config = *port_.disk().read_file(start.bundle + "/config.json");
    replace(config, R"("process":{)", R"("process":{"terminal":true,)");
    replace(config, R"("mounts":[)",
            R"("mounts":[{"destination":"/dev","type":"tmpfs","source":"tmpfs"},)"
            R"({"destination":"/dev/pts","type":"devpts","source":"devpts",)"
            R"("options":["newinstance","ptmxmode=0666","mode=0620"]},)");
    EXPECT_TRUE(port_.disk().write_file(start.bundle + "/config.json", config, 0600));
    start.terminal = start.input = true;
    return start;
  }
  static void replace(std::string& text, std::string_view from, std::string_view to) {
    text.replace(text.find(from), from.size(), to);
  }
  std::unique_ptr<port::Command> run(const port::CommandOptions& options, Said& said) {
    auto command = sandbox_->run(options, said);
    EXPECT_TRUE(command) << command.error().message;
    return command ? std::move(*command) : nullptr;
  }
};

TEST_F(CommandTest, RunsBesideTheContainersOwnProcessAndTellsItsExitCode) {
  start(container("a-0", "busybox sleep 100"));
  Said said;
  const auto command =
      run(shell("echo $GREETING; busybox pwd; busybox hostname >&2; exit 7"), said);
  ASSERT_TRUE(wait([&] { return said.over > 0; }));
  EXPECT_EQ(said.out, "hi\n/tmp\n");
  EXPECT_EQ(said.err, "pod-name\n");
  EXPECT_TRUE(said.end.started) << said.end.why;
  EXPECT_EQ(said.end.exit_code, 7);
}

TEST_F(CommandTest, InputIsPassedOnAndEnds) {
  start(container("a-0", "busybox sleep 100"));
  Said said;
  const auto command = run(shell("busybox md5sum", true), said);
  for (int i = 0; i < 64; i++)
    command->send(std::string(16 * 1024, 'x'));
  command->close_input();
  ASSERT_TRUE(wait([&] { return said.over > 0; }));
  EXPECT_EQ(said.out, "b561f87202d04959e37588ee05cf5b10  -\n");
  EXPECT_GT(said.taken, 0);
}

TEST_F(CommandTest, WhatCannotStartSaysWhy) {
  start(container("a-0", "busybox sleep 100"));
  Said said;
  port::CommandOptions options = shell("");
  options.process =
      R"({"user":{"uid":0,"gid":0},"args":["nowhere"],"env":["PATH=/bin"],"cwd":"/"})";
  const auto command = run(options, said);
  ASSERT_TRUE(wait([&] { return said.over > 0; }));
  EXPECT_FALSE(said.end.started);
  EXPECT_NE(said.end.why.find("nowhere"), std::string::npos) << said.end.why;
  EXPECT_EQ(said.err, "");
}

TEST_F(CommandTest, DestroyingItKillsTheCommandAndLeavesNoFile) {
  start(container("a-0", "while :; do busybox sleep 1; done"));
  Said said;
  auto command = run(shell("echo $$; exec busybox sleep 100"), said);
  ASSERT_TRUE(wait([&] { return !said.out.empty(); }));
  command.reset();
  Said after;
  const auto look =
      run(shell("while busybox ps | busybox grep -q 'sleep 10[0]'; do :; done"), after);
  ASSERT_TRUE(wait([&] { return after.over > 0; }));
  EXPECT_EQ(said.over, 0);
  const auto left = port_.disk().list(directory_);
  EXPECT_EQ(std::count_if(left->begin(), left->end(),
                          [](const std::string& name) { return name.starts_with("x1."); }),
            0);
}

TEST_F(CommandTest, SlowListenersHoldUpTheCommandAndMissNothing) {
  start(container("a-0", "busybox sleep 100"));
  Said said;
  const auto command = run(shell("busybox dd if=/dev/zero bs=1k count=512 2>/dev/null"), said);
  command->pause_output(true);
  Said other;
  const auto waits = run(shell("busybox sleep 1"), other);
  ASSERT_TRUE(wait([&] { return other.over > 0; }));
  EXPECT_EQ(said.over, 0);
  command->pause_output(false);
  ASSERT_TRUE(wait([&] { return said.over > 0; }));
  EXPECT_EQ(said.out.size(), 512u * 1024);
}

TEST_F(CommandTest, ATerminalIsOneStreamWithASize) {
  start(terminal("busybox sleep 100"));
  Said said;
  port::CommandOptions options =
      shell("echo out; echo err >&2; read line; busybox stty size; exit 3");
  replace(options.process, R"("terminal":false)", R"("terminal":true)");
  options.terminal = options.input = true;
  const auto command = run(options, said);
  command->resize(132, 43);
  ASSERT_TRUE(wait([&] { return said.out.find("err\r\n") != std::string::npos; }));
  command->send("x\n");
  ASSERT_TRUE(wait([&] { return said.over > 0; }));
  EXPECT_EQ(said.out, "out\r\nerr\r\nx\r\n43 132\r\n");
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(said.end.exit_code, 3);
}

TEST_F(CommandTest, AttachingHearsTheContainerAndSpeaksToIt) {
  port::ContainerStart starts =
      container("a-0", "while read line; do echo got $line; done; echo over >&2");
  starts.input = true;
  start(starts);
  Said first;
  Said second;
  auto one = sandbox_->attach("a-0", true, first);
  ASSERT_TRUE(one) << one.error().message;
  auto two = sandbox_->attach("a-0", false, second);
  ASSERT_TRUE(two) << two.error().message;
  (*one)->send("first\n");
  ASSERT_TRUE(wait([&] { return !first.out.empty() && !second.out.empty(); }));
  EXPECT_EQ(first.out, "got first\n");
  EXPECT_EQ(second.out, "got first\n");
  two->reset();
  (*one)->send("second\n");
  (*one)->close_input();
  ASSERT_TRUE(wait([&] { return first.over > 0; }));
  EXPECT_EQ(first.out, "got first\ngot second\n");
  EXPECT_EQ(first.err, "over\n");
  ASSERT_TRUE(wait([&] { return notes_.is("a-0", kExited); }));
  auto found = lines("a-0");
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"stderr F over", "stdout F got first",
                                             "stdout F got second"}));
}

TEST_F(CommandTest, WhoLeavesWithoutAWordLeavesTheInputOpen) {
  port::ContainerStart starts = container("a-0", "while read line; do echo got $line; done");
  starts.input = true;
  start(starts);
  for (int i = 0; i < 3; i++) {
    Said said;
    auto attached = sandbox_->attach("a-0", true, said);
    ASSERT_TRUE(attached) << attached.error().message;
    (*attached)->send(std::to_string(i) + "\n");
    ASSERT_TRUE(wait([&] { return !said.out.empty(); }));
    EXPECT_EQ(said.out, join({"got ", std::to_string(i), "\n"}));
  }
  EXPECT_FALSE(notes_.is("a-0", kExited));
}

TEST_F(CommandTest, ATerminalOfItsOwnIsReachedByAttaching) {
  start(terminal("busybox stty -echo; echo ready; read line; busybox stty size; echo bye $line"));
  ASSERT_TRUE(wait([&] { return log("a-0").find("ready") != std::string::npos; }));
  Said said;
  auto attached = sandbox_->attach("a-0", true, said);
  ASSERT_TRUE(attached) << attached.error().message;
  (*attached)->resize(101, 33);
  (*attached)->send("you\n");
  ASSERT_TRUE(wait([&] { return said.over > 0; }));
  EXPECT_EQ(said.out, "33 101\r\nbye you\r\n");
  EXPECT_TRUE(wait([&] { return notes_.is("a-0", kExited); }));
  EXPECT_EQ(lines("a-0"), (std::vector<std::string>{"stdout F ready\r", "stdout F 33 101\r",
                                                    "stdout F bye you\r"}));
}

TEST_F(CommandTest, AnAttachedOneThatDoesNotReadHoldsUpTheContainer) {
  port::ContainerStart starts = container(
      "a-0", "read line; busybox dd if=/dev/zero bs=1k count=1024 2>/dev/null; echo; echo end");
  starts.input = true;
  start(starts);
  Said said;
  auto attached = sandbox_->attach("a-0", true, said);
  ASSERT_TRUE(attached);
  (*attached)->pause_output(true);
  (*attached)->send("go\n");
  Said other;
  const auto waits = run(shell("busybox sleep 1"), other);
  ASSERT_TRUE(wait([&] { return other.over > 0; }));
  EXPECT_FALSE(notes_.is("a-0", kExited));
  (*attached)->pause_output(false);
  ASSERT_TRUE(wait([&] { return said.over > 0; }));
  EXPECT_EQ(said.out.size(), 1024u * 1024 + 5);
  EXPECT_TRUE(said.out.ends_with("\nend\n"));
}

struct Peer : port::StreamEvents {
  void on_connected() override { connected = true; }
  void on_bytes(std::string_view bytes) override { got += bytes; }
  void on_closed(std::string_view reason) override { closed = reason; }
  bool connected = false;
  std::string got;
  std::string closed;
};

TEST_F(CommandTest, ConnectsWithinTheNetworkOfThePod) {
  start(container("a-0", "busybox nc -l -p 8080 -e busybox echo inside"));
  const std::string up =
      join({"nsenter -t ", std::to_string(sandbox_->pid()), " -n ip link set lo up"});
  ASSERT_EQ(std::system(up.c_str()), 0);
  for (int i = 0; i < 1000; i++) {
    Peer peer;
    const auto stream = sandbox_->connect({"127.0.0.1", 8080}, peer);
    ASSERT_TRUE(wait([&] { return !peer.closed.empty(); }));
    if (!peer.connected) continue;  // nobody listens yet
    EXPECT_EQ(peer.got, "inside\n");
    return;
  }
  FAIL() << "nobody answered";
}

}  // namespace
}  // namespace coracle::port_linux
