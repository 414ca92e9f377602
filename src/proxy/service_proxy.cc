// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/service_proxy.h"

#include <algorithm>
#include <list>

#include "base/log.h"
#include "json/tree.h"
#include "proxy/plan.h"

namespace coracle::proxy {

namespace {

constexpr Duration kRetryAfter = seconds(5);

}  // namespace

ServiceProxy::ServiceProxy(api::Client& client,
                           port::Clock& clock,
                           port::PacketFilter& filter,
                           ProxyOptions options)
    : client_(client),
      clock_(clock),
      filter_(filter),
      options_(std::move(options)),
      retry_(clock.timer(*this)) {}

ServiceProxy::~ServiceProxy() {
  if (started_) client_.unsubscribe(*this);
  clock_.cancel_turn_end(*this);
}

void ServiceProxy::start() {
  started_ = true;
  client_.subscribe(*this);
  slices_.load(client_.state());
  api::for_each(client_.state(), api::kService, {}, [this](const api::ObjectRef& service) {
    mark({std::string(service->ns()), std::string(service->name())});
  });
  clock_.at_turn_end(*this);  // also with no Service at all: the table must exist
}

void ServiceProxy::on_change(const api::Change& change) {
  const api::Object& object = *change.after;
  if (&object.kind() == &api::kService) {
    mark({std::string(object.ns()), std::string(object.name())});
    return;
  }
  if (&object.kind() != &api::kEndpointSlice) return;
  SliceIndex::Touched touched = slices_.take(change);
  if (!touched.before.name.empty()) mark(std::move(touched.before));
  if (!touched.after.name.empty()) mark(std::move(touched.after));
}

void ServiceProxy::mark(ServiceName service) {
  dirty_.insert(std::move(service));
  clock_.at_turn_end(*this);
}

void ServiceProxy::on_turn_end() {
  plan_dirty();
  apply();
}

void ServiceProxy::on_alarm(port::Timer&) {
  apply();
}

void ServiceProxy::plan_dirty() {
  for (const ServiceName& name : dirty_) {
    const api::ObjectRef service = client_.state().get(api::kService, name.ns, name.name);
    if (!service) {
      planned_.erase(name);
      continue;
    }
    json::Tree service_tree;
    std::list<json::Tree> trees;
    std::vector<json::Node> nodes;
    if (const std::set<std::string>* of_service = slices_.slices_of(name)) {
      for (const std::string& slice_name : *of_service) {
        const api::ObjectRef slice = client_.state().get(api::kEndpointSlice, name.ns, slice_name);
        if (slice) nodes.push_back(slice->parse(trees.emplace_back()));
      }
    }
    planned_[name] = plan_service(service->parse(service_tree), nodes, options_.node_name);
  }
  dirty_.clear();
}

void ServiceProxy::apply() {
  port::Ruleset ruleset;
  ruleset.service_cidr = options_.service_cidr;
  ruleset.pod_cidr = options_.pod_cidr;
  ruleset.services = options_.own;  // the first of an address and port wins
  for (const auto& [name, services] : planned_) {
    ruleset.services.insert(ruleset.services.end(), services.begin(), services.end());
  }
  const auto by_address = [](const port::VirtualService& a, const port::VirtualService& b) {
    return a.at < b.at;
  };
  const auto same_address = [](const port::VirtualService& a, const port::VirtualService& b) {
    return a.at == b.at;
  };
  std::stable_sort(ruleset.services.begin(), ruleset.services.end(), by_address);
  ruleset.services.erase(
      std::unique(ruleset.services.begin(), ruleset.services.end(), same_address),
      ruleset.services.end());
  const Result<> applied = filter_.apply(ruleset);
  if (applied) {
    retry_->disarm();
    return;
  }
  LOG(kError, "proxy: rules not applied", kv("error", applied.error().message));
  retry_->arm(clock_.now() + kRetryAfter);
}

}  // namespace coracle::proxy
