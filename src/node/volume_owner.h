// SPDX-License-Identifier: GPL-2.0-or-later
// Gives the volumes of a pod's claims to its fsGroup, as upstream pkg/volume/volume_linux.go: the
// group owns all files and may read and write them, new ones inherit it. Walks on the unpack lane.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/bound_job.h"
#include "node/claims.h"
#include "port/disk.h"

namespace coracle::node {

class OwnerListener {
 public:
  virtual void on_owned(const std::string& volume, const Result<>& outcome) = 0;

 protected:
  ~OwnerListener() = default;
};

class VolumeOwner {
 public:
  VolumeOwner(port::Disk& disk, port::Lane& lane, OwnerListener& listener)
      : disk_(disk),
        lane_(lane),
        listener_(listener) {}

  // True when all of them are done; else on_owned() tells of each.
  bool ensure(const VolumeContext& context);

 private:
  class Walk;
  port::Disk& disk_;
  port::Lane& lane_;
  OwnerListener& listener_;
  std::vector<std::string> done_;  // names of volumes
  std::vector<std::string> under_way_;
  BoundJobs jobs_;
};

}  // namespace coracle::node
