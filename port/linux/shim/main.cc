// SPDX-License-Identifier: GPL-2.0-or-later
// coracle-shim hold DIRECTORY CRUN HOSTNAME node|pod [TYPE SOURCE TARGET OPTIONS]...
//   makes the namespaces of a sandbox and serves the daemon on the listening socket at
//   descriptor 3.
// coracle-shim sweep DIRECTORY CRUN
//   deletes with crun what the containers of a dead shim left behind (cgroups, state), then ends.
// coracle-shim enter DIRECTORY CRUN PID WORDS...
//   becomes crun in the namespaces of the shim PID: commands beside a container's own.
// README.md tells the whole story.
#include "port/linux/shim/enter.h"
#include "port/linux/shim/mounts.h"
#include "port/linux/shim/runtime.h"
#include "port/linux/shim/sandbox.h"
#include "port/linux/shim/sweep.h"
#include "port/linux/shim/syscall.h"
#include "port/linux/shim/wire.h"

namespace coracle::shim {

Place place{};

namespace {

bool own_namespaces(const char* hostname, bool node_network, Writer& message) {
  const unsigned long flags = CLONE_NEWIPC | (node_network ? 0 : CLONE_NEWNET | CLONE_NEWUTS);
  long error = sys_unshare(flags);
  if (error != 0) {
    message.put("unshare: errno ").number(static_cast<uint64_t>(-error));
    return false;
  }
  if (!node_network) error = sys(__NR_sethostname, hostname, length(hostname));
  if (error != 0) {
    message.put("sethostname: errno ").number(static_cast<uint64_t>(-error));
    return false;
  }
  return own_mounts(message);
}

struct Words {  // of the command line
  long count;
  const char* const* at;
  const char* word(long i) const { return i < count ? at[i] : ""; }
};

bool set_up(const Words& words, Writer& message) {
  if (!own_namespaces(words.word(4), same(words.word(5), "node"), message)) return false;
  sys(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
  sys_mkdir("c", 0700);
  sys_mkdir("crun", 0700);
  for (long i = 6; i + 3 < words.count; i += 4) {
    // Words of a command line follow each other in memory, each ended by a NUL: they are a record.
    const char* start = words.word(i);
    const char* end = words.word(i + 3) + length(words.word(i + 3)) + 1;
    unsigned made = 0;
    if (!make_mounts(Record(start, static_cast<size_t>(end - start)), made, message)) return false;
  }
  Text<64> self;
  const int pid = static_cast<int>(sys(__NR_getpid));
  self.number(static_cast<uint64_t>(pid)).put(" ").number(start_time(pid)).put("\n");
  if (write_whole("shim", self)) return true;
  message.put("cannot write in the sandbox's directory");
  return false;
}

[[noreturn]] void hold(const Words& words) {
  Text<kMessageBytesMax> message;
  sys(__NR_fcntl, kListenFd, F_SETFD, FD_CLOEXEC);
  const uint64_t all_signals = ~uint64_t{0};
  sys(__NR_rt_sigprocmask, SIG_BLOCK, &all_signals, 0L, sizeof all_signals);
  if (!set_up(words, message)) {
    report_failure(message.text());
    sys_exit(1);
  }
  serve();
}

}  // namespace

[[noreturn]] void run(const long* stack) {
  const Words words{stack[0], reinterpret_cast<const char* const*>(stack + 1)};
  place = {words.word(2), words.word(3)};
  if (words.count < 4 || sys(__NR_chdir, place.directory) != 0) sys_exit(2);
  if (same(words.word(1), "hold") && words.count >= 6) hold(words);
  if (same(words.word(1), "sweep")) sys_exit(sweep());
  if (same(words.word(1), "enter")) sys_exit(enter(words.count, words.at));
  sys_exit(2);
}

}  // namespace coracle::shim

extern "C" [[noreturn]] __attribute__((used)) void shim_main(const long* stack) {
  coracle::shim::run(stack);
}
