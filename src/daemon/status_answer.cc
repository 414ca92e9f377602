// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/status_answer.h"

#include "json/tree.h"

namespace coracle::daemon {

namespace {

struct Refusal {
  Code code;
  int http;
  std::string_view reason;
};
constexpr Refusal kRefusals[] = {
    {Code::kBadRequest, 400, "BadRequest"},
    {Code::kUnauthorized, 401, "Unauthorized"},
    {Code::kForbidden, 403, "Forbidden"},
    {Code::kNotFound, 404, "NotFound"},
    {Code::kMethodNotAllowed, 405, "MethodNotAllowed"},
    {Code::kConflict, 409, "Conflict"},
    {Code::kTooManyRequests, 429, "TooManyRequests"},
    {Code::kUnavailable, 503, "ServiceUnavailable"},
};

}  // namespace

void answer_status(http::Response& response, const Error& error) {
  Refusal row{error.code, 500, "InternalError"};
  for (const Refusal& each : kRefusals) {
    if (each.code == error.code) row = each;
  }
  json::Tree tree;
  const json::Node status = tree.make_object();
  status.set("kind", "Status");
  status.set("apiVersion", "v1");
  status.set("status", "Failure");
  status.set("message", std::string_view(error.message));
  status.set("reason", row.reason);
  status.set("code", row.http);
  std::vector<http::Header> more;
  if (row.http == 429 || row.http == 503) more.push_back({"retry-after", "5"});
  response.answer(row.http, "application/json", json::write(status), more);
}

}  // namespace coracle::daemon
