// SPDX-License-Identifier: GPL-2.0-or-later
// What all pods of one agent share. Owned by the Agent, which outlives its pods.
#pragma once

#include <string>

#include "api/client.h"
#include "api/event_recorder.h"
#include "node/addresses.h"
#include "node/cgroups.h"
#include "node/images.h"
#include "node/machine.h"
#include "node/options.h"
#include "port/clock.h"
#include "port/disk.h"
#include "port/links.h"
#include "port/net.h"
#include "port/random.h"
#include "port/sandbox.h"

namespace coracle::node {

struct AgentPorts {
  port::Clock& clock;
  port::Disk& disk;
  port::Random& random;
  port::Links& links;
  port::Sandboxes& sandboxes;
  port::Lane& unpack;
  port::Network& network;
};

class PodHost {
 public:
  virtual void on_pod_over() = 0;  // a pod's removed() became true

 protected:
  ~PodHost() = default;
};

struct Surroundings {
  api::Client& client;
  AgentPorts ports;
  AgentOptions options;
  Machine machine;
  std::string node_ip;
  Images& images;
  Cgroups& cgroups;
  Addresses& addresses;
  api::EventRecorder& events;
  PodHost& host;

  std::string pod_directory(const std::string& uid) const {
    return options.data_directory + "/pods/" + uid;
  }
  std::string pod_run_directory(const std::string& uid) const {
    return options.run_directory + "/pods/" + uid;
  }
};

// Removes a directory on the unpack lane; a container may have filled it.
void remove_later(port::Lane& lane, port::Disk& disk, std::string path);

}  // namespace coracle::node
