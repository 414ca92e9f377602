// SPDX-License-Identifier: GPL-2.0-or-later
// Which addresses of the Service CIDR are taken. Rebuilt from the store at start; the store's
// changes keep it right afterwards. An address is reserved from the moment a Service is proposed,
// so two proposals never share one.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "api/client.h"
#include "api/errors.h"
#include "apiserver/node_ports.h"
#include "base/ip.h"
#include "json/tree.h"
#include "port/random.h"
#include "store/store.h"

namespace coracle::apiserver {

class ServiceAddresses final : public api::Feed {
 public:
  ServiceAddresses(store::Store& store, port::Random& random, Cidr4 range);
  ~ServiceAddresses();
  ServiceAddresses(const ServiceAddresses&) = delete;
  ServiceAddresses& operator=(const ServiceAddresses&) = delete;

  void load();                                                // once the store is ready
  Ip4 first() const { return {range_.network().value + 1}; }  // default/kubernetes
  Ip4 dns() const { return {range_.network().value + 10}; }   // kube-system/kube-dns

  // Fills in clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy and node ports of a Service.
  // `reserved` is set if something was taken for it: give it back with release() if the write
  // fails. `old` may be a null Node.
  Result<> fill(json::Node service, json::Node old, std::string& reserved);
  void release(std::string_view reserved, std::string_view owner);
  bool owned_by(std::string_view address, std::string_view owner) const;

 private:
  void on_change(const api::Change& change) override;
  Result<> fill_address(json::Node service, json::Node old, std::string& reserved);
  void settle_ports(const std::string& owner);
  Result<std::string> take_free(std::string_view owner);
  Result<> take(std::string_view address, std::string_view owner, json::Node service);

  store::Store& store_;
  port::Random& random_;
  const Cidr4 range_;
  NodePorts node_ports_;
  std::unordered_map<uint32_t, std::string> owners_;  // never iterated; bounded by the CIDR
};

}  // namespace coracle::apiserver
