// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/profile.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

constexpr int64_t kPercentMax = 100;
constexpr int64_t kScoreMax = 10;  // config.MaxCustomPriorityScore
constexpr size_t kNameMax = 253;

Result<> parse_point(std::string_view text, Profile& profile) {
  const size_t equals = text.find('=');
  const auto percent = parse_unsigned(text.substr(0, equals));
  const auto score =
      equals == std::string_view::npos ? std::nullopt : parse_unsigned(text.substr(equals + 1));
  const bool valid =
      percent && score && *percent <= uint64_t{kPercentMax} && *score <= uint64_t{kScoreMax};
  const bool rises = valid && (profile.shape.empty() ||
                               static_cast<int64_t>(*percent) > profile.shape.back().first);
  if (!rises) {
    return fail(Code::kBadRequest, join({"\"", text,
                                         "\" is not a point like 70=10: percent in use from 0 to "
                                         "100, rising, and a score from 0 to 10"}));
  }
  profile.shape.emplace_back(*percent, *score);
  return {};
}

}  // namespace

Result<Profile> parse_profile(std::string_view text) {
  Profile profile;
  const size_t equals = std::min(text.find('='), text.size());
  profile.name = std::string(text.substr(0, equals));
  if (profile.name.empty() || profile.name.size() > kNameMax)
    return fail(Code::kBadRequest, join({"scheduler profile \"", text, "\" has no name"}));
  if (equals == text.size()) return profile;
  const std::string_view rest = text.substr(equals + 1);
  const size_t colon = std::min(rest.find(':'), rest.size());
  const std::string_view strategy = rest.substr(0, colon);
  if (strategy == "RequestedToCapacityRatio") {
    profile.fit = FitStrategy::kRequestedToCapacityRatio;
    for (const std::string_view point : split(rest.substr(std::min(colon + 1, rest.size())), ','))
      TRY(parse_point(point, profile));
    return profile;
  }
  if (strategy == "MostAllocated")
    profile.fit = FitStrategy::kMostAllocated;
  else if (strategy != "LeastAllocated")
    return fail(Code::kBadRequest,
                join({"scheduler profile \"", profile.name, "\": unknown strategy \"", strategy,
                      "\"; there are LeastAllocated, MostAllocated and RequestedToCapacityRatio"}));
  if (colon < rest.size()) return fail(Code::kBadRequest, join({strategy, " takes no points"}));
  return profile;
}

}  // namespace coracle::scheduler
