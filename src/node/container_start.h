// SPDX-License-Identifier: GPL-2.0-or-later
// Everything between "this container shall start" and the order to the sandbox: environment, user,
// volumes, files, OCI bundle on disk. Small writes only; nothing is synced.
#pragma once

#include <string>
#include <vector>

#include "api/client.h"
#include "base/result.h"
#include "json/tree.h"
#include "node/images.h"
#include "node/record.h"
#include "node/spec.h"
#include "node/surroundings.h"
#include "node/volumes.h"
#include "port/sandbox.h"

namespace coracle::node {

struct StartContext {
  Surroundings& around;
  json::Node pod;
  const ContainerSpec& container;
  const PodRecord& record;
  const Image& image;
  const Place& place;
  const std::vector<TokenText>& tokens;
  std::string id;  // "<name>-<attempt>"
  int64_t attempt = 0;
  int64_t sandbox_pid = 0;
};

// The error's message is that of CreateContainerConfigError.
Result<port::ContainerStart> prepare_container(const StartContext& context);

// What the pod shares, before the first container: hosts, hostname, resolv.conf.
Result<> write_pod_files(Surroundings& around,
                         json::Node pod,
                         const PodRecord& record,
                         const Place& place);

std::string bundle_path(const Surroundings& around, const std::string& uid, const std::string& id);
std::string log_path(const Surroundings& around,
                     const std::string& uid,
                     const std::string& container,
                     int64_t attempt);
std::string termination_path(const Surroundings& around,
                             const std::string& uid,
                             const std::string& id);
std::string shm_path(const Surroundings& around, const std::string& uid);

}  // namespace coracle::node
