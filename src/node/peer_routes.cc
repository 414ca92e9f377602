// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/peer_routes.h"

#include "base/log.h"

namespace coracle::node {

namespace {

constexpr Duration kRetryAfter = seconds(10);

std::optional<Ip4> internal_ip(json::Node node) {
  for (const json::Node address : node["status"]["addresses"]) {
    if (address["type"].string() == "InternalIP") return parse_ip4(address["address"].string());
  }
  return std::nullopt;
}

}  // namespace

PeerRoutes::PeerRoutes(api::Client& client,
                       port::Clock& clock,
                       port::Links& links,
                       std::string own_name)
    : client_(client),
      clock_(clock),
      links_(links),
      own_name_(std::move(own_name)),
      retry_(clock.timer(*this)) {}

PeerRoutes::~PeerRoutes() {
  if (started_) client_.unsubscribe(*this);
  clock_.cancel_turn_end(*this);
}

void PeerRoutes::start() {
  started_ = true;
  client_.subscribe(*this);
  const Result<std::vector<Cidr4>> present = links_.routes_via_gateways();
  for (const Cidr4& route : present ? *present : std::vector<Cidr4>())
    routes_[route] = Ip4();  // of before: its gateway is not known
  clock_.at_turn_end(*this);
}

void PeerRoutes::on_change(const api::Change& change) {
  const api::Object& object = *change.after;
  if (&object.kind() == &api::kNode && object.name() != own_name_) clock_.at_turn_end(*this);
}

std::map<Cidr4, Ip4> PeerRoutes::wanted() const {
  std::map<Cidr4, Ip4> routes;
  api::for_each(client_.state(), api::kNode, {}, [&](const api::ObjectRef& object) {
    if (object->name() == own_name_) return;
    json::Tree tree;
    const json::Node node = object->parse(tree);
    const auto part = parse_cidr4(node["spec"]["podCIDR"].string());
    const auto gateway = internal_ip(node);
    const bool loopback = gateway && gateway->value >> 24 == 127;
    if (part && gateway && !loopback) routes[{part->network(), part->prefix}] = *gateway;
  });
  return routes;
}

void PeerRoutes::remove_stale(const std::map<Cidr4, Ip4>& wanted) {
  for (auto at = routes_.begin(); at != routes_.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    if (const Result<> removed = links_.remove_route(at->first); !removed)
      LOG(kWarn, "node: route not removed", kv("why", removed.error().message));
    at = routes_.erase(at);
  }
}

void PeerRoutes::on_turn_end() {
  const std::map<Cidr4, Ip4> goal = wanted();
  remove_stale(goal);
  for (const auto& [part, gateway] : goal) {
    const auto present = routes_.find(part);
    if (present != routes_.end() && present->second == gateway) continue;
    if (const Result<> made = links_.ensure_route_via(part, gateway); made) {
      routes_[part] = gateway;
      continue;
    } else if (!retry_->armed()) {
      LOG(kWarn, "node: no route to the pods of another node", kv("pods", part.text()),
          kv("via", gateway.text()), kv("why", made.error().message));
    }
    retry_->arm(clock_.now() + kRetryAfter);
  }
}

}  // namespace coracle::node
