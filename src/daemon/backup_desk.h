// SPDX-License-Identifier: GPL-2.0-or-later
// Answers `coracle backup`: pulls the store's backup piece by piece and has a lane write it, so
// that the loop never waits for the disk. One backup at a time. The file is there whole, or not at
// all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/control.h"
#include "port/disk.h"
#include "store/store.h"

namespace coracle::daemon {

class BackupDesk final {
 public:
  BackupDesk(ControlServer& control, port::Disk& disk) : control_(control), disk_(disk) {}
  ~BackupDesk() { close(); }
  BackupDesk(const BackupDesk&) = delete;
  BackupDesk& operator=(const BackupDesk&) = delete;

  void open(store::Store& store, port::Lane& lane);
  void close();  // before the store is destroyed
  bool take(uint64_t token, const std::vector<std::string>& words);  // false: not about backups

 private:
  struct Run;
  class WriteJob;
  void go_on(std::unique_ptr<Run> run);
  void end(const Run& run, Result<> result);

  ControlServer& control_;
  port::Disk& disk_;
  store::Store* store_ = nullptr;
  port::Lane* lane_ = nullptr;
  WriteJob* writing_ = nullptr;
};

}  // namespace coracle::daemon
