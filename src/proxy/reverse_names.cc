// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/reverse_names.h"

#include <algorithm>

#include "base/bytes.h"
#include "json/tree.h"

namespace coracle::proxy {
namespace {

constexpr size_t kNamesMax = 32;  // of one address
constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

std::vector<uint32_t> addresses_of(const api::Object& object) {
  std::vector<uint32_t> addresses;
  json::Tree tree;
  const json::Node root = object.parse(tree);
  const auto note = [&addresses](std::string_view text) {
    if (const auto address = parse_ip4(text)) addresses.push_back(address->value);
  };
  if (&object.kind() == &api::kService) note(root["spec"]["clusterIP"].string());
  for (const json::Node endpoint : root["endpoints"])
    note(endpoint["addresses"].at(0).string());
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

bool is_ours(const api::Object& object) {
  return &object.kind() == &api::kService || &object.kind() == &api::kEndpointSlice;
}

void add_endpoint_names(const api::Object& slice, Ip4 wanted, std::vector<std::string>& names) {
  json::Tree tree;
  const json::Node root = slice.parse(tree);
  const std::string_view service = root["metadata"]["labels"][kServiceNameLabel].string();
  if (service.empty()) return;
  for (const json::Node endpoint : root["endpoints"]) {
    if (!endpoint["conditions"]["ready"].boolean(true)) continue;
    if (parse_ip4(endpoint["addresses"].at(0).string()) != wanted) continue;
    names.push_back(join({endpoint_name(endpoint, wanted), ".", service, ".", slice.ns(), ".svc"}));
  }
}

}  // namespace

std::string endpoint_name(json::Node endpoint, Ip4 address) {
  std::string name(endpoint["hostname"].string());
  if (!name.empty()) return name;
  name = address.text();
  std::replace(name.begin(), name.end(), '.', '-');
  return name;
}

ReverseNames::~ReverseNames() {
  if (built_) client_.unsubscribe(*this);
}

void ReverseNames::build() {
  built_ = true;
  client_.subscribe(*this);
  for (const api::Kind* kind : {&api::kService, &api::kEndpointSlice})
    api::for_each(client_.state(), *kind, {}, [this](const api::ObjectRef& each) { add(each); });
}

void ReverseNames::add(const api::ObjectRef& object) {
  for (const uint32_t address : addresses_of(*object))
    owners_.emplace(
        address, api::Key{&object->kind(), std::string(object->ns()), std::string(object->name())});
}

void ReverseNames::remove(const api::ObjectRef& object) {
  const api::Key key{&object->kind(), std::string(object->ns()), std::string(object->name())};
  for (const uint32_t address : addresses_of(*object)) {
    auto [at, end] = owners_.equal_range(address);
    while (at != end)
      at = at->second == key ? owners_.erase(at) : std::next(at);
  }
}

void ReverseNames::on_change(const api::Change& change) {
  if (!is_ours(*change.after)) return;
  if (change.before) remove(change.before);
  if (change.type != api::ChangeType::kDeleted) add(change.after);
}

// As CoreDNS does: a Service's own address names the Service, any other its endpoints.
std::vector<std::string> ReverseNames::names_of(Ip4 address) {
  if (!built_) build();
  std::vector<std::string> services;
  std::vector<std::string> endpoints;
  const auto [first, last] = owners_.equal_range(address.value);
  for (auto at = first; at != last; ++at) {
    const api::Key& key = at->second;
    const api::ObjectRef object = client_.state().get(*key.kind, key.ns, key.name);
    if (!object) continue;
    if (key.kind == &api::kService)
      services.push_back(join({key.name, ".", key.ns, ".svc"}));
    else
      add_endpoint_names(*object, address, endpoints);
    if (services.size() + endpoints.size() >= kNamesMax) break;
  }
  return services.empty() ? endpoints : services;
}

}  // namespace coracle::proxy
