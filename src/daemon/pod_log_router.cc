// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/pod_log_router.h"

#include "base/bytes.h"
#include "base/ip.h"
#include "client/answer.h"

namespace coracle::daemon {

namespace {

constexpr uint16_t kAgentPort = 10250;
constexpr size_t kRefusalBytesMax = 16 * 1024;

std::string query_of(const api::LogOptions& options) {
  std::string query = options.follow ? "follow=true" : "follow=false";
  if (options.previous) query += "&previous=true";
  if (options.timestamps) query += "&timestamps=true";
  if (options.tail_lines) query += "&tailLines=" + std::to_string(*options.tail_lines);
  if (options.limit_bytes) query += "&limitBytes=" + std::to_string(*options.limit_bytes);
  if (options.since) query += "&sinceTime=" + http::percent_encode(rfc3339_nano(*options.since));
  return query;
}

}  // namespace

class PodLogRouter::Remote final : public api::LogStream, http::ClientEvents {
 public:
  Remote(PodLogRouter& router, std::unique_ptr<http::Client> client, api::LogSink& sink)
      : router_(router),
        client_(std::move(client)),
        sink_(sink) {}
  ~Remote() override {
    client_->close();
    router_.retire(std::move(client_));
  }

  void send(const http::Request& request) { client_->send(request, *this); }
  void pause(bool paused) override { client_->pause(paused); }
  bool opens_later() const override { return true; }

 private:
  void on_head(int status, const std::vector<http::Header>&) override {
    status_ = status;
    if (status_ == 200) sink_.on_log_open();
  }
  void on_body(std::string_view bytes) override {
    if (status_ == 200) return sink_.on_log(bytes);
    if (refusal_.size() + bytes.size() <= kRefusalBytesMax) refusal_ += bytes;
  }
  void on_end() override {
    if (status_ == 200) return sink_.on_log_end();
    const Error error = client::read_error(status_, refusal_);
    sink_.on_log_failed(error);
  }
  void on_failed(std::string_view why) override {
    const Error error =
        fail(Code::kUnavailable, join({"the node of this pod cannot be reached: ", why}));
    sink_.on_log_failed(error);
  }

  PodLogRouter& router_;
  std::unique_ptr<http::Client> client_;
  api::LogSink& sink_;
  int status_ = 0;
  std::string refusal_;
};

PodLogRouter::PodLogRouter(const api::State& state,
                           port::Clock& clock,
                           port::Network& network,
                           port::Random& random,
                           LogRouterOptions options)
    : state_(state),
      clock_(clock),
      network_(network),
      random_(random),
      options_(std::move(options)) {}

void PodLogRouter::retire(std::unique_ptr<http::Client> client) {
  retired_.push_back(std::move(client));
  clock_.at_turn_end(*this);
}

Result<streams::Agent> PodLogRouter::find(const std::string& node) const {
  const api::ObjectRef object = state_.get(api::kNode, {}, node);
  json::Tree tree;
  std::string address;
  if (object) {
    for (const json::Node each : object->parse(tree)["status"]["addresses"]) {
      if (each["type"].string() == "InternalIP") address = std::string(each["address"].string());
    }
  }
  if (!parse_ip4(address))
    return fail(Code::kUnavailable, join({"the address of node \"", node, "\" is not known"}));
  http::TlsClientOptions tls;
  tls.ca_pem = options_.authority_pem;
  tls.certificate_pem = options_.client.certificate_pem;
  tls.key_pem = options_.client.key_pem;
  tls.server_name = node;  // its certificate names it, whatever its address is today
  return streams::Agent{{address, kAgentPort}, TRY(http::make_tls_client(tls, random_))};
}

Result<std::optional<streams::Agent>> PodLogRouter::agent_of(const std::string& node) {
  if (node == options_.node_name) return std::optional<streams::Agent>();
  return std::optional<streams::Agent>(TRY(find(node)));
}

Result<std::unique_ptr<api::LogStream>> PodLogRouter::open(const api::Object& pod,
                                                           const api::LogOptions& options,
                                                           api::LogSink& sink) {
  json::Tree tree;
  const std::string node(pod.parse(tree)["spec"]["nodeName"].string());
  if (node == options_.node_name) {
    if (local_ == nullptr) return fail(Code::kUnavailable, "the node has not started yet");
    return local_->open(pod, options, sink);
  }
  const streams::Agent agent = TRY(find(node));
  auto remote = std::make_unique<Remote>(
      *this, std::make_unique<http::Client>(clock_, network_, agent.endpoint, agent.tls), sink);
  http::Request request;
  request.method = "GET";
  request.path = join({"/containerLogs/", pod.ns(), "/", pod.name(), "/", options.container});
  request.query = query_of(options);
  request.headers = {{"accept", "text/plain, */*"}};
  remote->send(request);
  return std::unique_ptr<api::LogStream>(std::move(remote));
}

}  // namespace coracle::daemon
