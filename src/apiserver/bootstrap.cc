// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/bootstrap.h"

#include "apiserver/pages.h"
#include "apiserver/pipeline.h"
#include "apiserver/server.h"
#include "apiserver/service_addresses.h"
#include "base/bytes.h"
#include "base/log.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kNamespaces[] = {"default", "kube-system", "kube-public",
                                            "kube-node-lease"};
constexpr int64_t kHttpsPort = 443;
constexpr std::string_view kLabels = "{\"component\":\"apiserver\",\"provider\":\"kubernetes\"}";

struct Address {
  std::string host;
  int64_t port;
};

Address split_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {std::string(text), 6443};
  const int64_t port = parse_signed(text.substr(colon + 1)).value_or(6443);
  return {std::string(text.substr(0, colon)), port};
}

std::string namespace_body(std::string_view name) {
  return join(
      {"{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"", name, "\"}}"});
}

std::string service_body(std::string_view address, int64_t target_port) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", "Service");
  out.member("apiVersion", "v1");
  out.key("metadata");
  out.begin_object();
  out.member("name", "kubernetes");
  out.key("labels");
  out.raw(kLabels);
  out.end_object();
  out.key("spec");
  out.begin_object();
  out.member("clusterIP", address);
  out.key("ports");
  out.begin_array();
  out.begin_object();
  out.member("name", "https");
  out.member("protocol", "TCP");
  out.member("port", kHttpsPort);
  out.member("targetPort", target_port);
  out.end_object();
  out.end_array();
  out.member("type", "ClusterIP");
  out.end_object();
  out.end_object();
  return text;
}

std::string slice_body(const Address& server) {
  return join(
      {"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",\"metadata\":{"
       "\"name\":\"kubernetes\",\"labels\":{\"kubernetes.io/service-name\":\"kubernetes\"}},"
       "\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"",
       server.host,
       "\"],\"conditions\":{\"ready\":true}}],\"ports\":[{\"name\":\"https\",\"port\":",
       std::to_string(server.port), ",\"protocol\":\"TCP\"}]}"});
}

std::string endpoints_body(const Address& server) {
  return join(
      {"{\"kind\":\"Endpoints\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
       "\"kubernetes\",\"labels\":{\"endpointslice.kubernetes.io/skip-mirror\":\"true\"}},"
       "\"subsets\":[{\"addresses\":[{\"ip\":\"",
       server.host, "\"}],\"ports\":[{\"name\":\"https\",\"port\":", std::to_string(server.port),
       ",\"protocol\":\"TCP\"}]}]}"});
}

}  // namespace

// One step through the pipeline as the server itself.
class Bootstrap::Write final : public Exchange {
 public:
  Write(Bootstrap& owner, Parts& parts) : Exchange(parts.pipeline), owner_(owner) {}
  void reply(Reply) override { owner_.written(true); }
  void fail(const Error& error, std::string_view) override {
    const bool there = error.code == Code::kAlreadyExists;
    if (!there) LOG(kWarn, "apiserver: bootstrap was refused", kv("error", error.message));
    owner_.written(there);
  }
  void close() override {}

 private:
  Bootstrap& owner_;
};

Bootstrap::Bootstrap(Parts& parts) : parts_(parts), timer_(parts.clock.timer(*this)) {}

Bootstrap::~Bootstrap() {
  if (write_ && write_->waiting) parts_.store.forget(*write_);
}

void Bootstrap::start() {
  for (const std::string_view name : kNamespaces) {
    steps_.push_back({&api::kNamespace, "", std::string(name), namespace_body(name), false});
  }
  const Address server = split_address(parts_.options.server_address);
  const std::string service = service_body(parts_.addresses.first().text(), server.port);
  steps_.push_back({&api::kService, "default", "kubernetes", service, false});
  // An address that no Pod could reach (a server that listens on loopback only) is no endpoint.
  const std::optional<Ip4> ip = parse_ip4(server.host);
  if (ip && (ip->value >> 24) != 127) {
    steps_.push_back({&api::kEndpointSlice, "default", "kubernetes", slice_body(server), true});
    steps_.push_back({&api::kEndpoints, "default", "kubernetes", endpoints_body(server), true});
  }
  timer_->arm(parts_.clock.now());
}

void Bootstrap::next() {
  while (!steps_.empty()) {
    const Step& step = steps_.front();
    const bool there = static_cast<bool>(parts_.store.get(*step.kind, step.ns, step.name));
    if (there && !step.update) {
      steps_.pop_front();
      continue;
    }
    write_ = std::make_unique<Write>(*this, parts_);
    Request& request = write_->request;
    request.target = Target::kObjects;
    request.verb = there ? Verb::kUpdate : Verb::kCreate;
    request.kind = step.kind;
    request.group = std::string(step.kind->group);
    request.version = std::string(step.kind->version);
    request.resource = std::string(step.kind->plural);
    request.ns = step.ns;
    if (there) request.name = step.name;
    request.http.body = step.body;
    request.user = {"system:apiserver", "", {"system:masters"}, {}};
    return parts_.pipeline.start_trusted(*write_);
  }
  parts_.pages.set_ready(true);
}

// Called from inside the exchange: the next step waits for the timer.
void Bootstrap::written(bool good) {
  if (good) steps_.pop_front();
  timer_->arm(parts_.clock.now() + (good ? Duration{} : seconds(1)));
}

}  // namespace coracle::apiserver
