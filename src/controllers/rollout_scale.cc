// SPDX-License-Identifier: GPL-2.0-or-later
// How many replicas go where (upstream pkg/controller/deployment/{sync,rolling}.go and
// util/deployment_util.go).
#include <algorithm>

#include "base/bytes.h"
#include "controllers/rollout.h"

namespace coracle::controllers {

namespace {

int64_t available_of(const Parsed& set) {
  return set.node["status"]["availableReplicas"].integer();
}

int64_t annotation(const Parsed& set, std::string_view name, int64_t otherwise) {
  return parse_signed(set.node["metadata"]["annotations"][name].string()).value_or(otherwise);
}

int64_t rounded_share(int64_t part, int64_t whole, int64_t of) {
  return whole == 0 ? 0 : (2 * part * of + whole) / (2 * whole);
}

}  // namespace

int64_t resolve_share(json::Node value, int64_t total, bool round_up, int64_t otherwise_percent) {
  int64_t percent = otherwise_percent;
  if (value.is_number()) return value.integer();
  if (value.is_string()) {
    std::string_view text = value.string();
    if (text.ends_with('%')) text.remove_suffix(1);
    percent = parse_signed(text).value_or(otherwise_percent);
  }
  return (total * percent + (round_up ? 99 : 0)) / 100;
}

int64_t Rollout::max_surge() const {
  if (!is_rolling()) return 0;
  return resolve_share(spec()["strategy"]["rollingUpdate"]["maxSurge"], replicas(), true, 25);
}

int64_t Rollout::max_unavailable() const {
  if (!is_rolling() || replicas() == 0) return 0;
  const int64_t share =
      resolve_share(spec()["strategy"]["rollingUpdate"]["maxUnavailable"], replicas(), false, 25);
  // Both zero would never move.
  if (share == 0 && max_surge() == 0) return 1;
  return std::min(share, replicas());
}

bool Rollout::scale_to(const Parsed& set, int64_t to) {
  const int64_t from = wanted_by(set);
  const std::string desired = std::to_string(replicas());
  const std::string most = std::to_string(replicas() + max_surge());
  const json::Node annotations = set.node["metadata"]["annotations"];
  const bool annotated = annotations[kDesiredReplicas].string() == desired &&
                         annotations[kMaxReplicas].string() == most;
  if (from == to && annotated) return false;
  const Parsed next = parse(set.ref);
  next.node["spec"].set("replicas", to);
  next.node["metadata"].object("annotations").set(kDesiredReplicas, desired);
  next.node["metadata"].object("annotations").set(kMaxReplicas, most);
  if (from == to) {
    plan_.calls.push_back(update_call(next));
    return true;
  }
  plan_.add(update_call(next),
            {deployment_.ref, false, "ScalingReplicaSet",
             join({"Scaled ", from < to ? "up" : "down", " replica set ", set.ref->name(), " from ",
                   std::to_string(from), " to ", std::to_string(to)})});
  return true;
}

// A set that still carries another desired number than the spec's: the user scaled. Recreate with
// several active sets has no proportions to keep.
bool Rollout::is_scaling() const {
  const auto active = std::count_if(sets_.begin(), sets_.end(),
                                    [](const Parsed& set) { return wanted_by(set) > 0; });
  if (!is_rolling() && active > 1) return false;
  for (const Parsed& set : sets_) {
    if (wanted_by(set) == 0) continue;
    const int64_t desired = annotation(set, kDesiredReplicas, -1);
    if (desired >= 0 && desired != replicas()) return true;
  }
  return false;
}

int64_t Rollout::fresh_replicas() const {
  const int64_t now = fresh_ == nullptr ? 0 : wanted_by(*fresh_);
  if (!is_rolling()) return replicas();
  int64_t total = 0;
  for (const Parsed& set : sets_)
    total += wanted_by(set);
  const int64_t room = replicas() + max_surge() - total;
  if (room <= 0) return now;
  return now + std::min(room, replicas() - now);
}

bool Rollout::scale_fresh() {
  if (wanted_by(*fresh_) == replicas()) return scale_to(*fresh_, replicas());
  if (wanted_by(*fresh_) > replicas()) return scale_to(*fresh_, replicas());
  return scale_to(*fresh_, fresh_replicas());
}

bool Rollout::scale_all_old_to_zero() {
  bool scaled = false;
  for (const Parsed* set : old_) {
    if (wanted_by(*set) > 0) scaled = scale_to(*set, 0) || scaled;
  }
  return scaled;
}

// First those that are not available anyway, then available ones as far as availability allows.
bool Rollout::scale_down_old() {
  int64_t total = 0;
  int64_t available = 0;
  for (const Parsed& set : sets_) {
    total += wanted_by(set);
    available += available_of(set);
  }
  const int64_t least = replicas() - max_unavailable();
  int64_t budget = total - least - (wanted_by(*fresh_) - available_of(*fresh_));
  if (budget <= 0) return false;
  std::vector<int64_t> to;
  for (const Parsed* set : old_) {
    const int64_t unhealthy = std::max<int64_t>(0, wanted_by(*set) - available_of(*set));
    const int64_t cut = std::min(budget, unhealthy);
    budget -= cut;
    to.push_back(wanted_by(*set) - cut);
  }
  int64_t healthy_budget = std::max<int64_t>(0, available - least);
  bool scaled = false;
  for (size_t i = 0; i < old_.size(); ++i) {
    const int64_t cut = std::min(healthy_budget, to[i]);
    healthy_budget -= cut;
    to[i] -= cut;
    if (to[i] != wanted_by(*old_[i])) scaled = scale_to(*old_[i], to[i]) || scaled;
  }
  return scaled;
}

// The user changed spec.replicas while several sets run: each grows or shrinks by its share.
bool Rollout::scale_proportionally() {
  std::vector<const Parsed*> active;
  for (const Parsed& set : sets_) {
    if (wanted_by(set) > 0) active.push_back(&set);
  }
  if (active.size() <= 1) {
    const Parsed* only = active.size() == 1  ? active[0]
                         : fresh_ != nullptr ? fresh_
                         : old_.empty()      ? nullptr
                                             : old_.back();
    return only != nullptr && scale_to(*only, replicas());
  }
  const bool saturated = fresh_ != nullptr && wanted_by(*fresh_) == replicas() &&
                         annotation(*fresh_, kDesiredReplicas, -1) == replicas() &&
                         available_of(*fresh_) == replicas();
  if (saturated) return scale_all_old_to_zero();
  return scale_by_share(std::move(active));
}

bool Rollout::scale_by_share(std::vector<const Parsed*> active) {
  int64_t total = 0;
  for (const Parsed* set : active)
    total += wanted_by(*set);
  const int64_t allowed = replicas() > 0 ? replicas() + max_surge() : 0;
  int64_t left = allowed - total;
  const bool grows = left > 0;
  std::stable_sort(active.begin(), active.end(), [grows](const Parsed* a, const Parsed* b) {
    if (wanted_by(*a) != wanted_by(*b)) return wanted_by(*a) > wanted_by(*b);
    const std::string_view x = a->node["metadata"]["creationTimestamp"].string();
    const std::string_view y = b->node["metadata"]["creationTimestamp"].string();
    return grows ? x > y : x < y;
  });
  std::vector<int64_t> to;
  for (const Parsed* set : active) {
    int64_t share = left == 0 ? 0 : share_of(*set, allowed);
    share = grows ? std::min(share, left) : std::max(share, left);
    left -= share;
    to.push_back(wanted_by(*set) + share);
  }
  to[0] = std::max<int64_t>(0, to[0] + left);  // what rounding left over goes to the largest
  bool scaled = false;
  for (size_t i = 0; i < active.size(); ++i)
    scaled = scale_to(*active[i], to[i]) || scaled;
  return scaled;
}

// How much a set gains or loses when all may have `allowed` pods (upstream getReplicaSetFraction).
int64_t Rollout::share_of(const Parsed& set, int64_t allowed) const {
  if (replicas() == 0) return -wanted_by(set);
  int64_t was = annotation(set, kMaxReplicas, 0);
  if (was <= 0) was = deployment_.node["status"]["replicas"].integer();
  return was == 0 ? 0 : rounded_share(wanted_by(set), was, allowed) - wanted_by(set);
}

}  // namespace coracle::controllers
