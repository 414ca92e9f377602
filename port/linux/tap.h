// SPDX-License-Identifier: GPL-2.0-or-later
// The stdio of a container, by the FIFOs that its shim serves, shared by all who are attached to
// it. Whoever is slow holds up the others and the container.
#pragma once

#include <memory>
#include <string>

#include "base/list.h"
#include "port/clock.h"
#include "port/linux/stdio.h"

namespace coracle::port_linux {

class Attachment;
class ShimSandbox;

class Tap final : private Stdio, private port::Alarm {
 public:
  // `directory`: of the container in its sandbox.
  Tap(ShimSandbox& owner, Loop& loop, std::string id, std::string directory);
  ~Tap() override;
  Result<> open();  // then the shim may be told
  bool is_open() const { return has_output(); }
  Result<std::unique_ptr<port::Command>> add(bool input, port::CommandEvents& events);
  void tapped();          // the shim copies from now on: what is sent may have its answer
  void container_over();  // the output that is on its way is still passed on

 private:
  friend class Attachment;
  void take_output(bool is_error, std::string_view bytes) override;
  void output_ended() override;
  void input_taken() override;
  void resize(uint16_t columns, uint16_t rows) override;
  void on_alarm(port::Timer& timer) override;
  void settle_pause();
  void remove(Attachment& attachment);
  void pass_on(std::string bytes);
  size_t waiting() const { return early_.size() + queued(); }
  void end_input();
  void finish();

  ShimSandbox& owner_;
  const std::string id_;
  const std::string directory_;
  std::unique_ptr<port::Timer> timer_;
  std::string early_;  // input from before tapped()
  bool tapped_ = false;
  bool input_ends_ = false;
  List<Attachment> attached_;
};

class Attachment final : public port::Command, public Link<Attachment> {
 public:
  Attachment(Tap& tap, bool input, port::CommandEvents& events)
      : tap_(&tap),
        events_(events),
        input_(input) {}
  ~Attachment() override;
  void send(std::string bytes) override;
  void close_input() override;
  size_t queued() const override;
  void resize(uint16_t columns, uint16_t rows) override;
  void pause_output(bool paused) override;

 private:
  friend class Tap;
  Tap* tap_;  // null: over
  port::CommandEvents& events_;
  bool input_;
  bool paused_ = false;
};

}  // namespace coracle::port_linux
