// SPDX-License-Identifier: GPL-2.0-or-later
// From the subresource enum of api to the functions that serve it. The main resource is the row
// kNone.
#pragma once

#include <string_view>

#include "apiserver/exchange.h"

namespace coracle::apiserver {

struct Subresource {
  api::Subresource which;
  std::string_view verbs;  // comma-separated; of kNone: not looked at
  // GET, if it does not show the object itself.
  Result<Next> (*read)(Parts& parts, Exchange& exchange);
  // Body to request.object (the object that is to be written), or to request.body.
  Result<> (*decode)(Parts& parts, Request& request);
  // Instead of a write of request.object. May be null.
  Result<Next> (*act)(Parts& parts, Exchange& exchange);
  // The answer, if it is not the object itself. May be null.
  Reply (*show)(Parts& parts, const Request& request, api::ObjectRef object);
};

const Subresource& subresource_row(api::Subresource which);
Result<> check_subresource_verb(const Request& request);  // 405

}  // namespace coracle::apiserver
