// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/container.h"

#include "port/linux/shim/memory.h"
#include "port/linux/shim/mounts.h"
#include "port/linux/shim/runtime.h"
#include "port/linux/shim/syscall.h"

inline void* operator new(size_t, void* at) noexcept {
  return at;
}

namespace coracle::shim {
namespace {

constexpr int kRemoveDirectory = 0x200;  // AT_REMOVEDIR

bool acceptable(const char* id) {
  const size_t count = length(id);
  if (count == 0 || count > kIdBytesMax) return false;
  for (size_t i = 0; i < count; i++) {
    const char c = id[i];
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') return false;
  }
  return true;
}

using Path = Text<kPathMax>;

void put_path(Path& path, const Container& container, const char* name) {
  path.put(place.directory).put("/c/").put(container.id).put(name);
}

void fail_start(Container& container) {
  container.phase = Phase::kFailedToStart;
  container.finished_ns = wall_ns();
  container.changed = true;
}

// Of a container that wants input: what becomes its stdin, -1 when that is a terminal's.
int open_input(Container& container) {
  if (!container.wants_input) return -1;
  Path path;
  put_path(path, container, "/in");
  container.input.open(path.text());
  return container.wants_terminal ? -1 : sys_open(path.text(), O_RDONLY);
}

// The terminal takes the place of the pipes, of which only crun's own words needed one.
void take_terminal(Container& container) {
  const int master = accept_console(container.console, container.id);
  container.console = -1;
  container.out.close(container.log);
  container.err.close(container.log);
  container.out.open(master, "stdout");
  container.input.feed(master);
}

// The container inherits the write ends through crun; the shim keeps none, so the pipes end with
// it.
void start_crun(Container& container) {
  int out[2] = {-1, -1};
  int err[2] = {-1, -1};
  if (sys_pipe(out, O_CLOEXEC) < 0 || sys_pipe(err, O_CLOEXEC) < 0) {
    container.message.put("no pipe");
    return fail_start(container);
  }
  container.out.open(out[0], "stdout");
  container.err.open(err[0], "stderr");
  sys(__NR_fcntl, out[0], F_SETFL, O_NONBLOCK);
  sys(__NR_fcntl, err[0], F_SETFL, O_NONBLOCK);
  Path pid_file;
  put_path(pid_file, container, "/pid");
  const int in = open_input(container);
  Text<kSocketPathMax> console;
  if (container.wants_terminal) container.console = listen_console(container.id, console);
  const char* words[] = {"run",
                         "-d",
                         "--bundle",
                         container.bundle,
                         "--pid-file",
                         pid_file.text(),
                         container.wants_terminal ? "--console-socket" : container.id,
                         container.wants_terminal ? console.text() : nullptr,
                         container.id,
                         nullptr};
  container.starter = run_crun(words, {out[1], err[1], in});
  sys_close(out[1]);
  sys_close(err[1]);
  if (in >= 0) sys_close(in);
  if (container.starter > 0) return;
  container.starter = 0;
  container.message.put("no process for crun");
  fail_start(container);
}

void prepare(Container& container, const char* log_path, uint64_t bytes_max, uint32_t files_max) {
  Path directory;
  put_path(directory, container, "");
  const long error = sys_mkdir(directory.text(), 0700);
  if (directory.cut() || (error != 0 && error != -EEXIST)) {
    container.message.put("no directory for the container");
    return fail_start(container);
  }
  if (!container.log.open(log_path, bytes_max, files_max)) {
    container.message.put("cannot open ").put(log_path);
    return fail_start(container);
  }
  if (!make_mounts(container.mounts, container.mounts_made, container.message))
    return fail_start(container);
  start_crun(container);
}

// What crun said goes into the message instead of the log: no process of the container ever ran.
void take_message(Container& container) {
  char said[kMessageBytesMax];
  const long got = sys_read(container.err.fd(), said, sizeof said);
  size_t count = got > 0 ? static_cast<size_t>(got) : 0;
  while (count > 0 && said[count - 1] == '\n')
    count--;
  container.message.put(said, count);
  if (count == 0) container.message.put("crun failed without a word");
}

void write_run_record(const Container& container) {
  Path path;
  put_path(path, container, "/run");
  Text<96> text;
  text.number(static_cast<uint64_t>(container.pid)).put(" ").number(start_time(container.pid));
  text.put(" ").number(container.started_ns).put("\n");
  write_whole(path.text(), text);
}

void write_exit_record(const Container& container) {
  Path path;
  put_path(path, container, "/exit");
  Text<128> text;
  text.number(static_cast<uint64_t>(container.code)).put(" ");
  text.number(static_cast<uint64_t>(container.signal)).put(" ");
  text.number(container.started_ns).put(" ").number(container.finished_ns).put("\n");
  write_whole(path.text(), text);
}

void start_ended(Container& container, int status) {
  container.starter = 0;
  container.changed = true;
  char pid[24] = "";
  Path path;
  put_path(path, container, "/pid");
  if (status == 0) read_some(path.text(), pid, sizeof pid);
  container.pid = static_cast<int>(parse_number(pid));
  if (container.pid <= 0) {
    take_message(container);
    container.out.close(container.log);
    container.err.close(container.log);
    return fail_start(container);
  }
  if (container.wants_terminal) take_terminal(container);
  container.phase = Phase::kRunning;
  container.started_ns = wall_ns();
  write_run_record(container);
  if (container.pending_signal != 0) signal_container(container, container.pending_signal);
}

// The pipes stay open while other processes of the container hold them; they are read for what is
// there now.
void container_ended(Container& container, int status) {
  container.finished_ns = wall_ns();
  container.signal = status & 0x7f;
  container.code = container.signal != 0 ? 128 + container.signal : (status >> 8) & 0xff;
  container.phase = Phase::kExited;
  container.pid = 0;
  container.changed = true;
  pump_output(container);
  write_exit_record(container);
}

void start_delete(Container& container) {
  const char* words[] = {"delete", "--force", container.id, nullptr};
  container.deleter = run_crun(words, {});
  if (container.deleter > 0) return;
  container.deleter = 0;
  container.deleted = true;
}

// Process 1 of its own process namespace takes all others with it; of a shared one only crun knows
// them.
bool shares_processes(int pid) {
  Text<32> path;
  path.put("/proc/").number(static_cast<uint64_t>(pid)).put("/status");
  char status[2048];
  const size_t count = read_some(path.text(), status, sizeof status);
  for (size_t i = 0; i + 6 < count; i++) {
    if (status[i] != 'N' || status[i + 1] != 'S' || status[i + 2] != 'p' || status[i + 3] != 'i' ||
        status[i + 4] != 'd')
      continue;
    size_t end = i;
    while (end < count && status[end] != '\n')
      end++;
    return !(status[end - 1] == '1' && status[end - 2] == '\t');
  }
  return true;
}

}  // namespace

Container* start_container(Record record, const char* bytes, size_t count) {
  const char* id = record.field();
  if (!acceptable(id)) return nullptr;
  const size_t mapped = sizeof(Container) + count;
  char* memory = static_cast<char*>(new_memory(mapped));
  Container* container = new (memory) Container;
  char* copy = memory + sizeof(Container);
  for (size_t i = 0; i < count; i++)
    copy[i] = bytes[i];
  Record fields(copy, count);
  const bool has_flags = same(fields.field(), "startio");
  container->mapped = mapped;
  container->id = fields.field();
  container->bundle = fields.field();
  const char* log_path = fields.field();
  const uint64_t bytes_max = fields.number();
  const uint32_t files_max = static_cast<uint32_t>(fields.number());
  if (has_flags) {
    const char* flags = fields.field();
    container->wants_terminal = same(flags, "tty") || same(flags, "stdin,tty");
    container->wants_input = same(flags, "stdin") || same(flags, "stdin,tty");
  }
  container->mounts = fields;
  prepare(*container, log_path, bytes_max, files_max);
  return container;
}

void signal_container(Container& container, int signal) {
  if (container.phase == Phase::kStarting) container.pending_signal = signal;
  if (container.phase == Phase::kRunning) sys_kill(container.pid, signal);
}

void kill_container(Container& container) {
  const bool shared = container.phase == Phase::kRunning && shares_processes(container.pid);
  signal_container(container, SIGKILL);
  const char* words[] = {"kill", "--all", container.id, "KILL", nullptr};
  if (shared) run_crun(words, {});
}

void forget_container(Container& container) {
  container.forget = true;
  if (container.starter == 0 && container.deleter == 0 && !container.deleted)
    start_delete(container);
}

void reaped(Container& container, int pid, int status) {
  if (pid == container.starter) {
    start_ended(container, status);
    if (container.forget) start_delete(container);
  } else if (pid == container.deleter) {
    container.deleter = 0;
    container.deleted = true;
    // crun may have lost its state; the process must not outlive the record.
    if (container.phase == Phase::kRunning) sys_kill(container.pid, SIGKILL);
  } else if (pid == container.pid) {
    container_ended(container, status);
  }
}

bool is_over(const Container& container) {
  return container.deleted && container.phase != Phase::kRunning;
}

void pump_output(Container& container) {
  container.out.pump(container.log);
  container.err.pump(container.log);
  if (container.wants_terminal && container.phase != Phase::kStarting && container.out.fd() < 0)
    container.input.close();
}

void tap_container(Container& container) {
  constexpr int kFlags = O_WRONLY | O_NONBLOCK;
  Path out;
  Path err;
  put_path(out, container, "/out");
  put_path(err, container, "/err");
  const int to_out = sys_open(out.text(), kFlags);
  const int to_err = sys_open(err.text(), kFlags);
  container.out.tap(to_out);
  container.err.tap(to_err);
  // Whoever listens shall hear the end also of what is over.
  if (container.out.fd() < 0) container.out.close(container.log);
  if (container.err.fd() < 0) container.err.close(container.log);
}

void free_container(Container* container) {
  container->input.close();
  if (container->console >= 0) sys_close(container->console);
  container->out.close(container->log);
  container->err.close(container->log);
  container->log.close();
  undo_mounts(container->mounts, container->mounts_made);
  constexpr const char* kNames[] = {"/pid", "/run", "/exit", "/in", "/out", "/err", ""};
  for (const char* name : kNames) {
    Path path;
    put_path(path, *container, name);
    sys_unlink(path.text(), *name == '\0' ? kRemoveDirectory : 0);
  }
  free_memory(container, container->mapped);
}

}  // namespace coracle::shim
