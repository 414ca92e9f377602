// SPDX-License-Identifier: GPL-2.0-or-later
// The volumes of one pod (those of claims: claims.h): directories and files made before its
// sandbox, kept up to date while it runs, and where a container's volumeMounts come from. emptyDir
// lies in the data directory; what comes from the API (ConfigMap, Secret, downward API, tokens) in
// the run directory, which is in memory on a device.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "base/result.h"
#include "json/tree.h"
#include "node/downward.h"
#include "node/environment.h"
#include "port/disk.h"
#include "port/sandbox.h"

namespace coracle::node {

// A service account token that a projected volume asks for.
struct TokenWanted {
  std::string audience;
  int64_t expiration_seconds = 3607;
  friend bool operator==(const TokenWanted&, const TokenWanted&) = default;
};

struct TokenText {
  TokenWanted wanted;
  std::string text;
};

struct VolumeContext {
  json::Node pod;
  const api::State& state;
  port::Disk& disk;
  std::string data_directory;  // of this pod
  std::string run_directory;   // of this pod
  const Place& place;
  const std::vector<TokenText>& tokens;
  Wall now;
  bool is_running = false;  // volumes of claims stay as they were mounted
};

std::vector<TokenWanted> tokens_wanted(json::Node pod);
// Whether a change of this object can change a volume or make a waiting pod startable.
bool refers_to(json::Node pod, const api::Kind& kind, std::string_view name);

// Makes what is missing and updates what changed. The error is the message of FailedMount.
Result<> prepare_volumes(const VolumeContext& context);
// tmpfs mounts of the sandbox: emptyDir with medium Memory. Their targets exist after
// prepare_volumes.
std::vector<port::SandboxMount> memory_volumes(const VolumeContext& context);

Result<> check_host_path(const VolumeContext& context, json::Node host_path);

struct BindMount {
  std::string source;
  std::string target;
  bool read_only = false;
  std::string propagation = "rprivate";
  // Not empty: what lies there beneath `source` is meant, found without leaving it (subPath).
  std::string sub_path = {};
  bool is_file = false;  // and what it is
};
// A container's volumeMounts. The error is the message of CreateContainerConfigError.
Result<std::vector<BindMount>> container_volumes(const VolumeContext& context,
                                                 json::Node container,
                                                 const Variables& variables);

}  // namespace coracle::node
