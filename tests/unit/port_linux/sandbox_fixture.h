// SPDX-License-Identifier: GPL-2.0-or-later
// A sandbox with a real shim, crun and busybox; skipped where the machine cannot run them.
#pragma once

#include <map>

#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/sandbox.h"
#include "tests/unit/port_linux/linux_port.h"

namespace coracle::port_linux {

inline constexpr Duration kPatience = seconds(20);

struct Notes : port::SandboxEvents {
  void on_ready() override { ready++; }
  void on_container(const port::ContainerRecord& record) override {
    phases[record.id].push_back(record.phase);
    last[record.id] = record;
  }
  void on_lost(std::string_view reason) override {
    lost++;
    why = reason;
  }
  bool is(const std::string& id, port::ContainerPhase phase) {
    return last.count(id) > 0 && last[id].phase == phase;
  }
  int ready = 0;
  int lost = 0;
  std::string why;
  std::map<std::string, std::vector<port::ContainerPhase>> phases;
  std::map<std::string, port::ContainerRecord> last;
};

using enum port::ContainerPhase;

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || ::access("/usr/bin/crun", X_OK) != 0 ||
        ::access("/bin/busybox", X_OK) != 0)
      GTEST_SKIP() << "skipped: needs root, crun and busybox-static";
    directory_ = port_.scratch() + "/" + std::string(100, 's');
    ASSERT_TRUE(port_.disk().make_directories(directory_));
    ASSERT_TRUE(port_.disk().make_directories(port_.scratch() + "/base/bin"));
    for (const char* name : {"/base/proc", "/base/dev", "/base/sys", "/base/tmp"})
      ASSERT_TRUE(port_.disk().make_directories(port_.scratch() + name));
    const std::string busybox = *port_.disk().read_file("/bin/busybox");
    ASSERT_TRUE(port_.disk().write_file(port_.scratch() + "/base/bin/busybox", busybox, 0755));
    ::symlink("busybox", (port_.scratch() + "/base/bin/sh").c_str());
  }
  void TearDown() override {
    if (sandbox_ != nullptr) end_sandbox();
    for (const char* name : {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio",
                             "pids", "systemd", "net_cls", "net_prio", "perf_event", "."})
      ::rmdir(join({"/sys/fs/cgroup/", name, "/coracle-test"}).c_str());
  }
  void end_sandbox() {
    if (notes_.lost == 0) sandbox_->end();
    EXPECT_TRUE(wait([&] { return notes_.lost > 0; })) << "the shim did not end";
    const auto left = port_.disk().list(directory_);
    ASSERT_TRUE(left);
    for (const std::string& name : *left)
      EXPECT_TRUE(name.ends_with(".log") || name.find(".log.") != std::string::npos) << name;
  }
  template <class Done>
  bool wait(Done done) {
    return port_.run_until(done, kPatience);
  }
  void create(port::SandboxOptions options = {}) {
    options.directory = directory_;
    options.hostname = "pod-name";
    auto sandbox = port_.machine.sandboxes().create(options, notes_);
    ASSERT_TRUE(sandbox) << sandbox.error().message;
    sandbox_ = std::move(*sandbox);
    ASSERT_TRUE(wait([&] { return notes_.ready + notes_.lost > 0; }));
    ASSERT_EQ(notes_.lost, 0) << notes_.why;
  }
  port::ContainerStart container(const std::string& id,
                                 const std::string& script,
                                 const std::string& namespaces = R"({"type":"pid"},)") {
    const std::string bundle = join({port_.scratch(), "/bundle-", id});
    for (const char* name : {"/rootfs", "/up", "/work"})
      EXPECT_TRUE(port_.disk().make_directories(bundle + name));
    const std::string config = join(
        {R"({"ociVersion":"1.0.0","process":{"user":{"uid":0,"gid":0},"args":["/bin/sh","-c",")",
         script,
         R"("],"env":["PATH=/bin"],"cwd":"/"},"root":{"path":"rootfs"},"mounts":[{"destination":)",
         R"("/proc","type":"proc","source":"proc"}],"linux":{"cgroupsPath":"/coracle-test/)", id,
         R"(","namespaces":[)", namespaces, R"({"type":"mount"}]}})"});
    EXPECT_TRUE(port_.disk().write_file(bundle + "/config.json", config, 0600));
    port::ContainerStart start;
    start.id = id;
    start.bundle = bundle;
    start.mounts = {{"overlay", "overlay", bundle + "/rootfs",
                     join({"lowerdir=", port_.scratch(), "/base,upperdir=", bundle,
                           "/up,workdir=", bundle, "/work"})}};
    start.log_path = join({directory_, "/", id, ".log"});
    return start;
  }
  std::string log(const std::string& id, const std::string& suffix = "") {
    auto text =
        port_.disk().read_file(join({directory_, "/", id, ".log", suffix}), 64 * 1024 * 1024);
    return text ? *text : "no log";
  }
  // The text of each line without its time.
  std::vector<std::string> lines(const std::string& id) {
    std::vector<std::string> out;
    const std::string text = log(id);
    for (std::string_view line : split(text, '\n')) {
      if (line.size() < 31) continue;
      EXPECT_TRUE(parse_rfc3339(line.substr(0, 30))) << line;
      out.emplace_back(line.substr(31));
    }
    return out;
  }

  LinuxPort port_;
  Notes notes_;
  std::string directory_;
  std::unique_ptr<port::Sandbox> sandbox_;
};

}  // namespace coracle::port_linux
