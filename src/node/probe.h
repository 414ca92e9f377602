// SPDX-License-Identifier: GPL-2.0-or-later
// One probe of one running container: its timer, its attempts over TCP or HTTP, its thresholds
// (upstream pkg/kubelet/prober). Exists only while the container runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "json/tree.h"
#include "port/clock.h"
#include "port/net.h"

namespace coracle::node {

enum class ProbeType : uint8_t { kStartup, kReadiness, kLiveness };
std::string_view probe_name(ProbeType type);   // "Readiness", as events say it
std::string_view probe_field(ProbeType type);  // "readinessProbe"

class ProbeListener {
 public:
  // The verdict changed by the thresholds; the first one always comes.
  virtual void on_probe(size_t container, ProbeType type, bool healthy) = 0;
  virtual void on_probe_failure(size_t container, ProbeType type, std::string_view why) = 0;

 protected:
  ~ProbeListener() = default;
};

// One GET or connect, also used for preStop hooks. Destroying it gives up.
class Attempt final : port::StreamEvents, port::Alarm {
 public:
  class Done {
   public:
    virtual void on_attempt(bool ok, std::string_view why) = 0;  // may destroy the attempt

   protected:
    ~Done() = default;
  };
  struct Target {
    port::Endpoint endpoint;
    std::string url;      // for messages; empty: only connect
    std::string request;  // bytes to send; empty: only connect
  };
  Attempt(port::Network& network, port::Clock& clock, Target target, Duration timeout, Done& done);

 private:
  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_closed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void finish(bool ok, std::string_view why);

  Target target_;
  Done& done_;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<port::Stream> stream_;
  std::string head_;
  bool connected_ = false;
};

// From httpGet or tcpSocket; `container` resolves named ports. `ip`: the pod's, unless the action
// names a host.
Attempt::Target attempt_target(json::Node action, json::Node container, std::string_view ip);

struct ProbePlace {
  size_t container = 0;
  ProbeType type = ProbeType::kReadiness;
  std::string ip;
};

class Probe final : Attempt::Done, port::Alarm {
 public:
  Probe(port::Network& network,
        port::Clock& clock,
        json::Node container,
        ProbePlace place,
        ProbeListener& listener);
  ProbeType type() const { return place_.type; }
  size_t container() const { return place_.container; }

 private:
  void on_alarm(port::Timer& timer) override;
  void on_attempt(bool ok, std::string_view why) override;

  port::Network& network_;
  port::Clock& clock_;
  ProbePlace place_;
  ProbeListener& listener_;
  Attempt::Target target_;
  Duration period_;
  Duration timeout_;
  int64_t successes_needed_;
  int64_t failures_needed_;
  int64_t run_ = 0;  // > 0: successes in a row, < 0: failures
  int verdict_ = 0;  // 0: none yet
  std::unique_ptr<Attempt> attempt_;
  std::unique_ptr<port::Timer> timer_;
};

}  // namespace coracle::node
