// SPDX-License-Identifier: GPL-2.0-or-later
// Disruption budgets of evictions (upstream registry/core/pod/storage/eviction.go).
//
// The budget's controller counts again after every change of a pod. Evictions that come before it
// has done so, as those of one `kubectl drain` do, are remembered here against the version of the
// budget that they were judged by.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "api/client.h"
#include "base/result.h"
#include "json/tree.h"

namespace coracle::apiserver {

class Evictions {
 public:
  // 429 if the pod's budget does not allow it now. `spend`: it will be carried out.
  Result<> admit(const api::State& state, const api::Object& pod, bool spend);

 private:
  struct Spent {
    uint64_t version = 0;  // of the budget
    int64_t pods = 0;
  };
  Result<> spend(const api::Object& budget, json::Node node, bool really);

  std::map<std::pair<std::string, std::string>, Spent> spent_;
};

}  // namespace coracle::apiserver
