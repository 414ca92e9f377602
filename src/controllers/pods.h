// SPDX-License-Identifier: GPL-2.0-or-later
// What controllers ask of a Pod (upstream pkg/api/v1/pod/util.go,
// pkg/controller/controller_utils.go).
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "controllers/owners.h"
#include "json/tree.h"

namespace coracle::controllers {

bool is_active(json::Node pod);    // not Succeeded or Failed, not being deleted
bool is_ready(json::Node pod);     // condition Ready is True
Wall ready_since(json::Node pod);  // its lastTransitionTime; Wall{0} if unknown
// Ready for at least min_ready_seconds.
bool is_available(json::Node pod, int64_t min_ready_seconds, Wall now);

// Orders pods so that those to delete first come first (upstream ActivePodsWithRanks): unassigned,
// pending, not ready, cheap to delete, on a crowded node, ready recently, restarted often, young.
void rank_for_deletion(std::vector<Parsed>& pods);

json::Node find_condition(json::Node status, std::string_view type);
// Sets status.conditions[type]; lastTransitionTime moves only when the status value changes. True
// if anything changed.
struct ConditionValue {
  std::string_view type;
  std::string_view status;
  std::string_view reason;
  std::string message;
};
bool set_condition(json::Node status, const ConditionValue& value, Wall now);
bool remove_condition(json::Node status, std::string_view type);

}  // namespace coracle::controllers
