// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/answer.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::client {

namespace {

struct Row {
  int http;
  std::string_view reason;  // empty: any
  Code code;
};

constexpr Row kRows[] = {
    {400, "", Code::kBadRequest},
    {401, "", Code::kUnauthorized},
    {403, "", Code::kForbidden},
    {404, "", Code::kNotFound},
    {405, "", Code::kMethodNotAllowed},
    {406, "", Code::kNotAcceptable},
    {409, "AlreadyExists", Code::kAlreadyExists},
    {409, "", Code::kConflict},
    {410, "", Code::kExpired},
    {413, "", Code::kTooLarge},
    {415, "", Code::kUnsupportedMediaType},
    {422, "", Code::kInvalid},
    {429, "", Code::kTooManyRequests},
    {503, "", Code::kUnavailable},
    {504, "", Code::kTimeout},
};

}  // namespace

Error read_error(int status, std::string_view body) {
  json::Tree tree;
  const Result<json::Node> parsed = tree.parse(body);
  const json::Node told = parsed ? *parsed : json::Node();
  const std::string_view reason = told["reason"].string();
  Error error;
  error.code = Code::kInternal;
  for (const Row& row : kRows) {
    if (row.http != status || (!row.reason.empty() && row.reason != reason)) continue;
    error.code = row.code;
    break;
  }
  error.message = std::string(told["message"].string());
  if (error.message.empty()) error.message = join({"the server answered ", std::to_string(status)});
  error.retry_after_s = static_cast<uint32_t>(
      std::clamp<int64_t>(told["details"]["retryAfterSeconds"].integer(), 0, 600));
  return error;
}

Result<api::ObjectRef> read_answer(const api::Kind& kind, int status, std::string_view body) {
  if (status < 200 || status > 299) return read_error(status, body);
  json::Tree tree;
  const json::Node told = TRY(tree.parse(body).with("answer"));
  if (told["kind"].string() == "Status") return api::ObjectRef();
  const uint64_t version = parse_unsigned(told["metadata"]["resourceVersion"].string()).value_or(0);
  if (told["kind"].string() != kind.name) {
    // The answer of a subresource, such as TokenRequest: seen as the object with its spec and
    // status.
    told.set("kind", kind.name);
    told.set("apiVersion", api::group_version(kind));
  }
  return api::seal(kind, told, version);
}

}  // namespace coracle::client
