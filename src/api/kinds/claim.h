// SPDX-License-Identifier: GPL-2.0-or-later
// What PersistentVolumeClaim shares with the kinds that hold templates of claims or name volumes.
#pragma once

#include <string>

#include "api/errors.h"
#include "api/schema.h"

namespace coracle::api {

extern const Message kPersistentVolumeClaimMessage;

void default_claim(json::Node claim);
void check_claim_spec(json::Node spec, std::string_view path, Errors& errors);
std::string access_modes_text(json::Node modes);  // "RWO,RWX"
void check_access_modes(json::Node modes, std::string_view path, Errors& errors);
inline constexpr std::string_view kVolumeModes = "Block|Filesystem";

}  // namespace coracle::api
