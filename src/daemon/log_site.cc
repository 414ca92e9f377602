// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/log_site.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "daemon/status_answer.h"
#include "node/usage.h"

namespace coracle::daemon {

namespace {

constexpr size_t kTailsMax = 64;
constexpr std::string_view kSummaryPath = "/stats/summary";
constexpr std::string_view kMetricsPath = "/metrics/resource";

Result<api::LogOptions> read_options(const http::Request& request, std::string_view container) {
  api::LogOptions options;
  options.container = std::string(container);
  for (const auto& [name, value] : http::parse_query(request.query)) {
    const bool truth = value == "true";
    if (name == "follow") options.follow = truth;
    if (name == "previous") options.previous = truth;
    if (name == "timestamps") options.timestamps = truth;
    if (name == "tailLines") options.tail_lines = parse_signed(value);
    if (name == "limitBytes") options.limit_bytes = parse_signed(value);
    if (name != "sinceTime") continue;
    options.since = parse_rfc3339(value);
    if (!options.since) return fail(Code::kBadRequest, "sinceTime is no time");
  }
  return options;
}

}  // namespace

class LogSite::Tail final : api::LogSink {
 public:
  Tail(LogSite& site, http::Response& response) : site_(site), response_(response) {}

  Result<> open(api::PodLogs& logs, const api::Object& pod, const api::LogOptions& options) {
    stream_ = TRY(logs.open(pod, options, *this));
    const http::Header headers[] = {{"content-type", "text/plain"}};
    response_.start(200, headers);
    begun_ = true;
    if (!early_.empty()) on_log(early_);
    std::string().swap(early_);
    return {};
  }
  bool over() const { return over_; }
  void on_drained() { stream_->pause(false); }

 private:
  void on_log(std::string_view bytes) override {
    if (!begun_) {
      early_ += bytes;
      return;
    }
    response_.write(bytes);
    if (response_.backlog() >= limits::kSendBufferBytesMax) stream_->pause(true);
  }
  void on_log_end() override {
    over_ = true;
    if (begun_) site_.ended(response_);
  }

  LogSite& site_;
  http::Response& response_;
  std::unique_ptr<api::LogStream> stream_;
  std::string early_;
  bool begun_ = false;
  bool over_ = false;
};

LogSite::LogSite(const api::State& state, port::Clock& clock) : state_(state), sessions_(clock) {}
LogSite::~LogSite() = default;

void LogSite::on_request(http::Request&& request, http::Response& response) {
  const Result<> begun = begin(request, response);
  if (!begun) answer_status(response, begun.error());
}

Result<> LogSite::begin(const http::Request& request, http::Response& response) {
  if (!request.peer.verified || request.peer.common_name != kKubeletClient)
    return fail(Code::kForbidden, "only API servers of this cluster are let in");
  if (streams::AgentSessions::takes(request.path)) return begin_session(request, response);
  if (request.path == kSummaryPath || request.path == kMetricsPath)
    return tell_usage(request, response);
  const std::vector<std::string_view> parts = split(request.path, '/');
  if (parts.size() != 5 || parts[1] != "containerLogs" || request.method != "GET")
    return fail(Code::kNotFound, "there is nothing at this path");
  if (logs_ == nullptr) return fail(Code::kUnavailable, "the node has not started yet");
  if (tails_.size() >= kTailsMax) return fail(Code::kTooManyRequests, "many logs are read");
  const api::ObjectRef pod = state_.get(api::kPod, parts[2], parts[3]);
  if (!pod) return fail(Code::kNotFound, join({"pod \"", parts[3], "\" is not known here"}));
  const api::LogOptions options = TRY(read_options(request, parts[4]));
  auto tail = std::make_unique<Tail>(*this, response);
  TRY(tail->open(*logs_, *pod, options));
  if (tail->over()) {
    response.finish();
    return {};
  }
  response.vouch();
  tails_[&response] = std::move(tail);
  return {};
}

Result<> LogSite::tell_usage(const http::Request& request, http::Response& response) {
  if (request.method != "GET") return fail(Code::kNotFound, "there is nothing at this path");
  if (usage_ == nullptr) return fail(Code::kUnavailable, "the node has not started yet");
  const bool is_summary = request.path == kSummaryPath;
  const api::NodeUsage usage = usage_->usage();
  const http::Header headers[] = {
      {"content-type", is_summary ? "application/json" : "text/plain; version=0.0.4"}};
  response.start(200, headers);
  response.write(is_summary ? node::summary_text(usage) : node::resource_metrics_text(usage));
  response.finish();
  return {};
}

Result<> LogSite::begin_session(const http::Request& request, http::Response& response) {
  const std::vector<std::string_view> parts = split(request.path, '/');
  if (parts.size() < 4) return fail(Code::kNotFound, "there is nothing at this path");
  if (streams_ == nullptr) return fail(Code::kUnavailable, "the node has not started yet");
  const api::ObjectRef pod = state_.get(api::kPod, parts[2], parts[3]);
  if (!pod) return fail(Code::kNotFound, join({"pod \"", parts[3], "\" is not known here"}));
  return sessions_.begin(*streams_, pod, request, response);
}

void LogSite::ended(http::Response& response) {
  // From inside the stream's own event: it is freed when the response is gone.
  response.finish();
  tails_.erase(&response);
}

void LogSite::on_drained(http::Response& response) {
  const auto found = tails_.find(&response);
  if (found != tails_.end()) return found->second->on_drained();
  sessions_.on_drained(response);
}

void LogSite::on_gone(http::Response& response) {
  tails_.erase(&response);
  sessions_.on_gone(response);
}

}  // namespace coracle::daemon
