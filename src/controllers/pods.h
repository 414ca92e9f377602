// SPDX-License-Identifier: GPL-2.0-or-later
// What controllers ask of a Pod (upstream pkg/api/v1/pod/util.go,
// pkg/controller/controller_utils.go).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "json/tree.h"

namespace coracle::controllers {

bool has_ended(json::Node pod);    // Succeeded or Failed
bool is_active(json::Node pod);    // has not ended and is not being deleted
bool is_ready(json::Node pod);     // condition Ready is True
Wall ready_since(json::Node pod);  // its lastTransitionTime; Wall{0} if unknown
// Ready for at least min_ready_seconds.
bool is_available(json::Node pod, int64_t min_ready_seconds, Wall now);

// --- Conditions, as the controllers of upstream keep them.
struct ConditionValue {
  std::string_view type;
  std::string_view status;
  std::string_view reason;
  std::string message;
};

// The pods that are bound to this node, of all namespaces.
std::vector<Parsed> pods_on(const api::State& state, std::string_view node);

// A pod of `owner` from a template: its metadata and spec, the controller reference, no name yet.
json::Node new_pod(json::Tree& tree, const api::Object& owner, json::Node model);
// Creates `object`, which says its own kind and name.
api::Call create_call(const api::Kind& kind, json::Node object);
// Ends a pod that nobody else will: with condition DisruptionTarget, then at once.
void disrupt(const Now& now, const Parsed& pod, const ConditionValue& why, api::Plan& plan);

// Pods a node has of the same family: a ReplicaSet and those with the same controller.
using Crowding = std::map<std::string, int64_t, std::less<>>;

// Orders pods so that those to delete first come first (upstream ActivePodsWithRanks): unassigned,
// pending, not ready, cheap to delete, on a crowded node, ready recently, restarted often, young.
// Ages count by their order of magnitude; within one, the uid decides.
void rank_for_deletion(std::vector<Parsed>& pods, const Crowding& crowding, Wall now);

json::Node find_condition(json::Node status, std::string_view type);
// In place; any difference counts. lastTransitionTime moves only when the status value changes.
void set_condition(json::Node status, const ConditionValue& value, Wall now);
// Deployments and ReplicaSets: equal status and reason keep the old one, whatever the message; a
// new one goes to the end of the list. Only the conditions of Deployments know lastUpdateTime.
enum class UpdateTime : uint8_t { kAbsent, kKept };
void replace_condition(json::Node status, const ConditionValue& value, Wall now, UpdateTime time);
void remove_condition(json::Node status, std::string_view type);
// A count that is left out of the status when it is nothing.
void set_or_drop(json::Node status, std::string_view name, int64_t value);

}  // namespace coracle::controllers
