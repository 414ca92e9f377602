// SPDX-License-Identifier: GPL-2.0-or-later
// What Job and the job template of a CronJob share.
#pragma once

#include <string_view>

#include "api/errors.h"
#include "api/schema.h"

namespace coracle::api {

extern const Message kJobSpec;

void default_job_template(json::Node spec);  // what Job and CronJob both fill in
// The rules of a JobSpec but for its selector; `path` is that of the spec.
void validate_job_spec(json::Node spec, std::string_view path, Errors& errors);

}  // namespace coracle::api
