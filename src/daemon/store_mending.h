// SPDX-License-Identifier: GPL-2.0-or-later
// A server whose store is damaged (store/damage.h): asks the others to take it back as a new
// member, proving by the cluster's own authority, which only servers hold, that it is one of them.
// Until then it serves nobody; its Pods go on.
#pragma once

#include <memory>
#include <string>

#include "api/client.h"
#include "api/event_recorder.h"
#include "base/result.h"
#include "daemon/identity.h"
#include "daemon/layout.h"
#include "daemon/server_join.h"
#include "port/clock.h"
#include "port/linux/machine.h"
#include "store/store.h"

namespace coracle::daemon {

// As whom to open a new store; the damaged one is set aside. Waits for servers that are away.
Result<store::Joining> replace_store(port_linux::Machine& machine,
                                     const Config& config,
                                     const Layout& layout,
                                     const Identity& identity,
                                     const Error& damage);

// While a server runs: ends it when its store is found to be damaged, and tells of a replaced one
// when that has a vote again.
class StoreMending final : store::StandingListener, port::Alarm {
 public:
  struct Parts {
    port_linux::Machine& machine;
    store::Store& store;
    api::Client& client;
    std::string directory;  // of the store
    std::string node_name;
    Result<>& failure;  // why the server ended
  };
  explicit StoreMending(Parts parts);
  ~StoreMending();

 private:
  void on_standing() override;
  void on_alarm(port::Timer&) override;
  bool tell();  // false: the cluster does not know this server well enough yet

  Parts parts_;
  std::unique_ptr<port::Timer> timer_;  // armed while the store was replaced and nobody was told
  api::EventRecorder recorder_;
};

}  // namespace coracle::daemon
