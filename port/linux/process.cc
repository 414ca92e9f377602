// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/process.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/disk.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {

class LoopProcess;

// Outlives the LoopProcess until the child was reaped and libuv let go of both handles.
struct Child : Link<Child> {
  uv_process_t process;
  uv_poll_t output_poll;
  Fd output;
  LoopProcess* owner = nullptr;
  int handles = 0;
};

namespace {

void close_handle(uv_handle_t* handle) {
  uv_close(handle, [](uv_handle_t* closed) {
    Child* child = static_cast<Child*>(closed->data);
    if (--child->handles == 0) delete child;
  });
}

void stop_output(Child& child) {
  if (!child.output.valid()) return;
  uv_poll_stop(&child.output_poll);
  close_handle(reinterpret_cast<uv_handle_t*>(&child.output_poll));
  child.output.reset();
}

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings)
    pointers.push_back(const_cast<char*>(string.c_str()));  // execve(2) does not write to them
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

class LoopProcess : public port::Process {
 public:
  LoopProcess(Loop& loop, port::ProcessEvents& events) : loop_(loop), events_(events) {}
  ~LoopProcess() override;
  Result<> start(const port::SpawnOptions& options,
                 const std::array<int, 4>& fds,
                 List<Child>& children);
  int64_t pid() const override { return pid_; }

 private:
  static void on_exit(uv_process_t* process, int64_t code, int signal) noexcept;
  static void on_readable(uv_poll_t* poll, int, int) noexcept;
  static bool read_output(Child& child);  // false at the end of the pipe
  Result<> watch_output(Child& child, Fd read_end);

  Loop& loop_;
  port::ProcessEvents& events_;
  Child* child_ = nullptr;
  int64_t pid_ = 0;
};

LoopProcess::~LoopProcess() {
  if (child_ == nullptr) return;
  child_->owner = nullptr;
  stop_output(*child_);
}

Result<> LoopProcess::watch_output(Child& child, Fd read_end) {
  const int error = uv_poll_init(loop_.uv(), &child.output_poll, read_end.get());
  if (error != 0) return os_error(-error, "watch output");
  child.output_poll.data = &child;
  child.handles++;
  child.output = std::move(read_end);
  uv_poll_start(&child.output_poll, UV_READABLE, on_readable);
  return {};
}

Result<> LoopProcess::start(const port::SpawnOptions& options,
                            const std::array<int, 4>& fds,
                            List<Child>& children) {
  ASSERT(!options.arguments.empty());
  std::vector<char*> arguments = c_strings(options.arguments);
  std::vector<char*> environment = c_strings(options.environment);
  uv_stdio_container_t stdio[4]{};
  Fd read_end;
  Fd write_end;
  if (options.capture_output && !options.detached) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return os_error(errno, "pipe");
    read_end = Fd(ends[0]);
    write_end = Fd(ends[1]);
    ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    for (int i = 1; i <= 2; i++) {
      stdio[i].flags = UV_INHERIT_FD;
      stdio[i].data.fd = write_end.get();
    }
  }
  for (size_t i = 0; i < fds.size(); i++) {
    if (fds[i] < 0) continue;
    stdio[i].flags = UV_INHERIT_FD;
    stdio[i].data.fd = fds[i];
  }
  uv_process_options_t how{};
  how.exit_cb = on_exit;
  how.file = arguments[0];
  how.args = arguments.data();
  how.env = environment.data();
  how.cwd = options.directory.c_str();
  how.flags = options.detached ? UV_PROCESS_DETACHED : 0;
  how.stdio_count = fds[3] >= 0 ? 4 : 3;
  how.stdio = stdio;
  child_ = new Child;
  child_->process.data = child_;
  child_->owner = this;
  child_->handles = 1;
  const int error = uv_spawn(loop_.uv(), &child_->process, &how);
  if (error != 0) {
    close_handle(reinterpret_cast<uv_handle_t*>(&child_->process));
    child_ = nullptr;
    return os_error(-error, options.arguments[0]);
  }
  pid_ = child_->process.pid;
  children.push_back(*child_);
  if (read_end.valid()) return watch_output(*child_, std::move(read_end));
  return {};
}

