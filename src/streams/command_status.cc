// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams/command_status.h"

#include "base/bytes.h"
#include "json/writer.h"

namespace coracle::streams {
namespace {

struct Verdict {
  std::string_view reason;
  std::string message;
  std::string_view cause_type;
  std::string cause;
  int code = 0;
};

Verdict judge(const port::CommandEnd& end, const std::vector<std::string>& words) {
  Verdict verdict;
  if (!end.started) {
    verdict.cause = join({"error executing command in container: ", end.why});
    verdict.reason = "InternalError";
    verdict.message = "Internal error occurred: " + verdict.cause;
    verdict.code = 500;
    return verdict;
  }
  std::string all;
  for (const std::string& word : words)
    all += (all.empty() ? "" : " ") + word;
  verdict.cause = std::to_string(end.exit_code);
  verdict.cause_type = "ExitCode";
  verdict.reason = "NonZeroExitCode";
  verdict.message = join({"command terminated with non-zero exit code: error executing command [",
                          all, "], exit code ", verdict.cause});
  return verdict;
}

}  // namespace

std::string command_status(const port::CommandEnd& end,
                           const std::vector<std::string>& words,
                           bool as_json) {
  const bool success = end.started && end.exit_code == 0;
  const Verdict verdict = success ? Verdict() : judge(end, words);
  if (!as_json) return verdict.message;
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("metadata");
  out.begin_object();
  out.end_object();
  out.member("status", success ? "Success" : "Failure");
  if (!success) {
    out.member("message", std::string_view(verdict.message));
    out.member("reason", verdict.reason);
    out.key("details");
    out.begin_object();
    out.key("causes");
    out.begin_array();
    out.begin_object();
    if (!verdict.cause_type.empty()) out.member("reason", verdict.cause_type);
    out.member("message", std::string_view(verdict.cause));
    out.end_object();
    out.end_array();
    out.end_object();
    if (verdict.code != 0) out.member("code", verdict.code);
  }
  out.end_object();
  return text;
}

}  // namespace coracle::streams
