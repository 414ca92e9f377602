// SPDX-License-Identifier: GPL-2.0-or-later
// The label and field selectors of a list, watch or deletecollection.
#pragma once

#include <string>
#include <string_view>

#include "api/selector.h"
#include "apiserver/request.h"
#include "base/result.h"

namespace coracle::apiserver {

class Selection {
 public:
  static Result<Selection> read(
      const Request& request);  // 400 for what is malformed or not offered
  bool everything() const { return labels_.empty() && fields_.empty(); }
  // The one name that can match; empty if it is not fixed.
  std::string_view name() const { return name_; }
  bool only_name() const { return only_name_; }      // ... and nothing else is asked
  bool matches(std::string_view normal_text) const;  // parses only as much as it needs
  bool matches_object(json::Node object) const;
  bool needs_object() const { return !fields_.empty() && !only_name_; }

 private:
  api::LabelSelector labels_;
  api::FieldSelector fields_;
  std::string name_;
  bool only_name_ = false;
};

}  // namespace coracle::apiserver
