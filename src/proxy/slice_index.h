// SPDX-License-Identifier: GPL-2.0-or-later
// Which EndpointSlices belong to a Service: the label kubernetes.io/service-name, which State
// cannot look up. Kept by ServiceProxy, read by the cluster DNS too.
#pragma once

#include <map>
#include <set>
#include <string>

#include "api/client.h"

namespace coracle::proxy {

struct ServiceName {
  std::string ns;
  std::string name;
  friend auto operator<=>(const ServiceName&, const ServiceName&) = default;
};

class SliceIndex {
 public:
  void load(const api::State& state);
  // Of an EndpointSlice. The Services that it belonged and belongs to; names may be empty: to none.
  struct Touched {
    ServiceName before;
    ServiceName after;
  };
  Touched take(const api::Change& change);
  // Null: none.
  const std::set<std::string>* slices_of(const ServiceName& service) const;

 private:
  void drop(const ServiceName& service, std::string_view slice);
  std::map<ServiceName, std::set<std::string>> slices_;
};

}  // namespace coracle::proxy
