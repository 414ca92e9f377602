// SPDX-License-Identifier: GPL-2.0-or-later
// A lifecycle hook that is under way. `sleep` is an attempt that does nothing for a while.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "node/attempt.h"

namespace coracle::node {

enum class HookType : uint8_t { kPostStart, kPreStop };

class HookListener {
 public:
  virtual void on_hook(size_t container, HookType type, bool ok, std::string_view why) = 0;

 protected:
  ~HookListener() = default;
};

class Hook final : Attempt::Done, port::Alarm {
 public:
  // `container`: its spec, of whose lifecycle `type` is done within `limit`.
  Hook(const AttemptPlace& place,
       HookType type,
       json::Node container,
       std::string_view ip,
       Duration limit,
       HookListener& listener);
  size_t container() const { return container_; }
  bool over() const { return over_; }

 private:
  void on_attempt(bool ok, std::string_view why) override;
  void on_alarm(port::Timer& timer) override;

  const size_t container_;
  const HookType type_;
  HookListener& listener_;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<Attempt> attempt_;
  bool over_ = false;
};

std::string_view hook_field(HookType type);  // "postStart"

}  // namespace coracle::node
