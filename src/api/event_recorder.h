// SPDX-License-Identifier: GPL-2.0-or-later
// Records core/v1 Events as client-go tools/record does: equal events (same object, type, reason,
// message) are counted up by a patch instead of created again; spam is bounded per object (25 at
// once, then one every 5 minutes).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/client.h"
#include "port/clock.h"
#include "port/random.h"

namespace coracle::api {

struct EventSource {
  std::string component;  // "kubelet", "default-scheduler", "deployment-controller"
  std::string host;       // node name; may be empty
};

class EventRecorder final : Caller {
 public:
  EventRecorder(Client& client, port::Clock& clock, port::Random& random, EventSource source);
  ~EventRecorder();
  void normal(const Object& about,
              std::string_view reason,
              std::string_view message,
              std::string_view field_path = {});
  void warning(const Object& about,
               std::string_view reason,
               std::string_view message,
               std::string_view field_path = {});

 private:
  void on_answer(uint64_t token, Result<ObjectRef> answer) override;
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace coracle::api
