// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/load.h"

#include "base/bytes.h"

namespace coracle::bench {

namespace {

class Load;

class Connection final : http::ClientEvents, port::Alarm {
 public:
  Connection(Load& load, port_linux::Machine& machine, const Target& target);
  void greet();  // opens the connection, before the measurement
  void send_next();

 private:
  void on_head(int status, const std::vector<http::Header>& headers) override;
  void on_body(std::string_view bytes) override;
  void on_end() override;
  void on_failed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void pause();

  Load& load_;
  port_linux::Machine& machine_;
  http::Client client_;
  std::unique_ptr<port::Timer> timer_;
  double sent_us_ = 0;
  double first_byte_us_ = 0;
  int status_ = 0;
  std::string refusal_;
  bool greeted_ = false;
};

class Load {
 public:
  Load(port_linux::Machine& machine,
       const Target& target,
       const LoadOptions& options,
       Requests& requests)
      : machine_(machine),
        options_(options),
        requests_(requests) {
    for (size_t i = 0; i < options.clients; i++)
      connections_.push_back(std::make_unique<Connection>(*this, machine, target));
  }

  Measurement run() {
    for (const auto& connection : connections_)
      connection->greet();
    machine_.run();  // until all are greeted
    forget_peak(machine_.disk(), options_.server_pid);
    measured_.before = cost_of(machine_.disk(), options_.server_pid, options_.device);
    const double begin = now_us();
    for (const auto& connection : connections_)
      connection->send_next();
    machine_.run();  // until all are answered
    measured_.seconds = (now_us() - begin) / 1e6;
    measured_.after = cost_of(machine_.disk(), options_.server_pid, options_.device);
    return std::move(measured_);
  }

  const LoadOptions& options() const { return options_; }
  bool has_next() const { return begun_ < options_.operations; }
  http::Request take_next() { return requests_.make(begun_++); }
  void greeted() {
    if (++greeted_ == connections_.size()) machine_.stop();
  }
  void answered(double latency_us, double first_byte_us) {
    measured_.latencies_us.push_back(latency_us);
    measured_.first_bytes_us.push_back(first_byte_us);
    count();
  }
  void failed(std::string why) {
    if (measured_.failed++ == 0) measured_.failure = std::move(why);
    count();
  }

 private:
  void count() {
    if (++done_ == options_.operations) machine_.stop();
  }

  port_linux::Machine& machine_;
  const LoadOptions options_;
  Requests& requests_;
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t greeted_ = 0;
  size_t begun_ = 0;
  size_t done_ = 0;
  Measurement measured_;
};

Connection::Connection(Load& load, port_linux::Machine& machine, const Target& target)
    : load_(load),
      machine_(machine),
      client_(machine.clock(), machine.network(), target.server, target.tls),
      timer_(machine.clock().timer(*this)) {}

void Connection::greet() {
  http::Request request;
  request.method = "GET";
  request.path = "/version";
  client_.send(std::move(request), *this);
}

void Connection::send_next() {
  if (!load_.has_next()) return;
  http::Request request = load_.take_next();
  first_byte_us_ = 0;
  refusal_.clear();
  sent_us_ = now_us();
  client_.send(std::move(request), *this);
}

void Connection::on_head(int status, const std::vector<http::Header>&) {
  status_ = status;
}

void Connection::on_body(std::string_view bytes) {
  if (first_byte_us_ == 0) first_byte_us_ = now_us() - sent_us_;
  if (status_ >= 300) refusal_.append(bytes.substr(0, 300));
}

void Connection::on_end() {
  if (!greeted_) {
    greeted_ = true;
    return load_.greeted();
  }
  if (status_ == load_.options().expected_status)
    load_.answered(now_us() - sent_us_, first_byte_us_);
  else
    load_.failed(join({std::to_string(status_), " ", refusal_}));
  pause();
}

void Connection::on_failed(std::string_view why) {
  if (!greeted_) {
    greeted_ = true;
    load_.greeted();
    return;
  }
  load_.failed(std::string(why));
  pause();
}

void Connection::pause() {
  if (load_.options().pause_ms == 0) return send_next();
  timer_->arm(machine_.clock().now() + milliseconds(load_.options().pause_ms));
}

void Connection::on_alarm(port::Timer&) {
  send_next();
}

}  // namespace

Measurement run_load(port_linux::Machine& machine,
                     const Target& target,
                     const LoadOptions& options,
                     Requests& requests) {
  return Load(machine, target, options, requests).run();
}

}  // namespace coracle::bench
