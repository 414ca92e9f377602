// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/tap.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "port/linux/clock.h"
#include "port/linux/shim_sandbox.h"

namespace coracle::port_linux {
namespace {

// A container that ended leaves no more output than its pipes hold.
constexpr Duration kDrain = milliseconds(500);

Result<Fd> open_fifo(const std::string& path, int flags) {
  Fd fd(::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return os_error(errno, path);
  return fd;
}

}  // namespace

Tap::Tap(ShimSandbox& owner, Loop& loop, std::string id, std::string directory)
    : Stdio(loop),
      owner_(owner),
      id_(std::move(id)),
      directory_(std::move(directory)),
      timer_(LoopClock(loop).timer(*this)) {}

Tap::~Tap() {
  finish();
}

Result<> Tap::open() {
  for (const auto& [end, name] : {std::pair(&out_, "/out"), std::pair(&err_, "/err")}) {
    const std::string path = directory_ + name;
    if (::mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST) return os_error(errno, path);
    Fd fifo = TRY(open_fifo(path, O_RDONLY));
    TRY(open_end(*end, std::move(fifo)));
  }
  return {};
}

Result<std::unique_ptr<port::Command>> Tap::add(bool input, port::CommandEvents& events) {
  if (input && !in_.is_open()) {
    Result<Fd> fifo = open_fifo(directory_ + "/in", O_WRONLY);
    if (!fifo) return fail(Code::kBadRequest, "the container's stdin is closed");
    TRY(open_end(in_, std::move(*fifo)));
  }
  auto attachment = std::make_unique<Attachment>(*this, input, events);
  attached_.push_back(*attachment);
  return std::unique_ptr<port::Command>(std::move(attachment));
}

void Tap::tapped() {
  tapped_ = true;
  const bool had_some = !early_.empty();
  send(std::exchange(early_, {}));
  if (std::exchange(input_ends_, false)) end_input();
  if (had_some && queued() == 0) input_taken();
}

void Tap::pass_on(std::string bytes) {
  if (tapped_)
    send(std::move(bytes));
  else
    early_ += bytes;
}

void Tap::container_over() {
  timer_->arm(loop_.now() + kDrain);
}

void Tap::take_output(bool is_error, std::string_view bytes) {
  for (Attachment* each = attached_.front(); each != nullptr; each = attached_.next(each))
    each->events_.on_output(is_error, bytes);
}

void Tap::output_ended() {
  if (!has_output()) finish();
}

void Tap::input_taken() {
  for (Attachment* each = attached_.front(); each != nullptr; each = attached_.next(each)) {
    if (each->input_) each->events_.on_input_taken();
  }
}

void Tap::resize(uint16_t columns, uint16_t rows) {
  owner_.resize(id_, columns, rows);
}

void Tap::on_alarm(port::Timer&) {
  if (paused()) return timer_->arm(loop_.now() + kDrain);
  finish();
}

void Tap::settle_pause() {
  bool wanted = false;
  for (Attachment* each = attached_.front(); each != nullptr; each = attached_.next(each))
    wanted = wanted || each->paused_;
  pause_output(wanted);
}

void Tap::remove(Attachment& attachment) {
  attachment.unlink();
  if (!attached_.empty()) return settle_pause();
  owner_.drop_tap(id_);  // destroys this
}

void Tap::end_input() {
  if (!tapped_) {
    input_ends_ = true;
    return;
  }
  owner_.end_input(id_);
  close_input();
}

void Tap::finish() {
  timer_->disarm();
  out_.close();
  err_.close();
  while (Attachment* each = attached_.front()) {
    each->unlink();
    each->tap_ = nullptr;
    each->events_.on_command_over({});
  }
}

Attachment::~Attachment() {
  if (tap_ != nullptr) tap_->remove(*this);
}

void Attachment::send(std::string bytes) {
  if (tap_ != nullptr && input_) tap_->pass_on(std::move(bytes));
}

void Attachment::close_input() {
  if (tap_ != nullptr && input_) tap_->end_input();
}

size_t Attachment::queued() const {
  return tap_ != nullptr && input_ ? tap_->waiting() : 0;
}

void Attachment::resize(uint16_t columns, uint16_t rows) {
  if (tap_ != nullptr) tap_->resize(columns, rows);
}

void Attachment::pause_output(bool paused) {
  paused_ = paused;
  if (tap_ != nullptr) tap_->settle_pause();
}

}  // namespace coracle::port_linux
