// SPDX-License-Identifier: GPL-2.0-or-later
// The loop of the shim: child processes, pipes of containers, the connection to the daemon.
#include "port/linux/shim/sandbox.h"

#include "port/linux/shim/connection.h"
#include "port/linux/shim/container.h"
#include "port/linux/shim/runtime.h"
#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

Container* containers = nullptr;
unsigned container_count = 0;
Connection connection;
bool ending = false;

Container* find(const char* id) {
  for (Container* c = containers; c != nullptr; c = c->next) {
    if (same(c->id, id)) return c;
  }
  return nullptr;
}

// A start that is repeated (the daemon was restarted in between) changes nothing.
void start(Record record, const char* bytes, size_t count) {
  Record peek = record;
  if (ending || find(peek.field()) != nullptr || container_count == kContainersMax) return;
  Container* container = start_container(record, bytes, count);
  if (container == nullptr) return;
  container->next = containers;
  containers = container;
  container_count++;
}

void obey(const char* bytes, size_t count) {
  Record record(bytes, count);
  const char* verb = record.field();
  if (same(verb, "start") || same(verb, "startio")) return start(record, bytes, count);
  if (same(verb, "end")) {
    ending = true;
    for (Container* c = containers; c != nullptr; c = c->next)
      forget_container(*c);
    return;
  }
  Container* container = find(record.field());
  if (container == nullptr) return;
  if (same(verb, "signal")) signal_container(*container, static_cast<int>(record.number()));
  if (same(verb, "kill")) kill_container(*container);
  if (same(verb, "forget")) forget_container(*container);
  if (same(verb, "tap")) {
    tap_container(*container);
    connection.send_tapped(*container);
  }
  if (same(verb, "eof")) container->input.end();
  if (same(verb, "resize")) {
    const unsigned columns = static_cast<unsigned>(record.number());
    container->input.resize(columns, static_cast<unsigned>(record.number()));
  }
}

void tell_changes() {
  for (Container* c = containers; c != nullptr; c = c->next) {
    if (c->changed && connection.open()) connection.send_container(*c);
    c->changed = false;
  }
}

void reap_known(int pid, int status) {
  for (Container* c = containers; c != nullptr; c = c->next) {
    if (c->starter == pid || c->deleter == pid || c->pid == pid) return reaped(*c, pid, status);
  }
}

bool try_reap(int pid) {
  int status = 0;
  return pid > 0 && sys_wait(pid, &status) == pid && (reap_known(pid, status), true);
}

// While crun starts a container, its process may end before its number is known to us: strangers
// are left unreaped until no start is under way.
void reap() {
  bool starting = false;
  for (Container* c = containers; c != nullptr; c = c->next) {
    try_reap(c->starter);
    starting = starting || c->starter > 0;
  }
  for (Container* c = containers; c != nullptr; c = c->next) {
    if (c->phase == Phase::kRunning && c->changed) tell_changes();  // before it may be seen to end
    try_reap(c->pid);
    try_reap(c->deleter);
  }
  int status = 0;
  for (int pid = 0; !starting && (pid = sys_wait(-1, &status)) > 0;)
    reap_known(pid, status);
}

void let_go() {
  for (Container** at = &containers; *at != nullptr;) {
    Container* container = *at;
    if (!is_over(*container)) {
      at = &container->next;
      continue;
    }
    tell_changes();
    *at = container->next;
    container_count--;
    free_container(container);
  }
}

[[noreturn]] void end() {
  sys_unlink("shim");
  sys_unlink("shim.sock");
  sys_unlink("c", 0x200);
  sys_unlink("crun", 0x200);
  sys_exit(0);
}

struct pollfd polls[3 + 3 * kContainersMax];

int fill_polls(int signals) {
  int count = 0;
  const auto add = [&count](int fd, bool to_write = false) {
    polls[count].fd = fd;
    polls[count].events = to_write ? POLLOUT : POLLIN;
    polls[count++].revents = 0;
  };
  add(signals);
  add(kListenFd);
  add(connection.fd());
  for (Container* c = containers; c != nullptr; c = c->next) {
    const bool quiet =
        c->phase == Phase::kStarting;  // until crun is done its errors share the pipe
    add(quiet ? -1 : c->out.poll_fd(), c->out.blocked());
    add(quiet ? -1 : c->err.poll_fd(), c->err.blocked());
    add(c->input.poll_fd(), c->input.blocked());
  }
  return count;
}

void pump() {
  int at = 3;
  for (Container* c = containers; c != nullptr; c = c->next, at += 3) {
    if (polls[at].revents != 0 || polls[at + 1].revents != 0) pump_output(*c);
    if (polls[at + 2].revents != 0) c->input.pump();
  }
}

void turn(int signals) {
  if (sys(__NR_ppoll, polls, fill_polls(signals), 0L, 0L, sizeof(uint64_t)) < 0) return;
  pump();
  if (polls[0].revents != 0) {
    char discarded[512];
    while (sys_read(signals, discarded, sizeof discarded) > 0) {
    }
    reap();
  }
  if (polls[2].revents != 0) connection.receive(obey);
  if (polls[1].revents != 0 && connection.accept()) {
    for (Container* c = containers; c != nullptr; c = c->next)
      c->changed = true;
  }
  let_go();
  tell_changes();
}

}  // namespace

void serve() {
  const uint64_t child = uint64_t{1} << (SIGCHLD - 1);
  const int signals =
      static_cast<int>(sys(__NR_signalfd4, -1, &child, sizeof child, O_CLOEXEC | O_NONBLOCK));
  while (!ending || containers != nullptr)
    turn(signals);
  end();
}

void report_failure(const char* why) {
  polls[0].fd = kListenFd;
  polls[0].events = POLLIN;
  const PollWait patience{2, 0};
  if (sys(__NR_ppoll, polls, 1L, &patience, 0L, sizeof(uint64_t)) > 0) connection.refuse(why);
}

}  // namespace coracle::shim
