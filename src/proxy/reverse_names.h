// SPDX-License-Identifier: GPL-2.0-or-later
// Who has an address: Services by their cluster IP, endpoints of EndpointSlices. Made when somebody
// asks for the first time and kept from then on: most clusters are never asked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/client.h"
#include "base/ip.h"

namespace coracle::proxy {

class ReverseNames final : api::Feed {
 public:
  explicit ReverseNames(api::Client& client) : client_(client) {}
  ~ReverseNames();
  ReverseNames(const ReverseNames&) = delete;
  ReverseNames& operator=(const ReverseNames&) = delete;

  // "web.default.svc", or "web-0.web.default.svc" of endpoints; at most a few dozen.
  std::vector<std::string> names_of(Ip4 address);

 private:
  void on_change(const api::Change& change) override;
  void build();
  void add(const api::ObjectRef& object);
  void remove(const api::ObjectRef& object);

  api::Client& client_;
  bool built_ = false;
  std::multimap<uint32_t, api::Key> owners_;
};

// The name of an endpoint inside its Service: its hostname, or its address with dashes.
std::string endpoint_name(json::Node endpoint, Ip4 address);

}  // namespace coracle::proxy
