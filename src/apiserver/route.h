// SPDX-License-Identifier: GPL-2.0-or-later
// From method and path to verb, kind, namespace, name and subresource (apiserver
// pkg/endpoints/request/requestinfo.go).
#pragma once

#include <string_view>

#include "apiserver/request.h"
#include "base/result.h"

namespace coracle::apiserver {

// Always fills in what authorization needs; Target::kNowhere if nothing is served there.
void route(Request& request);

// What the method does not fit: 405. Called once the caller is known to be allowed to know.
Result<> check_method(const Request& request);

// Kinds that are answered and never stored.
enum class Review : uint8_t {
  kSelfSubjectAccess,
  kSubjectAccess,
  kLocalSubjectAccess,
  kSelfSubjectRules,
  kSelfSubject,
  kToken,
};
struct ReviewKind {
  Review review;
  std::string_view group;
  std::string_view plural;
  std::string_view name;
  bool namespaced;
};
const ReviewKind* find_review(std::string_view group,
                              std::string_view version,
                              std::string_view plural);

}  // namespace coracle::apiserver
