// SPDX-License-Identifier: GPL-2.0-or-later
// One container from its start until it is forgotten. It lives in one mapping together with a copy
// of the record that started it, into which its texts point.
#pragma once

#include "port/linux/shim/log.h"
#include "port/linux/shim/record.h"
#include "port/linux/shim/terminal.h"
#include "port/linux/shim/wire.h"

namespace coracle::shim {

struct Container {
  Container* next = nullptr;
  size_t mapped = 0;
  const char* id = "";
  const char* bundle = "";
  Record mounts;
  unsigned mounts_made = 0;
  Log log;
  Stream out;
  Stream err;
  bool wants_input = false;
  bool wants_terminal = false;
  int console = -1;  // where crun hands over the terminal, until it has
  Input input;
  Phase phase = Phase::kStarting;
  int starter = 0;  // process id of `crun run`
  int deleter = 0;  // process id of `crun delete`
  int pid = 0;      // of the container's first process, while it runs
  int code = 0;
  int signal = 0;
  int pending_signal = 0;  // came while it was starting
  bool forget = false;     // asked for
  bool deleted = false;    // `crun delete` is done
  bool changed = true;     // its record is to be sent
  uint64_t started_ns = 0;
  uint64_t finished_ns = 0;
  Text<kMessageBytesMax + 1> message;
};

// Takes the fields behind the verb: id, bundle, log path, log bytes, log files, of "startio" also
// what it may use ("stdin", "tty"), mounts. A start that cannot even be tried is a container in
// phase kFailedToStart. Null if the id is not acceptable.
Container* start_container(Record record, const char* bytes, size_t count);
void signal_container(Container& container, int signal);
void kill_container(Container& container);
void forget_container(Container& container);
void pump_output(Container& container);
void tap_container(Container& container);  // the daemon reads the FIFOs "out" and "err"

// Looks after processes that ended and after pipes; true when the container may be let go.
void reaped(Container& container, int pid, int status);
bool is_over(const Container& container);
void free_container(Container* container);

}  // namespace coracle::shim
