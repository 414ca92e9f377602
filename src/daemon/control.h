// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's local socket, <run-dir>/coracle.sock, for commands that only make sense on this
// machine (images). Mode 0600: whoever opens it is root. One JSON line each way:
// {"words":["image","load","/x.tar"]} -> {"ok":true,"text":"..."}.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "port/linux/machine.h"
#include "port/net.h"

namespace coracle::daemon {

std::string control_path(const std::string& run_dir);

// Answers commands, later or at once, by answer(token, ...).
class ControlSite {
 public:
  virtual void on_command(uint64_t token, const std::vector<std::string>& words) = 0;

 protected:
  ~ControlSite() = default;
};

class ControlServer final : port::Acceptor {
 public:
  explicit ControlServer(ControlSite& site);
  ~ControlServer();
  Result<> listen(port::Network& network, const std::string& path);
  void answer(uint64_t token,
              const Result<std::string>& text);  // a client that left is not an error

 private:
  class Conversation;
  void on_accept(std::unique_ptr<port::Stream> stream) override;

  ControlSite& site_;
  std::unique_ptr<port::Listener> listener_;
  std::map<uint64_t, std::unique_ptr<Conversation>> conversations_;
  uint64_t next_token_ = 1;
};

// Asks the daemon and waits. kNotFound: no daemon is listening.
Result<std::string> ask_daemon(port_linux::Machine& machine,
                               const std::string& path,
                               const std::vector<std::string>& words);

}  // namespace coracle::daemon
