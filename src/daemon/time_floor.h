// SPDX-License-Identifier: GPL-2.0-or-later
// The time that has certainly passed, kept in a file: a board without a battery for its clock boots
// in 1970, and its certificates and tokens are then judged by what it knew before.
#pragma once

#include <memory>
#include <string>

#include "port/clock.h"
#include "port/disk.h"

namespace coracle::daemon {

class TimeFloor final : private port::Alarm {
 public:
  // Raises the clock's floor to what the file says; from then on the lane writes it now and then.
  TimeFloor(std::string path, port::Clock& clock, port::Disk& disk, port::Lane& lane);

 private:
  void on_alarm(port::Timer& timer) override;

  const std::string path_;
  port::Clock& clock_;
  port::Disk& disk_;
  port::Lane& lane_;
  std::unique_ptr<port::Timer> timer_;
};

}  // namespace coracle::daemon
