// SPDX-License-Identifier: GPL-2.0-or-later
// Messages that are served but never stored: what reviews, subresources and deletions carry as
// bodies.
#pragma once

#include <span>
#include <string_view>

#include "api/schema.h"

namespace coracle::api {

extern const Message kDeleteOptions, kStatusBody, kScaleBody, kEvictionBody, kBindingBody,
    kTokenRequest, kTokenReview, kSelfSubjectReview, kSubjectAccessReview,
    kLocalSubjectAccessReview, kSelfSubjectAccessReview, kSelfSubjectRulesReview;

struct Body {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  const Message* message = nullptr;
  // Set if it has a path of its own, which takes POST only; otherwise it belongs to a subresource.
  std::string_view plural = {};
  std::string_view singular = {};
  bool namespaced = false;
};

std::span<const Body> all_bodies();

}  // namespace coracle::api
