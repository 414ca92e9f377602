// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/bootstrap.h"

#include <utility>

#include "apiserver/pages.h"
#include "apiserver/pipeline.h"
#include "apiserver/rbac_defaults.h"
#include "apiserver/server.h"
#include "apiserver/service_addresses.h"
#include "base/bytes.h"
#include "base/log.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kNamespaces[] = {"default", "kube-system", "kube-public",
                                            "kube-node-lease"};
constexpr std::pair<std::string_view, std::string_view> kPriorities[] = {
    {"system-node-critical", "2000001000"}, {"system-cluster-critical", "2000000000"}};
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

std::string priority_body(std::string_view name, std::string_view value) {
  return join(
      {"{\"kind\":\"PriorityClass\",\"apiVersion\":\"scheduling.k8s.io/v1\",\"metadata\":{"
       "\"name\":\"",
       name, "\"},\"value\":", value,
       ",\"description\":\"Used for system critical pods that must not be moved.\"}"});
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

// Directories of the nodes, made by the controller of this name; what claims get that ask for
// nothing else.
constexpr std::string_view kLocalPathClass =
    "{\"kind\":\"StorageClass\",\"apiVersion\":\"storage.k8s.io/v1\",\"metadata\":{\"name\":"
    "\"local-path\",\"annotations\":{\"storageclass.kubernetes.io/is-default-class\":\"true\"}},"
    "\"provisioner\":\"coracle.io/local-path\",\"reclaimPolicy\":\"Delete\","
    "\"volumeBindingMode\":\"WaitForFirstConsumer\"}";

// Every node answers at this address itself, so there are no endpoints.
std::string dns_body(std::string_view address) {
  return join(
      {"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"kube-dns\",\"labels\":"
       "{"
       "\"k8s-app\":\"kube-dns\",\"kubernetes.io/cluster-service\":\"true\","
       "\"kubernetes.io/name\":\"CoreDNS\"}},\"spec\":{\"clusterIP\":\"",
       address,
       "\",\"ports\":[{\"name\":\"dns\",\"port\":53,\"protocol\":\"UDP\"},"
       "{\"name\":\"dns-tcp\",\"port\":53,\"protocol\":\"TCP\"}]}}"});
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
  Write(Bootstrap& owner, Parts& parts, Step given)
      : Exchange(parts.pipeline),
        step(std::move(given)),
        owner_(owner) {}
  void reply(Reply) override { owner_.written(*this, true); }
  void fail(const Error& error, std::string_view) override {
    const bool there = error.code == Code::kAlreadyExists;
    if (!there) LOG(kWarn, "apiserver: bootstrap was refused", kv("error", error.message));
    owner_.written(*this, there);
  }
  void close() override {}

  Step step;

 private:
  Bootstrap& owner_;
};

Bootstrap::Bootstrap(Parts& parts) : parts_(parts), timer_(parts.clock.timer(*this)) {}

Bootstrap::~Bootstrap() {
  for (const std::unique_ptr<Write>& write : writes_) {
    if (write->waiting) parts_.store.forget(*write);
  }
}

void Bootstrap::start() {
  for (const std::string_view name : kNamespaces) {
    steps_.push_back({&api::kNamespace, "", std::string(name), namespace_body(name), false});
  }
  for (const auto& [name, value] : kPriorities) {
    steps_.push_back(
        {&api::kPriorityClass, "", std::string(name), priority_body(name, value), false});
  }
  steps_.push_back({&api::kStorageClass, "", "local-path", std::string(kLocalPathClass), false});
  for (DefaultObject& each : rbac_defaults())
    steps_.push_back({each.kind, "", std::move(each.name), std::move(each.body), false});
  const Address server = split_address(parts_.options.server_address);
  const std::string service = service_body(parts_.addresses.first().text(), server.port);
  steps_.push_back({&api::kService, "default", "kubernetes", service, false});
  const std::string& dns = parts_.options.cluster_dns;
  if (!dns.empty())
    steps_.push_back({&api::kService, "kube-system", "kube-dns", dns_body(dns), false});
  // An address that no Pod could reach (a server that listens on loopback only) is no endpoint.
  const std::optional<Ip4> ip = parse_ip4(server.host);
  // Where there are several servers, the leader keeps the list.
  const bool alone = parts_.store.membership().members().size() <= 1;
  if (alone && ip && (ip->value >> 24) != 127) {
    steps_.push_back({&api::kEndpointSlice, "default", "kubernetes", slice_body(server), true});
    steps_.push_back({&api::kEndpoints, "default", "kubernetes", endpoints_body(server), true});
  }
  timer_->arm(parts_.clock.now());
}

// A round of all that is missing; what waits for a namespace of the round is tried in the next.
void Bootstrap::next() {
  if (running_ > 0) return;
  writes_.clear();
  std::deque<Step> later;
  for (Step& step : steps_) {
    const bool there = static_cast<bool>(parts_.store.get(*step.kind, step.ns, step.name));
    if (there && !step.update) continue;
    const bool early = !step.ns.empty() && !parts_.store.get(api::kNamespace, {}, step.ns);
    if (early) {
      later.push_back(std::move(step));
    } else {
      writes_.push_back(std::make_unique<Write>(*this, parts_, std::move(step)));
    }
  }
  steps_ = std::move(later);
  if (writes_.empty() && steps_.empty()) return parts_.pages.set_ready(true);
  running_ = writes_.size();
  if (running_ == 0) timer_->arm(parts_.clock.now() + seconds(1));
  for (const std::unique_ptr<Write>& write : writes_)
    submit(*write);
}

void Bootstrap::submit(Write& write) {
  const Step& step = write.step;
  const bool there = static_cast<bool>(parts_.store.get(*step.kind, step.ns, step.name));
  Request& request = write.request;
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
  parts_.pipeline.start_trusted(write);
}

// Called from inside the exchange: the next round waits for the timer.
void Bootstrap::written(Write& write, bool good) {
  if (!good) steps_.push_back(std::move(write.step));
  --running_;
  failed_ = failed_ || !good;
  if (running_ > 0) return;
  timer_->arm(parts_.clock.now() + (failed_ ? seconds(1) : Duration{}));
  failed_ = false;
}

}  // namespace coracle::apiserver
