// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/watching.h"

#include <algorithm>

#include "base/bytes.h"
#include "tests/bench/watch_bundle.h"

namespace coracle::bench {

namespace {

constexpr Duration kPatience = seconds(60);  // for all of a workload
constexpr std::string_view kWatched = "/api/v1/namespaces/bench-watch/configmaps/watched";
constexpr std::string_view kPods = "/api/v1/namespaces/bench/pods";

http::Request request_of(std::string_view method, std::string path) {
  http::Request request;
  request.method = std::string(method);
  request.path = std::move(path);
  return request;
}

http::Request with_body(std::string_view method, std::string path, std::string body) {
  http::Request request = request_of(method, std::move(path));
  request.headers = {{"content-type", "application/json"}};
  request.body = std::move(body);
  return request;
}

std::string_view text_behind(std::string_view line, std::string_view mark) {
  const size_t at = line.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + mark.size());
  return rest.substr(0, rest.find('"'));
}

// What both workloads share: a connection for writes, a limit of time, the measurement.
class Watched : public WatchLines, protected http::ClientEvents, port::Alarm {
 public:
  Watched(port_linux::Machine& machine, const Target& target, const LoadOptions& options)
      : machine_(machine),
        options_(options),
        writer_(machine.clock(), machine.network(), target.server, target.tls),
        limit_(machine.clock().timer(*this)) {}

  Measurement run() {
    limit_->arm(machine_.clock().now() + kPatience);
    open();
    machine_.run();
    measured_.seconds = (now_us() - begin_us_) / 1e6;
    measured_.after = cost_of(machine_.disk(), options_.server_pid, options_.device);
    return std::move(measured_);
  }

 protected:
  virtual void open() = 0;
  virtual void write_next() = 0;
  void begin() {
    forget_peak(machine_.disk(), options_.server_pid);
    measured_.before = cost_of(machine_.disk(), options_.server_pid, options_.device);
    begin_us_ = now_us();
    write_next();
  }
  void fail_with(std::string why) {
    if (measured_.failed++ == 0) measured_.failure = std::move(why);
    machine_.stop();
  }

  void on_lost(std::string_view why) override { fail_with(std::string(why)); }
  void on_head(int status, const std::vector<http::Header>&) override { status_ = status; }
  void on_body(std::string_view bytes) override {
    if (status_ >= 300) refusal_.append(bytes.substr(0, 300));
  }
  void on_failed(std::string_view why) override { fail_with(std::string(why)); }
  void on_alarm(port::Timer&) override { fail_with("not complete in time"); }

  port_linux::Machine& machine_;
  const LoadOptions options_;
  http::Client writer_;
  std::unique_ptr<port::Timer> limit_;
  Measurement measured_;
  double begin_us_ = 0;
  int status_ = 0;
  std::string refusal_;
};

class Fan final : public Watched {
 public:
  Fan(port_linux::Machine& machine, const Target& target, const LoadOptions& options)
      : Watched(machine, target, options) {
    for (size_t i = 0; i < options.clients; i += kWatchesPerBundle)
      bundles_.push_back(std::make_unique<WatchBundle>(machine, target, *this));
  }

 private:
  void open() override {
    size_t left = options_.clients;
    for (const auto& bundle : bundles_) {
      const size_t watches = std::min(left, kWatchesPerBundle);
      bundle->open(
          "/api/v1/namespaces/bench-watch/configmaps?watch=1&fieldSelector=metadata.name%3Dwatched",
          watches);
      left -= watches;
    }
  }
  // The first line of each is the object as it is: all are there when the last one has it.
  void on_line(std::string_view line) override {
    const auto sent = parse_unsigned(text_behind(line, "\"sent\":\""));
    if (!sent || line.find("\"BOOKMARK\"") != std::string_view::npos) return;
    if (*sent == 0) {
      if (++ready_ == options_.clients) begin();
      return;
    }
    measured_.latencies_us.push_back(now_us() - static_cast<double>(*sent));
    if (measured_.latencies_us.size() == options_.clients * options_.operations) machine_.stop();
  }
  void write_next() override {
    if (written_++ == options_.operations) return;
    const std::string now = std::to_string(static_cast<uint64_t>(now_us()));
    writer_.send(with_body("PUT", std::string(kWatched),
                           join({R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":)"
                                 R"("watched","namespace":"bench-watch"},"data":{"sent":")",
                                 now, "\"}}"})),
                 *this);
  }
  void on_end() override {
    if (status_ != 200) return fail_with(join({std::to_string(status_), " ", refusal_}));
    write_next();
  }

  std::vector<std::unique_ptr<WatchBundle>> bundles_;
  size_t ready_ = 0;
  size_t written_ = 0;
};

class PodStarts final : public Watched {
 public:
  PodStarts(port_linux::Machine& machine,
            const Target& target,
            const LoadOptions& options,
            std::string image)
      : Watched(machine, target, options),
        image_(std::move(image)),
        bundle_(machine, target, *this) {}

 private:
  enum class Phase : uint8_t { kOpening, kStarting, kDeleting };

  void open() override {
    bundle_.open(join({kPods,
                       "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
                       "allowWatchBookmarks=true"}),
                 1);
  }
  void write_next() override {
    if (measured_.latencies_us.size() == options_.operations) return machine_.stop();
    phase_ = Phase::kStarting;
    name_ = join({"start-", std::to_string(static_cast<uint64_t>(now_us()))});
    sent_us_ = now_us();
    writer_.send(with_body("POST", std::string(kPods),
                           join({R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name_,
                                 R"("},"spec":{"containers":[{"name":"main","image":")", image_,
                                 R"(","command":["sleep","100000"]}]}})"})),
                 *this);
  }
  void on_line(std::string_view line) override {
    if (phase_ == Phase::kOpening) {
      if (line.find("\"BOOKMARK\"") != std::string_view::npos) begin();
      return;
    }
    if (line.find(join({"\"name\":\"", name_, "\""})) == std::string_view::npos) return;
    if (phase_ == Phase::kStarting && line.find("\"phase\":\"Running\"") != std::string_view::npos)
      return remove_started();
    if (phase_ == Phase::kDeleting && line.starts_with(R"({"type":"DELETED")")) write_next();
  }
  void remove_started() {
    measured_.latencies_us.push_back(now_us() - sent_us_);
    phase_ = Phase::kDeleting;
    writer_.send(with_body("DELETE", join({kPods, "/", name_}),
                           R"({"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":1})"),
                 *this);
  }
  void on_end() override {
    if (status_ >= 300) fail_with(join({std::to_string(status_), " ", refusal_}));
  }

  const std::string image_;
  WatchBundle bundle_;
  Phase phase_ = Phase::kOpening;
  std::string name_;
  double sent_us_ = 0;
};

}  // namespace

Measurement run_fan(port_linux::Machine& machine,
                    const Target& target,
                    const LoadOptions& options) {
  return Fan(machine, target, options).run();
}

Measurement run_pod_starts(port_linux::Machine& machine,
                           const Target& target,
                           const LoadOptions& options,
                           const std::string& image) {
  Measurement measured = PodStarts(machine, target, options, image).run();
  measured.unit = "ms";
  return measured;
}

}  // namespace coracle::bench
