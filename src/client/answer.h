// SPDX-License-Identifier: GPL-2.0-or-later
// What a server's answer to a write means.
#pragma once

#include <string>
#include <string_view>

#include "api/client.h"

namespace coracle::client {

// The object as stored (null where the answer is only "Success"), or the error of the Status.
Result<api::ObjectRef> read_answer(const api::Kind& kind, int status, std::string_view body);

// The error that a Status (or whatever came instead) tells.
Error read_error(int status, std::string_view body);

}  // namespace coracle::client
