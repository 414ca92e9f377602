// SPDX-License-Identifier: GPL-2.0-or-later
// What runs in pods, to talk to: served by the node agent, asked for by the API server's exec,
// attach and portforward subresources.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "base/result.h"
#include "port/net.h"
#include "port/sandbox.h"

namespace coracle::api {

struct PodCommand {
  std::string container;  // a name of the pod; chosen by the API server if the client gave none
  std::vector<std::string> words;  // none: attach to the container itself
  bool input = false;
  bool output = false;
  bool error = false;
  bool terminal = false;
};

class PodStreams {
 public:
  // 400 BadRequest `container not found ("x")` unless it runs.
  virtual Result<> check(const Object& pod, const PodCommand& command) const = 0;
  virtual Result<std::unique_ptr<port::Command>> run(const Object& pod,
                                                     const PodCommand& command,
                                                     port::CommandEvents& events) = 0;
  // To a TCP port within the pod; `events` hear of success and failure.
  virtual Result<std::unique_ptr<port::Stream>> connect(const Object& pod,
                                                        const port::Endpoint& to,
                                                        port::StreamEvents& events) = 0;

 protected:
  ~PodStreams() = default;
};

}  // namespace coracle::api
