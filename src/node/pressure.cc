// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/pressure.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr Duration kTransition = minutes(5);
constexpr int64_t kSystemCritical = 2'000'000'000;

struct SignalName {
  std::string_view signal;
  std::string_view resource;
};
constexpr std::array<SignalName, kSignals> kNames = {{{"memory.available", "memory"},
                                                      {"nodefs.available", "ephemeral-storage"},
                                                      {"nodefs.inodesFree", "inodes"},
                                                      {"pid.available", "pids"}}};

std::string known_signals() {
  std::string names;
  for (const SignalName& name : kNames)
    names += join({names.empty() ? "" : ", ", name.signal});
  return names;
}

Result<Threshold> parse_one(std::string_view text) {
  Threshold threshold;
  if (text.ends_with('%')) {
    threshold.percent = parse_unsigned(text.substr(0, text.size() - 1));
    if (threshold.percent && *threshold.percent <= 100) return threshold;
  } else if (const auto bytes = api::quantity_value(text); bytes && *bytes >= 0) {
    threshold.amount = static_cast<uint64_t>(*bytes);
    return threshold;
  }
  return fail(Code::kBadRequest,
              join({"\"", text, "\" is neither a quantity nor a percentage of at most 100%"}));
}

uint64_t limit_of(const Threshold& threshold, uint64_t total) {
  uint64_t limit = threshold.amount.value_or(UINT64_MAX);
  if (threshold.percent)
    limit =
        std::min(limit, total / 100 * *threshold.percent + total % 100 * *threshold.percent / 100);
  return limit == UINT64_MAX ? 0 : limit;
}

}  // namespace

Thresholds default_thresholds() {
  return {{{uint64_t{100} << 20, 5}, {uint64_t{1} << 30, 10}, {{}, 5}, {{}, 2}}};
}

Result<Thresholds> parse_thresholds(std::string_view text) {
  Thresholds thresholds = default_thresholds();
  for (const std::string_view part : split(text, ',')) {
    if (trim(part).empty()) continue;
    const size_t less = part.find('<');
    const std::string_view name = trim(part.substr(0, less));
    const auto known = std::find_if(kNames.begin(), kNames.end(),
                                    [&](const SignalName& row) { return row.signal == name; });
    if (known == kNames.end() || less == part.npos)
      return fail(Code::kBadRequest,
                  join({"\"", trim(part), "\" is not SIGNAL<LIMIT with one of ", known_signals()}));
    thresholds[static_cast<size_t>(known - kNames.begin())] =
        TRY(parse_one(trim(part.substr(less + 1))));
  }
  return thresholds;
}

std::vector<Shortage> shortages(const Thresholds& thresholds, const Supplies& supplies) {
  std::vector<Shortage> found;
  for (size_t i = 0; i < kSignals; ++i) {
    const Supply& supply = supplies[i];
    const uint64_t limit = limit_of(thresholds[i], supply.total);
    if (supply.total > 0 && supply.available < limit)
      found.push_back({static_cast<Signal>(i), limit, supply.available});
  }
  return found;
}

std::string_view resource_name(Signal signal) {
  return kNames[static_cast<size_t>(signal)].resource;
}

void Pressure::see(const std::vector<Shortage>& shortages, Mono now) {
  for (const Shortage& shortage : shortages)
    seen_[static_cast<size_t>(shortage.signal)] = now;
  for (size_t i = 0; i < kSignals; ++i)
    shown_[i] = seen_[i] && now - *seen_[i] < kTransition;
}

const Candidate* first_to_go(const std::vector<Candidate>& candidates) {
  const auto rank = [](const Candidate& each) {
    const bool over = each.usage > each.request;
    const int64_t excess = static_cast<int64_t>(each.usage) - static_cast<int64_t>(each.request);
    return std::tuple(!over, each.priority, -excess);
  };
  const Candidate* first = nullptr;
  for (const Candidate& each : candidates) {
    if (each.priority >= kSystemCritical) continue;
    if (first == nullptr || rank(each) < rank(*first)) first = &each;
  }
  return first;
}

}  // namespace coracle::node
