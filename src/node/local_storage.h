// SPDX-License-Identifier: GPL-2.0-or-later
// Removes the directories of local-path volumes of this node that were deleted, and then the
// finalizer that kept the PersistentVolume; the provisioner (a controller) does the rest. Only
// directories right beneath the node's own storage directory are ever removed.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "api/client.h"
#include "api/event_recorder.h"
#include "node/bound_job.h"
#include "port/clock.h"
#include "port/disk.h"

namespace coracle::node {

struct StoragePorts {
  port::Clock& clock;
  port::Disk& disk;
  port::Lane& lane;
};

class LocalStorage final : api::Caller, port::Alarm {
 public:
  LocalStorage(api::Client& client,
               const StoragePorts& ports,
               api::EventRecorder& events,
               std::string node_name,
               std::string directory);
  ~LocalStorage() { client_.forget(*this); }
  LocalStorage(const LocalStorage&) = delete;
  LocalStorage& operator=(const LocalStorage&) = delete;

  void look(const api::ObjectRef& volume);
  void look_at_all();

 private:
  class Removal;
  bool is_mine(json::Node volume) const;
  void removed(const std::string& name, const Result<>& outcome);
  void release(const std::string& name);
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_alarm(port::Timer& timer) override;

  api::Client& client_;
  StoragePorts ports_;
  api::EventRecorder& events_;
  const std::string node_name_;
  const std::string directory_;
  std::unique_ptr<port::Timer> timer_;
  std::set<std::string> under_way_;  // names of volumes
  BoundJobs jobs_;
};

}  // namespace coracle::node
