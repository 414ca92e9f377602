// SPDX-License-Identifier: GPL-2.0-or-later
// One attempt at what a probe or a lifecycle hook asks for: a connection, an HTTP or HTTPS request,
// a gRPC health check, a command in the container (upstream pkg/probe, pkg/kubelet/lifecycle).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/tree.h"
#include "port/clock.h"
#include "port/net.h"
#include "port/random.h"
#include "port/sandbox.h"

namespace coracle::node {

enum class Way : uint8_t { kConnect, kHttp, kHttps, kGrpc, kCommand };

// What is to be done, read once from a probe or a handler.
struct Deed {
  Way way = Way::kConnect;
  port::Endpoint endpoint;
  std::string url;  // of HTTP and HTTPS, for messages
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;  // names as they were given
  std::string service;                                       // of gRPC
  std::vector<std::string> words;                            // of a command
};

// `container` resolves named ports. `ip`: the pod's, unless the action names a host.
Deed read_deed(json::Node action, json::Node container, std::string_view ip);

class CommandRunner {
 public:
  virtual Result<std::unique_ptr<port::Command>> run_in(size_t container,
                                                        const std::vector<std::string>& words,
                                                        port::CommandEvents& events) = 0;

 protected:
  ~CommandRunner() = default;
};

struct AttemptPlace {
  port::Network& network;
  port::Clock& clock;
  port::Random& random;
  CommandRunner& runner;
  size_t container = 0;
};

// Destroying it gives up.
class Attempt {
 public:
  class Done {
   public:
    virtual void on_attempt(bool ok, std::string_view why) = 0;  // may destroy the attempt

   protected:
    ~Done() = default;
  };
  virtual ~Attempt() = default;
};

std::unique_ptr<Attempt> begin_attempt(const AttemptPlace& place,
                                       const Deed& deed,
                                       Duration timeout,
                                       Attempt::Done& done);

// What begin_attempt() chooses from.
std::unique_ptr<Attempt> plain_attempt(const AttemptPlace& place,
                                       const Deed& deed,
                                       Duration timeout,
                                       Attempt::Done& done);
std::unique_ptr<Attempt> https_attempt(const AttemptPlace& place,
                                       const Deed& deed,
                                       Duration timeout,
                                       Attempt::Done& done);
std::unique_ptr<Attempt> grpc_attempt(const AttemptPlace& place,
                                      const Deed& deed,
                                      Duration timeout,
                                      Attempt::Done& done);
std::unique_ptr<Attempt> command_attempt(const AttemptPlace& place,
                                         const Deed& deed,
                                         Duration timeout,
                                         Attempt::Done& done);

// Upstream takes 200 to 399 as healthy.
inline bool is_healthy(uint64_t status) {
  return status >= 200 && status < 400;
}

}  // namespace coracle::node
