// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/result.h"
#include "http/server.h"

namespace coracle::daemon {

// Answers with a Status of Kubernetes, where no API server stands behind the path.
void answer_status(http::Response& response, const Error& error);

}  // namespace coracle::daemon
