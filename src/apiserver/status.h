// SPDX-License-Identifier: GPL-2.0-or-later
// The one place where an Error becomes a metav1.Status.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/request.h"
#include "base/result.h"

namespace coracle::apiserver {

int http_code(Code code);
std::string_view status_reason(Code code);

// Details name the object in the URL unless request.about says otherwise. `continue_token` goes
// into metadata (410 of an expired list).
std::string failure_status(const Request& request,
                           const Error& error,
                           std::string_view continue_token = {});

// {"status":"Success","details":{...}}: the answer to a delete that leaves nothing to show.
std::string success_status(const Request& request, std::string_view uid, int code);

}  // namespace coracle::apiserver
