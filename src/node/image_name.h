// SPDX-License-Identifier: GPL-2.0-or-later
// Image references as distribution/reference reads them: "busybox" is
// docker.io/library/busybox:latest.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace coracle::node {

// Full form with domain and with tag or digest (a digest wins over a tag). 400: not a reference;
// the message is upstream's for InvalidImageName.
Result<std::string> normal_image_name(std::string_view name);

}  // namespace coracle::node
