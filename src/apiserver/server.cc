// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/server.h"

#include "api/custom_kinds.h"
#include "apiserver/authenticator.h"
#include "apiserver/authorizer.h"
#include "apiserver/bootstrap.h"
#include "apiserver/custom_resources.h"
#include "apiserver/event_expiry.h"
#include "apiserver/exchange.h"
#include "apiserver/format.h"
#include "apiserver/pages.h"
#include "apiserver/pipeline.h"
#include "apiserver/quotas.h"
#include "apiserver/rbac.h"
#include "apiserver/service_addresses.h"
#include "apiserver/status.h"
#include "apiserver/tokens.h"
#include "apiserver/watch.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr size_t kWarningBytesMax =
    4096;  // of all Warning headers of an answer (upstream: the same)

Cidr4 service_range(const ServerOptions& options) {
  const std::optional<Cidr4> range = parse_cidr4(options.service_cidr);
  ASSERT(range.has_value());  // checked with the configuration
  return *range;
}

// What an exchange counts as while it lasts.
enum class Load : uint8_t { kRead, kWrite, kNone };

std::string quoted_warning(std::string_view text) {
  std::string out = "299 - \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

class ApiServer::State {
 public:
  State(port::Clock& clock,
        port::Random& random,
        store::Store& store,
        api::PodLogs* logs,
        ServerOptions options);
  ~State();

  class HttpExchange;
  void begin(http::Request&& request, http::Response& response);
  void end(HttpExchange& exchange);
  void release(HttpExchange& exchange);
  void abandon(HttpExchange& exchange);
  void stop();

  const ServerOptions options;
  Tokens tokens;
  Authenticator authenticator;
  Rbac rbac;
  Authorizer authorizer;
  ServiceAddresses addresses;
  Watches watches;
  Quotas quotas;
  Pages pages;
  Parts parts;
  Pipeline pipeline;
  CustomResources custom_resources{parts.store, pages};
  std::unique_ptr<Bootstrap> bootstrap;
  EventExpiry event_expiry{parts};
  List<HttpExchange> running;
  size_t reads = 0;
  size_t writes = 0;

 private:
  bool admit_load(Load load);
};

class ApiServer::State::HttpExchange final : public Exchange, public Link<HttpExchange> {
 public:
  HttpExchange(State& state, http::Response& response)
      : Exchange(state.pipeline),
        state_(state),
        response_(response) {}

  void reply(Reply reply) override;
  void fail(const Error& why, std::string_view continue_token) override;
  http::Response* response() override { return gone ? nullptr : &response_; }
  void close() override { state_.end(*this); }
  void lasts() override { state_.release(*this); }

  Load load = Load::kNone;
  bool gone = false;  // nobody is there to be answered

 private:
  void send(int code,
            std::string_view type,
            std::string_view body,
            std::vector<http::Header> headers);

  State& state_;
  http::Response& response_;
};

void ApiServer::State::HttpExchange::send(int code,
                                          std::string_view type,
                                          std::string_view body,
                                          std::vector<http::Header> headers) {
  bool cached = false;
  for (const http::Header& header : headers)
    cached = cached || header.name == "cache-control";
  if (!cached) headers.push_back({"cache-control", "no-cache, private"});
  size_t bytes = 0;
  for (const std::string& warning : request.warnings) {
    bytes += warning.size();
    if (bytes > kWarningBytesMax) break;
    headers.push_back({"warning", quoted_warning(warning)});
  }
  response_.answer(code, type, body, headers);
  state_.end(*this);
}

void ApiServer::State::HttpExchange::reply(Reply reply) {
  if (gone) return state_.end(*this);
  if (!reply.object) {
    return send(reply.code, reply.content_type, reply.text, std::move(reply.headers));
  }
  const Result<Format> format = negotiate(request);
  if (!format) return fail(format.error(), {});
  std::string body;
  const api::Kind& stored = reply.object->kind();
  const bool asked = request.kind != nullptr && api::same_resource(stored, *request.kind);
  const View view{asked ? &request.spoken() : &stored, reply.object->text(),
                  reply.object->version()};
  append_formatted(body, view, *format, state_.parts.clock.wall());
  body += '\n';
  send(reply.code, kJson, body, std::move(reply.headers));
}

void ApiServer::State::HttpExchange::fail(const Error& why, std::string_view continue_token) {
  if (gone) return state_.end(*this);
  Error error = why;
  const bool passing = error.code == Code::kTooManyRequests || error.code == Code::kUnavailable;
  if (passing && error.retry_after_s == 0) error.retry_after_s = 1;
  std::vector<http::Header> headers;
  if (error.retry_after_s > 0) {
    headers.push_back({"retry-after", std::to_string(error.retry_after_s)});
  }
  const std::string body = failure_status(request, error, continue_token) + "\n";
  send(http_code(error.code), kJson, body, std::move(headers));
}

ApiServer::State::State(port::Clock& clock,
                        port::Random& random,
                        store::Store& store,
                        api::PodLogs* logs,
                        ServerOptions given)
    : options(std::move(given)),
      tokens(clock, random, store, options.token_key_pem),
      authenticator(tokens),
      rbac(store),
      authorizer(store, rbac),
      addresses(store, random, service_range(options)),
      watches(clock, random, store),
      quotas(store),
      pages(options, store),
      parts{clock,      random,    store,   logs,  options,  tokens, authenticator,
            authorizer, addresses, watches, pages, pipeline, quotas},
      pipeline(parts) {}

ApiServer::State::~State() {
  while (HttpExchange* exchange = running.front()) {
    if (exchange->waiting) parts.store.forget(*exchange);
    end(*exchange);
  }
}

bool ApiServer::State::admit_load(Load load) {
  if (load == Load::kRead) return reads < limits::kReadsInFlightMax;
  if (load == Load::kWrite) return writes < limits::kWritesInFlightMax;
  return true;
}

void ApiServer::State::begin(http::Request&& request, http::Response& response) {
  const bool reading = request.method == "GET" || request.method == "HEAD";
  const Load load = reading ? Load::kRead : Load::kWrite;
  if (!admit_load(load)) {
    // apiserver pkg/server/filters/maxinflight.go
    const http::Header headers[] = {{"retry-after", "1"}};
    return response.answer(429, "text/plain; charset=utf-8",
                           "Too many requests, please try again later.\n", headers);
  }
  auto* exchange = new HttpExchange(*this, response);
  running.push_back(*exchange);
  exchange->load = load;
  exchange->request.http = std::move(request);
  response.context = exchange;
  ++(load == Load::kRead ? reads : writes);
  pipeline.start(*exchange);
}

void ApiServer::State::end(HttpExchange& exchange) {
  release(exchange);
  delete &exchange;
}

void ApiServer::State::release(HttpExchange& exchange) {
  if (exchange.load == Load::kRead) --reads;
  if (exchange.load == Load::kWrite) --writes;
  exchange.load = Load::kNone;
}

// Its client has left. What was proposed is seen through: a reservation hangs on the outcome.
void ApiServer::State::abandon(HttpExchange& exchange) {
  if (!exchange.waiting) return end(exchange);
  release(exchange);
  exchange.gone = true;
}

void ApiServer::State::stop() {
  for (HttpExchange* exchange = running.front(); exchange != nullptr;) {
    HttpExchange* next = running.next(exchange);
    if (exchange->load == Load::kNone && exchange->stream) {
      exchange->response()->finish();
      end(*exchange);
    }
    exchange = next;
  }
}

ApiServer::ApiServer(port::Clock& clock,
                     port::Random& random,
                     store::Store& store,
                     api::PodLogs* logs,
                     ServerOptions options)
    : state_(std::make_unique<State>(clock, random, store, logs, std::move(options))) {}

ApiServer::~ApiServer() = default;

Parts& ApiServer::parts() {
  return state_->parts;
}
void ApiServer::use_pod_logs(api::PodLogs* logs) {
  state_->parts.logs = logs;
}
void ApiServer::use_pod_streams(api::PodStreams* streams) {
  state_->parts.streams = streams;
}
void ApiServer::use_agents(streams::Agents* agents) {
  state_->parts.agents = agents;
}
void ApiServer::use_usages(api::Usages* usages) {
  state_->parts.usages = usages;
}
bool ApiServer::ready() const {
  return state_->pages.ready();
}
void ApiServer::stop() {
  state_->stop();
}

void ApiServer::start() {
  state_->addresses.load();
  state_->rbac.start();
  state_->custom_resources.start();
  state_->quotas.start();
  state_->bootstrap = std::make_unique<Bootstrap>(state_->parts);
  state_->bootstrap->start();
  state_->event_expiry.start();
}

void ApiServer::on_request(http::Request&& request, http::Response& response) {
  state_->begin(std::move(request), response);
}

void ApiServer::on_drained(http::Response& response) {
  auto* exchange = static_cast<State::HttpExchange*>(response.context);
  if (exchange != nullptr && exchange->stream) exchange->stream->on_drained();
}

// What clients repeat to people comes as a Status; the rest is only read by who speaks broken HTTP.
std::string ApiServer::refusal(int status, std::string_view why) {
  Error error = fail(Code::kTooLarge, join({"Request entity too large: ", why}));
  if (status == 429) {
    error = fail(Code::kTooManyRequests, std::string(why));
    error.retry_after_s = 1;
  } else if (status != 413) {
    return {};
  }
  return failure_status({}, error, {});
}

void ApiServer::on_gone(http::Response& response) {
  auto* exchange = static_cast<State::HttpExchange*>(response.context);
  if (exchange != nullptr) state_->abandon(*exchange);
}

ApiServer::Figures ApiServer::figures() const {
  return {state_->reads, state_->writes, state_->watches.count()};
}

}  // namespace coracle::apiserver
