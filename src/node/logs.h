// SPDX-License-Identifier: GPL-2.0-or-later
// A container's log as a paced stream: a chunk a turn, then, when followed, a look every 200 ms
// while the container lives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/pod_logs.h"
#include "node/log_reader.h"
#include "port/clock.h"
#include "port/disk.h"

namespace coracle::node {

struct LogInstance {  // one run of one container
  std::string uid;
  std::string container;
  int64_t attempt = 0;
};

class LogLife {
 public:
  virtual bool may_still_write(const LogInstance& instance) const = 0;

 protected:
  ~LogLife() = default;
};

class LogTail final : public api::LogStream, port::Alarm {
 public:
  LogTail(port::Clock& clock,
          LogReader reader,
          LogInstance instance,
          const LogLife& life,
          bool follow,
          api::LogSink& sink);
  void pause(bool paused) override;

 private:
  void on_alarm(port::Timer& timer) override;
  void deliver(const std::string& text);

  port::Clock& clock_;
  LogReader reader_;
  LogInstance instance_;
  const LogLife& life_;
  bool follow_;
  api::LogSink& sink_;
  bool paused_ = false;
  bool over_ = false;
  std::unique_ptr<port::Timer> timer_;
};

}  // namespace coracle::node
