// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of metadata that hold for every kind (apimachinery pkg/api/validation/objectmeta.go).
#pragma once

#include "api/errors.h"
#include "api/kind.h"

namespace coracle::api {

void validate_metadata(const Kind& kind, json::Node metadata, Errors& errors);

// Against the stored object. What a client may leave out and never change (uid, creationTimestamp,
// deletionTimestamp, deletionGracePeriodSeconds) is taken over from `old` first, as upstream does
// here.
void validate_metadata_update(json::Node metadata, json::Node old, Errors& errors);

}  // namespace coracle::api
