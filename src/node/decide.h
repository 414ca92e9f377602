// SPDX-License-Identifier: GPL-2.0-or-later
// What to do next for one pod: a pure function of its object, its record and the time. Called again
// after every change until it has nothing to do; each action changes the record, so it never
// repeats one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "json/tree.h"
#include "node/record.h"

namespace coracle::node {

enum class ActionType : uint8_t {
  kCreateSandbox,     // volumes, address, sandbox
  kMove,              // to `phase`
  kFail,              // the pod fails as a whole: `reason`, `message`
  kStart,             // container
  kStop,              // container: preStop, stop signal
  kKill,              // container: SIGKILL
  kShowImageBackOff,  // container: ErrImagePull becomes ImagePullBackOff
  kShowCrashLoop,     // container: waits as CrashLoopBackOff
  kEndSandbox,
  kDelete,  // DELETE with grace 0 at the API
};
std::string_view action_name(ActionType type);

struct Action {
  ActionType type = ActionType::kMove;
  size_t container = 0;
  Phase phase = Phase::kNew;
  std::string reason;
  std::string message;
};

struct Decision {
  std::vector<Action> actions;
  std::optional<Mono> again_at;
};

inline constexpr Duration kBackOffFirst = seconds(10);
inline constexpr Duration kBackOffMax = minutes(5);
inline constexpr Duration kBackOffForgottenAfter = minutes(10);

Decision decide(json::Node pod, const PodRecord& record, Mono now);

// Whether a terminated container will be started again under the pod's rules.
bool will_restart(json::Node pod, size_t container, const ContainerState& state);
// All init containers did their part (sidecars: started).
bool is_initialized(json::Node pod, const PodRecord& record);

}  // namespace coracle::node
