// SPDX-License-Identifier: GPL-2.0-or-later
// Which node ports Services have. A port belongs to one Service, which may use it for several
// protocols.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "json/tree.h"
#include "port/random.h"

namespace coracle::apiserver {

inline constexpr int64_t kNodePortFirst = 30'000;
inline constexpr int64_t kNodePortLast = 32'767;

class NodePorts {
 public:
  explicit NodePorts(port::Random& random) : random_(random) {}

  // Gives a port to each port of a Service that needs one. True: some are taken from now on, until
  // settle() says what came of it.
  Result<bool> fill(json::Node service, const std::string& owner);
  // `service` is what is stored of the owner; null: nothing. Its ports are its own, all others that
  // it had are free.
  void settle(const std::string& owner, json::Node service);

 private:
  Result<bool> fill_port(json::Node service, size_t index, const std::string& owner);
  Result<int64_t> take_free(json::Node service, const std::string& path, const std::string& owner);

  port::Random& random_;
  std::map<int64_t, std::string> owners_;  // bounded by the range
};

}  // namespace coracle::apiserver
