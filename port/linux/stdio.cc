// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/stdio.h"

#include <utility>

namespace coracle::port_linux {

Result<> StdioEnd::open(Loop& loop, Fd fd) {
  OwnedCore core = new_pipe_core(loop);
  const int error = uv_pipe_open(&core->pipe, fd.get());
  if (error != 0) return os_error(-error, "open pipe");
  static_cast<void>(fd.release());
  stream_ = std::make_unique<LoopStream>(loop, std::move(core), port::Endpoint{});
  stream_->accepted();
  stream_->listen_to(*this);
  return {};
}

void StdioEnd::on_bytes(std::string_view bytes) {
  owner_.take_output(is_error_, bytes);
}

void StdioEnd::on_drained() {
  owner_.drained(*this);
}

void StdioEnd::on_closed(std::string_view) {
  stream_.reset();
  if (this == &owner_.in_) return;  // nobody reads it any more
  owner_.output_ended();
}

Result<> Stdio::open_end(StdioEnd& end, Fd fd) {
  TRY(end.open(loop_, std::move(fd)));
  if (paused_) end.stream()->pause_reading(true);
  return {};
}

void Stdio::send(std::string bytes) {
  if (LoopStream* stream = input().stream(); stream != nullptr && !closing_)
    stream->send(std::move(bytes));
}

void Stdio::close_input() {
  closing_ = true;
  if (queued() == 0) in_.close();
}

size_t Stdio::queued() const {
  const StdioEnd& end = in_.is_open() ? in_ : out_;
  return end.is_open() ? const_cast<StdioEnd&>(end).stream()->queued() : 0;
}

void Stdio::pause_output(bool paused) {
  paused_ = paused;
  for (StdioEnd* end : {&out_, &err_}) {
    if (end->is_open()) end->stream()->pause_reading(paused);
  }
}

void Stdio::drained(const StdioEnd& end) {
  if (&end == &in_ && closing_) in_.close();
  input_taken();
}

}  // namespace coracle::port_linux
