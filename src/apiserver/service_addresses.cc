// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/service_addresses.h"

#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr int kRandomTries = 64;
constexpr std::string_view kOnlyPorts = "ports";  // reserved, but no address

std::string owner_of(json::Node service) {
  return join(
      {service["metadata"]["namespace"].string(), "/", service["metadata"]["name"].string()});
}

std::string address_of(const api::ObjectRef& object) {
  if (!object) return {};
  json::Tree tree;
  return std::string(object->parse(tree)["spec"]["clusterIP"].string());
}

Error refuse(json::Node service, std::string_view address, std::string_view why) {
  api::Errors errors;
  errors.invalid("spec.clusterIPs", address, why);
  return errors.to_error("Service", service["metadata"]["name"].string());
}

void fill_families(json::Node spec, std::string_view address) {
  spec.set("clusterIP", address);
  const json::Node all = spec.array("clusterIPs");
  if (all.size() == 0) all.append(address);
  const json::Node families = spec.array("ipFamilies");
  if (families.size() == 0) families.append("IPv4");
  if (!spec["ipFamilyPolicy"]) spec.set("ipFamilyPolicy", "SingleStack");
}

}  // namespace

ServiceAddresses::ServiceAddresses(store::Store& store, port::Random& random, Cidr4 range)
    : store_(store),
      random_(random),
      range_(range),
      node_ports_(random) {
  store_.subscribe(*this);
}

ServiceAddresses::~ServiceAddresses() {
  store_.unsubscribe(*this);
}

void ServiceAddresses::load() {
  api::for_each(store_, api::kService, {}, [this](const api::ObjectRef& object) {
    const std::optional<Ip4> address = parse_ip4(address_of(object));
    const std::string owner = join({object->ns(), "/", object->name()});
    if (address) owners_[address->value] = owner;
    settle_ports(owner);
  });
}

Result<> ServiceAddresses::fill(json::Node service, json::Node old, std::string& reserved) {
  TRY(fill_address(service, old, reserved));
  const std::string owner = owner_of(service);
  const Result<bool> took = node_ports_.fill(service, owner);
  if (!took) settle_ports(owner);
  if (!took) return took.error();
  if (*took && reserved.empty()) reserved = kOnlyPorts;
  return {};
}

Result<> ServiceAddresses::fill_address(json::Node service, json::Node old, std::string& reserved) {
  const json::Node spec = service["spec"];
  if (spec["type"].string() == "ExternalName") return {};
  std::string wanted(spec["clusterIP"].string(spec["clusterIPs"].at(0).string()));
  // An update that leaves the address out keeps the one it has (registry/core/service/storage).
  const json::Node before = old["spec"]["clusterIP"];
  if (wanted.empty() && before && old["spec"]["type"].string() != "ExternalName") {
    wanted = std::string(before.string());
    spec.set("clusterIPs", old["spec"]["clusterIPs"]);
  }
  if (wanted == "None") {
    fill_families(spec, wanted);
    return {};
  }
  const std::string owner = owner_of(service);
  if (wanted.empty()) {
    wanted = TRY(take_free(owner));
    reserved = wanted;
  } else if (!owned_by(wanted, owner)) {
    TRY(take(wanted, owner, service));
    reserved = wanted;
  }
  fill_families(spec, wanted);
  return {};
}

Result<> ServiceAddresses::take(std::string_view text, std::string_view owner, json::Node service) {
  const std::optional<Ip4> address = parse_ip4(text);
  if (!address) return refuse(service, text, "must be a valid IP address");
  if (!range_.contains(*address)) {
    return refuse(service, text,
                  join({"failed to allocate IP ", text,
                        ": the provided network does not match the current range"}));
  }
  const uint32_t offset = address->value - range_.network().value;
  if (offset == 0 || address->value == (range_.network().value | ~range_.mask())) {
    return refuse(service, text, join({"failed to allocate IP ", text, ": not a host address"}));
  }
  if (!owners_.try_emplace(address->value, owner).second) {
    return refuse(service, text,
                  join({"failed to allocate IP ", text, ": provided IP is already allocated"}));
  }
  return {};
}

// .1 and .10 are kept for the two Services that clients find by habit.
Result<std::string> ServiceAddresses::take_free(std::string_view owner) {
  const uint32_t hosts = ~range_.mask() - 1;  // without network and broadcast
  const auto try_at = [&](uint32_t offset) {
    const Ip4 address{range_.network().value + 1 + offset % hosts};
    if (address == first() || address == dns()) return std::string();
    const bool taken = !owners_.try_emplace(address.value, owner).second;
    return taken ? std::string() : address.text();
  };
  for (int tries = 0; tries < kRandomTries; ++tries) {
    std::string found = try_at(static_cast<uint32_t>(random_.next()) % hosts);
    if (!found.empty()) return found;
  }
  for (uint32_t offset = 0; offset < hosts; ++offset) {
    std::string found = try_at(offset);
    if (!found.empty()) return found;
  }
  return fail(Code::kInternal, "failed to allocate a serviceIP: range is full");
}

void ServiceAddresses::settle_ports(const std::string& owner) {
  const size_t slash = owner.find('/');
  const api::ObjectRef stored =
      store_.get(api::kService, owner.substr(0, slash), owner.substr(slash + 1));
  json::Tree tree;
  node_ports_.settle(owner, stored ? stored->parse(tree) : json::Node());
}

void ServiceAddresses::release(std::string_view text, std::string_view owner) {
  settle_ports(std::string(owner));
  const std::optional<Ip4> address = parse_ip4(text);
  if (!address) return;
  const auto found = owners_.find(address->value);
  if (found != owners_.end() && found->second == owner) owners_.erase(found);
}

bool ServiceAddresses::owned_by(std::string_view text, std::string_view owner) const {
  const std::optional<Ip4> address = parse_ip4(text);
  if (!address) return false;
  const auto found = owners_.find(address->value);
  return found != owners_.end() && found->second == owner;
}

void ServiceAddresses::on_change(const api::Change& change) {
  if (&change.after->kind() != &api::kService) return;
  const std::string owner = join({change.after->ns(), "/", change.after->name()});
  settle_ports(owner);
  const std::string before = address_of(change.before);
  if (change.type == api::ChangeType::kDeleted) {
    // The name may have been taken again within the turn.
    if (address_of(store_.get(api::kService, change.after->ns(), change.after->name())) != before) {
      release(before, owner);
    }
    return;
  }
  const std::string after = address_of(change.after);
  if (before != after) release(before, owner);
  if (const std::optional<Ip4> address = parse_ip4(after)) {
    owners_.try_emplace(address->value, owner);
  }
}

}  // namespace coracle::apiserver
