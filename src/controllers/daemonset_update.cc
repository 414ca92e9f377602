// SPDX-License-Identifier: GPL-2.0-or-later
// Rolling updates of a DaemonSet (upstream pkg/controller/daemon/update.go, rollingUpdate).
#include <algorithm>

#include "controllers/daemons.h"
#include "controllers/rollout.h"

namespace coracle::controllers {

int64_t Daemons::share(std::string_view field, int64_t otherwise) const {
  const json::Node strategy = spec()["updateStrategy"];
  if (strategy["type"].string() != "RollingUpdate") return 0;
  const json::Node value = strategy["rollingUpdate"][field];
  if (!value) return otherwise;
  const auto desired = std::count_if(places_.begin(), places_.end(),
                                     [](const Place& place) { return place.should_run; });
  return resolve_share(value, desired, true, 0);
}

Daemons::Pair Daemons::pair_on(const Place& place) const {
  Pair pair;
  for (const Parsed* pod : place.pods) {
    if (pod->ref->deleting()) continue;
    const Parsed*& first = is_fresh(*pod) ? pair.fresh : pair.old;
    if (first != nullptr) pair.clear = false;
    first = pod;
  }
  return pair;
}

void Daemons::roll() {
  if (spec()["updateStrategy"]["type"].string() == "OnDelete") return;
  if (const int64_t surge = share("maxSurge", 0); surge > 0) return roll_surging(surge);
  roll_missing(std::max<int64_t>(1, share("maxUnavailable", 1)));
}

// Old pods go first where they are of no use anyway, then as many as may be missing.
void Daemons::roll_missing(int64_t unavailable_max) {
  int64_t unavailable = 0;
  std::vector<const Parsed*> useless;
  std::vector<const Parsed*> candidates;
  for (const Place& place : places_) {
    if (place.pods.empty()) {
      unavailable += place.should_run ? 1 : 0;
      continue;
    }
    const Pair pair = pair_on(place);
    if (!pair.clear || (pair.fresh == nullptr) == (pair.old == nullptr)) {
      ++unavailable;
    } else if (pair.fresh != nullptr) {
      unavailable += is_available(*pair.fresh) ? 0 : 1;
    } else if (!is_available(*pair.old)) {
      useless.push_back(pair.old);
      ++unavailable;
    } else {
      candidates.push_back(pair.old);
    }
  }
  for (const Parsed* pod : useless)
    remove(*pod);
  for (const Parsed* pod : candidates) {
    if (unavailable++ >= unavailable_max) break;
    remove(*pod);
  }
}

// A fresh pod starts beside the old one; once it is available the old one goes.
void Daemons::roll_surging(int64_t surge_max) {
  int64_t surging = 0;
  std::vector<const Place*> useless;
  std::vector<const Place*> candidates;
  for (const Place& place : places_) {
    const Pair pair = pair_on(place);
    if (pair.old == nullptr || !place.should_run) continue;
    if (pair.fresh == nullptr)
      (is_available(*pair.old) ? candidates : useless).push_back(&place);
    else if (!is_available(*pair.fresh))
      ++surging;
    else
      remove(*pair.old);
  }
  for (const Place* place : useless)
    create(*place);
  for (const Place* place : candidates) {
    if (surging++ >= surge_max) break;
    create(*place);
  }
}

}  // namespace coracle::controllers
