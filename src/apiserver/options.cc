// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/options.h"

#include "api/errors.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr size_t kManagerBytesMax = 128;

// apimachinery pkg/runtime Convert_Slice_string_To_bool
bool truth(std::string_view text) {
  return !(text == "0" || text == "false" || text == "False");
}

Error malformed(std::string_view name, std::string_view value) {
  return fail(Code::kBadRequest,
              join({"invalid query parameter ", name, ": strconv.ParseInt: parsing \"", value,
                    "\": invalid syntax"}));
}

Result<int64_t> whole(std::string_view name, std::string_view value) {
  const std::optional<int64_t> number = parse_signed(value);
  if (!number) return malformed(name, value);
  return *number;
}

Error invalid_option(std::string_view kind,
                     std::string_view path,
                     std::string_view value,
                     std::string_view detail) {
  api::Errors errors;
  errors.invalid(path, value, detail);
  return errors.to_error(kind, "");
}

Result<> read_field_validation(Options& options, std::string_view value) {
  if (value == "Strict") {
    options.field_validation = FieldValidation::kStrict;
  } else if (value == "Warn" || value.empty()) {
    options.field_validation = FieldValidation::kWarn;
  } else if (value == "Ignore") {
    options.field_validation = FieldValidation::kIgnore;
  } else {
    return invalid_option("CreateOptions.meta.k8s.io", "fieldValidation", value,
                          "supported values: \"Ignore\", \"Warn\", \"Strict\"");
  }
  return {};
}

Result<> read_dry_run(Options& options, std::string_view value) {
  if (value != "All") {
    return invalid_option("CreateOptions.meta.k8s.io", "dryRun", value,
                          "supported values: \"All\"");
  }
  options.dry_run = true;
  return {};
}

Result<> read_manager(std::string_view value) {
  if (value.size() <= kManagerBytesMax) return {};
  api::Errors errors;
  errors.too_long("fieldManager", kManagerBytesMax);
  return errors.to_error("CreateOptions.meta.k8s.io", "");
}

Result<bool> read_write_option(Request& request, std::string_view name, const std::string& value) {
  Options& options = request.options;
  if (name == "dryRun") {
    TRY(read_dry_run(options, value));
  } else if (name == "fieldValidation") {
    TRY(read_field_validation(options, value));
  } else if (name == "fieldManager") {
    TRY(read_manager(value));
    options.field_manager = value;
  } else if (name == "force") {
    options.force = truth(value);
  } else if (name == "gracePeriodSeconds") {
    request.deletion.grace_seconds = TRY(whole(name, value));
  } else if (name == "orphanDependents") {
    request.deletion.orphan_dependents = truth(value);
  } else if (name == "propagationPolicy") {
    request.deletion.propagation = value;
  } else {
    return false;
  }
  return true;
}

Result<> read_list_option(Options& options, std::string_view name, const std::string& value) {
  if (name == "watch") {
    options.watch = truth(value);
  } else if (name == "allowWatchBookmarks") {
    options.bookmarks = truth(value);
  } else if (name == "sendInitialEvents") {
    options.send_initial_events = truth(value);
  } else if (name == "labelSelector") {
    options.label_selector = value;
  } else if (name == "fieldSelector") {
    options.field_selector = value;
  } else if (name == "resourceVersion") {
    options.resource_version = value;
  } else if (name == "resourceVersionMatch") {
    options.resource_version_match = value;
  } else if (name == "continue") {
    options.continue_token = value;
  } else if (name == "limit") {
    options.limit = TRY(whole(name, value));
  } else if (name == "timeoutSeconds") {
    options.timeout_s = TRY(whole(name, value));
  } else if (name == "includeObject") {
    options.include_object = value;
  }
  return {};
}

bool known_propagation(std::string_view policy) {
  return policy == "Background" || policy == "Foreground" || policy == "Orphan";
}

// apimachinery pkg/apis/meta/v1/validation ValidateDeleteOptions
Result<> check_delete_options(const DeleteOptions& options) {
  api::Errors errors;
  if (!options.propagation.empty() && options.orphan_dependents) {
    errors.invalid("propagationPolicy", options.propagation,
                   "orphanDependents and deletionPropagation cannot be both set");
  }
  if (!options.propagation.empty() && !known_propagation(options.propagation)) {
    errors.invalid("propagationPolicy", options.propagation,
                   "supported values: \"Background\", \"Foreground\", \"Orphan\"");
  }
  if (errors.empty()) return {};
  return errors.to_error("DeleteOptions.meta.k8s.io", "");
}

void check_watch_match(const Options& options, api::Errors& errors) {
  const std::string& match = options.resource_version_match;
  if (!options.send_initial_events) {
    if (!match.empty()) {
      errors.forbidden("resourceVersionMatch",
                       "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                       "provided");
    }
    return;
  }
  if (match != "NotOlderThan") {
    errors.forbidden("resourceVersionMatch",
                     "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
}

void check_list_match(const Options& options, api::Errors& errors) {
  const std::string& match = options.resource_version_match;
  if (options.send_initial_events) {
    errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
  }
  if (match.empty()) return;
  if (options.resource_version.empty()) {
    errors.forbidden("resourceVersionMatch",
                     "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (!options.continue_token.empty()) {
    errors.forbidden("resourceVersionMatch",
                     "resourceVersionMatch is forbidden when continue is provided");
  }
  if (match != "Exact" && match != "NotOlderThan") {
    errors.invalid("resourceVersionMatch", match, "supported values: \"Exact\", \"NotOlderThan\"");
  }
  if (match == "Exact" && options.resource_version == "0") {
    errors.forbidden("resourceVersionMatch",
                     "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
  }
}

}  // namespace

Result<> read_options(Request& request) {
  if (request.http.query.empty()) return {};
  for (const auto& [name, value] : http::parse_query(request.http.query)) {
    if (TRY(read_write_option(request, name, value))) continue;
    TRY(read_list_option(request.options, name, value));
  }
  return check_delete_options(request.deletion);
}

// apimachinery pkg/apis/meta/internalversion/validation ValidateListOptions
Result<> check_list_options(const Request& request) {
  api::Errors errors;
  if (request.verb == Verb::kWatch) {
    check_watch_match(request.options, errors);
  } else {
    check_list_match(request.options, errors);
  }
  if (!errors.empty()) return errors.to_error("ListOptions.meta.k8s.io", "");
  if (!request.options.resource_version.empty() &&
      !parse_unsigned(request.options.resource_version)) {
    return fail(Code::kBadRequest, join({"Invalid value: \"", request.options.resource_version,
                                         "\": strconv.ParseUint: parsing \"",
                                         request.options.resource_version, "\": invalid syntax"}));
  }
  return {};
}

Result<> read_delete_options(json::Node body, Request& request) {
  DeleteOptions& options = request.deletion;
  if (const json::Node grace = body["gracePeriodSeconds"]; grace.is_integer()) {
    options.grace_seconds = grace.integer();
  }
  if (const json::Node orphan = body["orphanDependents"]; orphan.is_boolean()) {
    options.orphan_dependents = orphan.boolean();
  }
  if (const json::Node policy = body["propagationPolicy"]; policy.is_string()) {
    options.propagation = std::string(policy.string());
  }
  options.uid = std::string(body["preconditions"]["uid"].string());
  options.resource_version = std::string(body["preconditions"]["resourceVersion"].string());
  for (const json::Node stage : body["dryRun"])
    TRY(read_dry_run(request.options, stage.string()));
  return check_delete_options(options);
}

}  // namespace coracle::apiserver
