// SPDX-License-Identifier: GPL-2.0-or-later
// Pod Security Standards (upstream staging/src/k8s.io/pod-security-admission): what the labels of a
// namespace demand of its Pods. Enforced for Pods; told in Warnings for what makes Pods.
#pragma once

#include "apiserver/exchange.h"
#include "apiserver/request.h"

namespace coracle::apiserver {

Result<> admit_pod_security(Parts& parts, Request& request);
// Labels that cannot be understood; existing Pods that a new level would not let in.
Result<> admit_security_labels(Parts& parts, Request& request);

}  // namespace coracle::apiserver
