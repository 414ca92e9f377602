// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/run_command.h"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/clock.h"
#include "port/linux/disk.h"

namespace coracle::port_linux {
namespace {

constexpr size_t kSaidBytesMax = 4096;
constexpr Duration kLookAgain = milliseconds(20);
// What a command leaves behind may hold its pipes for ever; what was written before is in them.
constexpr Duration kDrain = milliseconds(200);
constexpr const char* kFiles[] = {".json", ".pid", ".sock"};

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return os_error(errno, "pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

RunCommand::RunCommand(ShimSandboxes& owner, std::string path, port::CommandEvents& events)
    : Stdio(owner.loop()),
      owner_(owner),
      path_(std::move(path)),
      events_(events),
      timer_(LoopClock(owner.loop()).timer(*this)) {}

// Without a terminal nobody would hang up; crun itself goes if it has not got so far.
RunCommand::~RunCommand() {
  if (!exited_ && process_ != nullptr && !(is_terminal_ && terminal_ >= 0)) {
    const int64_t command = pid();
    static_cast<void>(owner_.processes().signal(command > 0 ? command : process_->pid(), SIGKILL));
  }
  RealDisk disk;
  console_.reset();
  for (const char* suffix : kFiles)
    static_cast<void>(disk.remove(path_ + suffix));
}

Result<> RunCommand::start(const port::CommandOptions& options,
                           const std::string& directory,
                           int64_t shim) {
  RealDisk disk;
  is_terminal_ = options.terminal;
  TRY(disk.remove(path_ + ".pid"));
  TRY(disk.write_file(path_ + ".json", options.process, 0600));
  if (is_terminal_) {
    Taker& taker = *this;
    console_ = std::make_unique<HandedFd>(loop_, taker);
    TRY(console_->listen(path_ + ".sock"));
  }
  return spawn(options, directory, shim);
}

Result<> RunCommand::spawn(const port::CommandOptions& options,
                           const std::string& directory,
                           int64_t shim) {
  port::SpawnOptions spawn;
  spawn.arguments = {owner_.programs().shim, "enter",       directory,   owner_.programs().runtime,
                     std::to_string(shim),   "exec",        "--process", path_ + ".json",
                     "--pid-file",           path_ + ".pid"};
  if (is_terminal_) {  // by way of the shim's working directory: addresses of sockets are short
    spawn.arguments.insert(
        spawn.arguments.end(),
        {"--tty", "--console-socket",
         join({"/proc/", std::to_string(shim), "/cwd", path_.substr(directory.size()), ".sock"})});
  }
  spawn.arguments.push_back(options.id);
  Pipe in = options.input && !is_terminal_ ? TRY(make_pipe()) : Pipe{};
  Pipe out = is_terminal_ ? Pipe{} : TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  const std::array<int, 4> fds = {in.read.get(), out.write.get(), err.write.get(), -1};
  port::ProcessEvents& events = *this;
  process_ = TRY(owner_.processes().spawn_with(spawn, fds, events));
  if (in.write.valid()) TRY(open_end(in_, std::move(in.write)));
  if (out.read.valid()) TRY(open_end(out_, std::move(out.read)));
  return open_end(err_, std::move(err.read));
}

int64_t RunCommand::pid() const {
  RealDisk disk;
  const Result<std::string> text = disk.read_file(path_ + ".pid", 32);
  return text ? static_cast<int64_t>(parse_unsigned(trim(*text)).value_or(0)) : 0;
}

bool RunCommand::learn_start() {
  if (!started_) started_ = pid() > 0;
  return started_;
}

void RunCommand::on_fd(Fd fd) {
  if (!fd.valid()) return;
  terminal_ = fd.get();
  apply_size();
  if (!open_end(out_, std::move(fd))) terminal_ = -1;
}

void RunCommand::resize(uint16_t columns, uint16_t rows) {
  columns_ = columns;
  rows_ = rows;
  if (out_.is_open()) apply_size();
}

void RunCommand::apply_size() {
  if (terminal_ < 0 || columns_ == 0) return;
  const winsize size{rows_, columns_, 0, 0};
  ::ioctl(terminal_, TIOCSWINSZ, &size);
}

// Until the command is known to run, what comes on stderr may be crun's reason why it does not. A
// terminal has no stderr: that pipe is crun's alone.
void RunCommand::take_output(bool is_error, std::string_view bytes) {
  if (is_error && (is_terminal_ || !learn_start())) {
    said_ += bytes.substr(0, kSaidBytesMax - std::min(said_.size(), kSaidBytesMax));
    if (!is_terminal_ && !timer_->armed()) timer_->arm(loop_.now() + kLookAgain);
    return;
  }
  if (is_error && !said_.empty()) events_.on_output(true, std::exchange(said_, {}));
  events_.on_output(is_error, bytes);
}

void RunCommand::output_ended() {
  if (!out_.is_open()) terminal_ = -1;
  if (exited_ && !has_output()) finish();
}

void RunCommand::on_exit(int code, int signal) {
  exited_ = true;
  exit_code_ = signal > 0 ? 128 + signal : code;
  learn_start();
  if (!has_output()) return finish();
  timer_->arm(loop_.now() + kDrain);
}

void RunCommand::on_alarm(port::Timer&) {
  if (exited_) {
    if (!paused()) return finish();
    return timer_->arm(loop_.now() + kDrain);
  }
  if (!said_.empty() && learn_start()) return events_.on_output(true, std::exchange(said_, {}));
  if (!said_.empty()) timer_->arm(loop_.now() + kLookAgain);
}

void RunCommand::finish() {
  if (std::exchange(over_, true)) return;
  timer_->disarm();
  out_.close();
  err_.close();
  in_.close();
  if (started_ && !is_terminal_ && !said_.empty())
    events_.on_output(true, std::exchange(said_, {}));
  events_.on_command_over({started_, exit_code_, std::string(trim(said_))});
}

}  // namespace coracle::port_linux
