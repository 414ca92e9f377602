// SPDX-License-Identifier: GPL-2.0-or-later
// A command in the container; exit code 0 is success.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "node/late_attempt.h"

namespace coracle::node {

namespace {

constexpr size_t kOutputBytesMax = 10 * 1024;  // upstream pkg/probe/exec maxReadLength

class CommandAttempt final : public LateAttempt, port::CommandEvents {
 public:
  CommandAttempt(const AttemptPlace& place, const Deed& deed, Duration timeout, Done& done)
      : LateAttempt(place.clock, timeout, done) {
    for (const std::string& word : deed.words)
      text_ += (text_.empty() ? "" : " ") + word;
    port::CommandEvents& events = *this;
    auto command = place.runner.run_in(place.container, deed.words, events);
    if (command)
      command_ = std::move(*command);
    else
      finish(false, command.error().message);
  }

 private:
  void on_output(bool, std::string_view bytes) override {
    output_ += bytes.substr(0, kOutputBytesMax - std::min(output_.size(), kOutputBytesMax));
  }
  void on_command_over(const port::CommandEnd& end) override {
    if (!end.started) return finish(false, end.why);
    finish(end.exit_code == 0, std::move(output_));
  }
  void on_alarm(port::Timer&) override {
    finish(false, join({"command \"", text_, "\" timed out"}));
  }

  std::string text_;
  std::string output_;
  std::unique_ptr<port::Command> command_;
};

}  // namespace

std::unique_ptr<Attempt> command_attempt(const AttemptPlace& place,
                                         const Deed& deed,
                                         Duration timeout,
                                         Attempt::Done& done) {
  return std::make_unique<CommandAttempt>(place, deed, timeout, done);
}

}  // namespace coracle::node
