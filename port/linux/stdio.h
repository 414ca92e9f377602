// SPDX-License-Identifier: GPL-2.0-or-later
// The stdio of a process over pipes, FIFOs or a terminal, as both kinds of port::Command have it.
#pragma once

#include <memory>
#include <string>

#include "port/linux/os_error.h"
#include "port/linux/stream.h"
#include "port/sandbox.h"

namespace coracle::port_linux {

class Stdio;

// One descriptor of it.
class StdioEnd final : public port::StreamEvents {
 public:
  StdioEnd(Stdio& owner, bool is_error) : owner_(owner), is_error_(is_error) {}
  Result<> open(Loop& loop, Fd fd);
  void close() { stream_.reset(); }
  LoopStream* stream() { return stream_.get(); }
  bool is_open() const { return stream_ != nullptr; }

 private:
  void on_bytes(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(std::string_view why) override;

  Stdio& owner_;
  bool is_error_;
  std::unique_ptr<LoopStream> stream_;
};

class Stdio : public port::Command {
 public:
  explicit Stdio(Loop& loop) : loop_(loop) {}
  void send(std::string bytes) override;
  void close_input() override;
  size_t queued() const override;
  void pause_output(bool paused) override;

 protected:
  ~Stdio() override = default;
  friend class StdioEnd;
  virtual void take_output(bool is_error, std::string_view bytes) = 0;
  virtual void output_ended() = 0;  // of one end; see has_output()
  virtual void input_taken() = 0;
  bool has_output() const { return out_.is_open() || err_.is_open(); }
  bool paused() const { return paused_; }
  Result<> open_end(StdioEnd& end, Fd fd);

  Loop& loop_;
  StdioEnd in_{*this, false};
  StdioEnd out_{*this, false};  // of a terminal: both directions
  StdioEnd err_{*this, true};

 private:
  StdioEnd& input() { return in_.is_open() ? in_ : out_; }
  void drained(const StdioEnd& end);

  bool paused_ = false;
  bool closing_ = false;
};

}  // namespace coracle::port_linux