bool LoopProcess::read_output(Child& child) {
  char buffer[4096];
  for (int i = 0; i < 64 && child.output.valid(); i++) {
    const ssize_t got = ::read(child.output.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return true;
    if (got == 0) return false;
    if (child.owner != nullptr) child.owner->events_.on_output({buffer, static_cast<size_t>(got)});
  }
  return true;
}

void LoopProcess::on_readable(uv_poll_t* poll, int, int) noexcept {
  Child* child = static_cast<Child*>(poll->data);
  if (!read_output(*child)) stop_output(*child);
}

// What the child wrote before it ended is in the pipe already; a grandchild that still holds the
// pipe must not delay the news.
void LoopProcess::on_exit(uv_process_t* process, int64_t code, int signal) noexcept {
  Child* child = static_cast<Child*>(process->data);
  read_output(*child);
  stop_output(*child);
  LoopProcess* owner = child->owner;
  if (owner != nullptr) owner->child_ = nullptr;
  child->unlink();
  close_handle(reinterpret_cast<uv_handle_t*>(process));
  if (owner != nullptr) owner->events_.on_exit(static_cast<int>(code), signal);
}

LoopProcesses::LoopProcesses(Loop& loop) : loop_(loop) {}

LoopProcesses::~LoopProcesses() {
  for (Child* child = children_.front(); child != nullptr; child = children_.next(child)) {
    stop_output(*child);
    close_handle(reinterpret_cast<uv_handle_t*>(&child->process));
  }
}

Result<std::unique_ptr<port::Process>> LoopProcesses::spawn(const port::SpawnOptions& options,
                                                            port::ProcessEvents& events) {
  return spawn_holding(options, -1, events);
}

Result<std::unique_ptr<port::Process>> LoopProcesses::spawn_holding(
    const port::SpawnOptions& options, int held_fd, port::ProcessEvents& events) {
  return spawn_with(options, {-1, -1, -1, held_fd}, events);
}

Result<std::unique_ptr<port::Process>> LoopProcesses::spawn_with(const port::SpawnOptions& options,
                                                                 const std::array<int, 4>& fds,
                                                                 port::ProcessEvents& events) {
  auto process = std::make_unique<LoopProcess>(loop_, events);
  TRY(process->start(options, fds, children_));
  return std::unique_ptr<port::Process>(std::move(process));
}

Result<> LoopProcesses::signal(int64_t pid, int signal) {
  if (pid <= 0) return fail(Code::kBadRequest, "not a process id");  // kill(2) would mean groups
  if (::kill(static_cast<pid_t>(pid), signal) == 0) return {};
  if (errno == ESRCH) return fail(Code::kNotFound, "no such process");
  return os_error(errno, "kill");
}

Result<uint64_t> LoopProcesses::start_time(int64_t pid) {
  RealDisk disk;
  const std::string stat =
      TRY(disk.read_file(join({"/proc/", std::to_string(pid), "/stat"}), 4096));
  const size_t name_end = stat.rfind(')');  // the name may hold spaces and parentheses
  if (name_end == std::string::npos) return fail(Code::kIo, "/proc/PID/stat has no name");
  const std::vector<std::string_view> fields =
      split(std::string_view(stat).substr(name_end + 1), ' ');
  constexpr size_t kStart = 22 - 2;  // field 22, counted from 1; the name is field 2
  if (fields.size() <= kStart) return fail(Code::kIo, "/proc/PID/stat is too short");
  const auto ticks = parse_unsigned(fields[kStart]);
  if (!ticks) return fail(Code::kIo, "/proc/PID/stat has no start time");
  return *ticks;
}

}  // namespace coracle::port_linux
