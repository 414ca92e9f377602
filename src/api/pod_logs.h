// SPDX-License-Identifier: GPL-2.0-or-later
// Container logs, served by the node agent and asked for by the API server's log subresource.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/object.h"
#include "base/result.h"
#include "base/time.h"

namespace coracle::api {

struct LogOptions {
  std::string container;  // a name of the pod; chosen by the API server if the client gave none
  bool follow = false;
  bool previous = false;  // of the last terminated instance
  bool timestamps = false;
  std::optional<Wall> since;
  std::optional<int64_t> tail_lines;
  std::optional<int64_t> limit_bytes;
};

class LogSink {
 public:
  virtual void on_log(std::string_view bytes) = 0;
  virtual void on_log_end() = 0;  // no more bytes; the stream is over
  // Of a stream that opens later (on another node): once before the first bytes, or the reason why
  // there will be none.
  virtual void on_log_open() {}
  virtual void on_log_failed(const Error& /*why*/) { on_log_end(); }

 protected:
  ~LogSink() = default;
};

// Destroying it ends the stream. At most limits::kListChunkBytes are delivered a turn.
class LogStream {
 public:
  virtual ~LogStream() = default;
  virtual void pause(bool paused) = 0;
  virtual bool opens_later() const { return false; }
};

class PodLogs {
 public:
  // 400 BadRequest: `container "x" in pod "y" is waiting to start: ContainerCreating`,
  // `previous terminated container "x" in pod "y" not found`.
  virtual Result<std::unique_ptr<LogStream>> open(const Object& pod,
                                                  const LogOptions& options,
                                                  LogSink& sink) = 0;

 protected:
  ~PodLogs() = default;
};

}  // namespace coracle::api
