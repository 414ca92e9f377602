// SPDX-License-Identifier: GPL-2.0-or-later
// Where kinds and objects live in the API.
#pragma once

#include <string>
#include <string_view>

#include "api/client.h"

namespace coracle::client {

std::string collection_path(const api::Kind& kind, std::string_view ns);
std::string object_path(const api::Key& key, api::Subresource subresource);

}  // namespace coracle::client
