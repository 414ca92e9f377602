// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/hook.h"

#include <algorithm>

namespace coracle::node {

std::string_view hook_field(HookType type) {
  return type == HookType::kPostStart ? "postStart" : "preStop";
}

Hook::Hook(const AttemptPlace& place,
           HookType type,
           json::Node container,
           std::string_view ip,
           Duration limit,
           HookListener& listener)
    : container_(place.container),
      type_(type),
      listener_(listener),
      timer_(place.clock.timer(*this)) {
  const json::Node action = container["lifecycle"][hook_field(type)];
  if (const json::Node sleep = action["sleep"]) {
    const Duration wanted =
        seconds(std::clamp<int64_t>(sleep["seconds"].integer(), 0, limit.seconds()));
    timer_->arm(place.clock.now() + wanted);
    return;
  }
  Attempt::Done& done = *this;
  attempt_ = begin_attempt(place, read_deed(action, container, ip), limit, done);
}

// The listener frees what is over later, not from inside this.
void Hook::on_attempt(bool ok, std::string_view why) {
  over_ = true;
  listener_.on_hook(container_, type_, ok, why);
}

void Hook::on_alarm(port::Timer&) {
  on_attempt(true, {});
}

}  // namespace coracle::node
