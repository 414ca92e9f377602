// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/leader_side.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/log.h"
#include "daemon/agent_identity.h"

namespace coracle::daemon {

namespace {

using apiserver::LocalUser;

constexpr Duration kRetryAfter = seconds(5);
constexpr std::string_view kLeases[] = {"kube-controller-manager", "kube-scheduler"};

std::string slice_body(const std::vector<port::Endpoint>& servers) {
  json::Tree tree;
  const json::Node slice = tree.make_object();
  slice.set("kind", "EndpointSlice");
  slice.set("apiVersion", "discovery.k8s.io/v1");
  slice.object("metadata").set("name", "kubernetes");
  slice.object("metadata").set("namespace", "default");
  slice.object("metadata").object("labels").set("kubernetes.io/service-name", "kubernetes");
  slice.set("addressType", "IPv4");
  for (const port::Endpoint& server : servers) {
    const json::Node endpoint = slice.array("endpoints").append_object();
    endpoint.array("addresses").append(std::string_view(server.host));
    endpoint.object("conditions").set("ready", true);
  }
  const json::Node port = slice.array("ports").append_object();
  port.set("name", "https");
  port.set("port", int64_t{servers.front().port});
  port.set("protocol", "TCP");
  return json::write(slice);
}

std::string endpoints_body(const std::vector<port::Endpoint>& servers) {
  json::Tree tree;
  const json::Node endpoints = tree.make_object();
  endpoints.set("kind", "Endpoints");
  endpoints.set("apiVersion", "v1");
  endpoints.object("metadata").set("name", "kubernetes");
  endpoints.object("metadata").set("namespace", "default");
  endpoints.object("metadata")
      .object("labels")
      .set("endpointslice.kubernetes.io/skip-mirror", "true");
  const json::Node subset = endpoints.array("subsets").append_object();
  for (const port::Endpoint& server : servers)
    subset.array("addresses").append_object().set("ip", std::string_view(server.host));
  const json::Node port = subset.array("ports").append_object();
  port.set("name", "https");
  port.set("port", int64_t{servers.front().port});
  port.set("protocol", "TCP");
  return json::write(endpoints);
}

}  // namespace

LeaderSide::LeaderSide(port_linux::Machine& machine,
                       store::Store& store,
                       apiserver::ApiServer& api,
                       api::Usages& usages,
                       LeaderOptions options)
    : clock_(machine.clock()),
      store_(store),
      options_(std::move(options)),
      controller_client_(api, LocalUser{"system:kube-controller-manager", {}}),
      scheduler_client_(api, LocalUser{"system:kube-scheduler", {}}),
      own_client_(api, LocalUser{"system:apiserver", {"system:masters"}}),
      metrics_(store, usages, clock_),
      controllers_(
          controller_client_, clock_, machine.random(), options_.ca_pem, options_.cluster_cidr),
      scheduler_(scheduler_client_, clock_, machine.random()),
      retry_(clock_.timer(*this)) {
  controllers_.read_zones_from(machine.disk());
  controllers_.read_metrics_from(metrics_);
  for (const scheduler::Profile& profile : options_.profiles)
    scheduler_.add_profile(profile);
}

LeaderSide::~LeaderSide() {
  stop();
  own_client_.forget(*this);
  clock_.cancel_turn_end(*this);
}

void LeaderSide::start() {
  started_ = true;
  store_.membership().listen(*this);
  on_turn_end();
}

void LeaderSide::stop() {
  if (!started_) return;
  started_ = false;
  store_.membership().unlisten(*this);
  controllers_.stop();
  scheduler_.stop();
}

void LeaderSide::on_turn_end() {
  if (!started_) return;
  const bool leads = store_.membership().standing().leading;
  if (leads && !leading_) {
    controllers_.start();
    scheduler_.start();
    published_.clear();
  }
  if (!leads && leading_) {
    LOG(kInfo, "daemon: no longer the leader");
    controllers_.stop();
    scheduler_.stop();
  }
  leading_ = leads;
  if (!leads) return;
  const bool company = store_.membership().members().size() > 1;
  const raft::Term term = store_.membership().standing().term;
  if (company && announced_ != term) {
    announced_ = term;
    LOG(kInfo, "daemon: leads", kv("term", term));
    for (const std::string_view lease : kLeases)
      publish_leader(lease);
  }
  if (company || !published_.empty()) publish_servers();
}

// A lone server's endpoints are made when its API starts.
void LeaderSide::publish_servers() {
  std::vector<std::string> wanted;
  std::vector<port::Endpoint> servers;
  for (const store::Member& member : store_.membership().members()) {
    const Result<port::Endpoint> server = parse_server(member.api_address);
    if (!server || server->host.starts_with("127.")) continue;
    wanted.push_back(member.api_address);
    servers.push_back(*server);
  }
  if (servers.empty() || wanted == published_) return;
  published_ = std::move(wanted);
  write(api::kEndpointSlice, "default", "kubernetes", slice_body(servers));
  write(api::kEndpoints, "default", "kubernetes", endpoints_body(servers));
}

// Written once an election: who reads it wants to know who leads, not that it still does.
void LeaderSide::publish_leader(std::string_view name) {
  const std::string now = rfc3339_micro(clock_.wall());
  json::Tree tree;
  const json::Node lease = tree.make_object();
  lease.set("kind", "Lease");
  lease.set("apiVersion", "coordination.k8s.io/v1");
  lease.object("metadata").set("name", name);
  lease.object("metadata").set("namespace", "kube-system");
  const json::Node spec = lease.object("spec");
  spec.set("holderIdentity", std::string_view(options_.node_name));
  spec.set("leaseDurationSeconds", 3600);
  spec.set("acquireTime", std::string_view(now));
  spec.set("renewTime", std::string_view(now));
  spec.set("leaseTransitions", static_cast<int64_t>(store_.membership().standing().term));
  write(api::kLease, "kube-system", name, json::write(lease));
}

void LeaderSide::write(const api::Kind& kind,
                       std::string_view ns,
                       std::string_view name,
                       std::string body) {
  const bool there = static_cast<bool>(store_.get(kind, ns, name));
  api::Call call;
  call.verb = there ? api::CallVerb::kMergePatch : api::CallVerb::kCreate;
  call.key = {&kind, std::string(ns), std::string(name)};
  call.body = std::move(body);
  own_client_.submit(std::move(call), *this, 0);
}

void LeaderSide::on_answer(uint64_t, Result<api::ObjectRef> answer) {
  if (answer || !leading_) return;
  LOG(kWarn, "daemon: servers not published", kv("why", answer.error().message));
  published_ = {"?"};
  retry_->arm(clock_.now() + kRetryAfter);
}

}  // namespace coracle::daemon
