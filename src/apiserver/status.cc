// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/status.h"

#include "json/writer.h"

namespace coracle::apiserver {
namespace {

struct Row {
  Code code;
  int http;
  std::string_view reason;
};

constexpr Row kRows[] = {
    {Code::kBadRequest, 400, "BadRequest"},
    {Code::kUnauthorized, 401, "Unauthorized"},
    {Code::kForbidden, 403, "Forbidden"},
    {Code::kNotFound, 404, "NotFound"},
    {Code::kMethodNotAllowed, 405, "MethodNotAllowed"},
    {Code::kNotAcceptable, 406, "NotAcceptable"},
    {Code::kAlreadyExists, 409, "AlreadyExists"},
    {Code::kConflict, 409, "Conflict"},
    {Code::kExpired, 410, "Expired"},
    {Code::kTooLarge, 413, "RequestEntityTooLarge"},
    {Code::kUnsupportedMediaType, 415, "UnsupportedMediaType"},
    {Code::kInvalid, 422, "Invalid"},
    {Code::kTooManyRequests, 429, "TooManyRequests"},
    {Code::kInternal, 500, "InternalError"},
    {Code::kCorrupt, 500, "StorageReadError"},
    {Code::kUnavailable, 503, "ServiceUnavailable"},
    {Code::kTimeout, 504, "Timeout"},
    {Code::kIo, 500, "InternalError"},
};

const Row& row(Code code) {
  for (const Row& candidate : kRows) {
    if (candidate.code == code) return candidate;
  }
  return kRows[13];
}

// apimachinery pkg/api/errors: these constructors fill in the object's coordinates.
bool names_object(Code code) {
  switch (code) {
    case Code::kForbidden:
    case Code::kNotFound:
    case Code::kMethodNotAllowed:
    case Code::kAlreadyExists:
    case Code::kConflict:
    case Code::kInvalid:
      return true;
    default:
      return false;
  }
}

void write_coordinates(json::Writer& out, const Request& request, const Error& error) {
  const About here{request.group, request.resource, request.name};
  const About& about = request.about ? *request.about : here;
  if (about.resource.empty()) return;
  if (!about.name.empty()) out.member("name", std::string_view(about.name));
  if (!about.group.empty()) out.member("group", std::string_view(about.group));
  // Invalid speaks of the kind, everything else of the resource.
  const bool by_kind = error.code == Code::kInvalid && request.kind != nullptr && !request.about;
  out.member("kind", by_kind ? request.kind->name : std::string_view(about.resource));
}

void write_causes(json::Writer& out, const Error& error) {
  if (error.causes.empty()) return;
  out.key("causes");
  out.begin_array();
  for (const Cause& cause : error.causes) {
    out.begin_object();
    if (!cause.reason.empty()) out.member("reason", std::string_view(cause.reason));
    if (!cause.message.empty()) out.member("message", std::string_view(cause.message));
    if (!cause.field.empty()) out.member("field", std::string_view(cause.field));
    out.end_object();
  }
  out.end_array();
}

void begin_status(json::Writer& out, std::string_view continue_token, std::string_view status) {
  out.begin_object();
  out.member("kind", "Status");
  out.member("apiVersion", "v1");
  out.key("metadata");
  out.begin_object();
  if (!continue_token.empty()) out.member("continue", continue_token);
  out.end_object();
  out.member("status", status);
}

}  // namespace

int http_code(Code code) {
  return row(code).http;
}
std::string_view status_reason(Code code) {
  return row(code).reason;
}

std::string failure_status(const Request& request,
                           const Error& error,
                           std::string_view continue_token) {
  std::string text;
  json::Writer out(text);
  begin_status(out, continue_token, "Failure");
  out.member("message", std::string_view(error.message));
  out.member("reason", status_reason(error.code));
  const bool coordinates = names_object(error.code);
  if (coordinates || !error.causes.empty() || error.retry_after_s > 0) {
    out.key("details");
    out.begin_object();
    if (coordinates) write_coordinates(out, request, error);
    write_causes(out, error);
    if (error.retry_after_s > 0) out.member("retryAfterSeconds", int64_t{error.retry_after_s});
    out.end_object();
  }
  out.member("code", http_code(error.code));
  out.end_object();
  return text;
}

std::string success_status(const Request& request, std::string_view uid, int code) {
  std::string text;
  json::Writer out(text);
  begin_status(out, {}, "Success");
  if (!uid.empty()) {
    out.key("details");
    out.begin_object();
    out.member("name", std::string_view(request.name));
    if (!request.group.empty()) out.member("group", std::string_view(request.group));
    out.member("kind", std::string_view(request.resource));
    out.member("uid", uid);
    out.end_object();
  }
  if (code != 200) out.member("code", code);
  out.end_object();
  return text;
}

}  // namespace coracle::apiserver
