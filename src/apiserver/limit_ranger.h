// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

// Fills in and judges requests and limits by the LimitRanges of the namespace
// (plugin/pkg/admission/limitranger).
Result<> admit_limits(Parts& parts, Request& request);
Result<> admit_claim_limits(Parts& parts, Request& request);
// plugin/pkg/admission/storage/storageclass/setdefault
Result<> admit_storage_class(Parts& parts, Request& request);

}  // namespace coracle::apiserver
