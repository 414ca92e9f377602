// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/probe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr Duration kFirstProbeAfter = milliseconds(100);
constexpr size_t kStatusEnd = 12;
constexpr std::array<std::string_view, 3> kNames = {"Startup", "Readiness", "Liveness"};
constexpr std::array<std::string_view, 3> kFields = {"startupProbe", "readinessProbe",
                                                     "livenessProbe"};

uint16_t port_number(json::Node port, json::Node container) {
  if (port.is_integer()) return static_cast<uint16_t>(port.integer());
  for (const json::Node known : container["ports"]) {
    if (known["name"].string() == port.string())
      return static_cast<uint16_t>(known["containerPort"].integer());
  }
  return static_cast<uint16_t>(parse_unsigned(port.string()).value_or(0));
}

std::string http_request(json::Node action, std::string_view authority) {
  std::string_view path = action["path"].string("/");
  std::string host(authority);
  std::string headers;
  bool has_agent = false;
  for (const json::Node header : action["httpHeaders"]) {
    const std::string_view name = header["name"].string();
    if (name == "Host") {
      host = header["value"].string();
      continue;
    }
    has_agent = has_agent || name == "User-Agent";
    headers += join({name, ": ", header["value"].string(), "\r\n"});
  }
  return join({"GET ", path.starts_with('/') ? "" : "/", path, " HTTP/1.1\r\nHost: ", host, "\r\n",
               has_agent ? "" : "User-Agent: kube-probe/1.36\r\nAccept: */*\r\n", headers,
               "Connection: close\r\n\r\n"});
}

}  // namespace

std::string_view probe_name(ProbeType type) {
  return kNames[static_cast<size_t>(type)];
}
std::string_view probe_field(ProbeType type) {
  return kFields[static_cast<size_t>(type)];
}

Attempt::Target attempt_target(json::Node action, json::Node container, std::string_view ip) {
  const json::Node http = action["httpGet"];
  const json::Node way = http ? http : action["tcpSocket"];
  Attempt::Target target;
  target.endpoint.host = way["host"].string(ip);
  target.endpoint.port = port_number(way["port"], container);
  if (!http) return target;
  const std::string authority =
      join({target.endpoint.host, ":", std::to_string(target.endpoint.port)});
  const std::string_view path = http["path"].string("/");
  target.url = join({"http://", authority, path.starts_with('/') ? "" : "/", path});
  target.request = http_request(http, authority);
  return target;
}

// --- Attempt

Attempt::Attempt(
    port::Network& network, port::Clock& clock, Target target, Duration timeout, Done& done)
    : target_(std::move(target)),
      done_(done),
      timer_(clock.timer(*this)) {
  timer_->arm(clock.now() + timeout);
  stream_ = network.connect(target_.endpoint, *this);
}

void Attempt::on_connected() {
  connected_ = true;
  if (target_.request.empty()) return finish(true, {});
  stream_->send(target_.request);
}

// "HTTP/1.1 200 OK": upstream takes 200 to 399 as healthy.
void Attempt::on_bytes(std::string_view bytes) {
  head_ += bytes.substr(0, kStatusEnd - std::min(head_.size(), kStatusEnd));
  if (head_.size() < kStatusEnd) return;
  const auto status = parse_unsigned(std::string_view(head_).substr(9, 3));
  if (!head_.starts_with("HTTP/1.") || !status)
    return finish(false, join({"Get \"", target_.url, "\": malformed HTTP response"}));
  if (*status >= 200 && *status < 400) return finish(true, {});
  finish(false, join({"HTTP probe failed with statuscode: ", std::to_string(*status)}));
}

void Attempt::on_closed(std::string_view why) {
  const std::string where = join({"dial tcp ", target_.endpoint.host, ":",
                                  std::to_string(target_.endpoint.port), ": connect: ", why});
  if (target_.url.empty()) return finish(false, where);
  if (!connected_) return finish(false, join({"Get \"", target_.url, "\": ", where}));
  finish(false, join({"Get \"", target_.url, "\": EOF"}));
}

void Attempt::on_alarm(port::Timer&) {
  if (target_.url.empty())
    return finish(false, join({"dial tcp ", target_.endpoint.host, ":",
                               std::to_string(target_.endpoint.port), ": i/o timeout"}));
  finish(false,
         join({"Get \"", target_.url,
               "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"}));
}

void Attempt::finish(bool ok, std::string_view why) {
  timer_->disarm();
  stream_.reset();
  done_.on_attempt(ok, std::string(why));
}

// --- Probe

Probe::Probe(port::Network& network,
             port::Clock& clock,
             json::Node container,
             ProbePlace place,
             ProbeListener& listener)
    : network_(network),
      clock_(clock),
      place_(std::move(place)),
      listener_(listener),
      timer_(clock.timer(*this)) {
  const json::Node probe = container[probe_field(place_.type)];
  const auto at_least_one = [&](std::string_view field, int64_t otherwise) {
    return std::max<int64_t>(1, probe[field].integer(otherwise));
  };
  target_ = attempt_target(probe, container, place_.ip);
  period_ = seconds(std::min<int64_t>(at_least_one("periodSeconds", 10), 1 << 30));
  timeout_ = seconds(std::min<int64_t>(at_least_one("timeoutSeconds", 1), 1 << 30));
  successes_needed_ = at_least_one("successThreshold", 1);
  failures_needed_ = at_least_one("failureThreshold", 3);
  const int64_t delay = std::clamp<int64_t>(probe["initialDelaySeconds"].integer(), 0, 1 << 30);
  // A process needs a moment before it listens, and a failure is an event.
  timer_->arm(clock_.now() + (delay > 0 ? seconds(delay) : kFirstProbeAfter));
}

void Probe::on_alarm(port::Timer&) {
  timer_->arm(clock_.now() + period_);
  if (attempt_ != nullptr) return;
  Attempt::Done& done = *this;
  attempt_ = std::make_unique<Attempt>(network_, clock_, target_, timeout_, done);
}

void Probe::on_attempt(bool ok, std::string_view why) {
  const std::string message(why);
  attempt_.reset();
  run_ = ok ? std::max<int64_t>(run_, 0) + 1 : std::min<int64_t>(run_, 0) - 1;
  const int verdict = run_ >= successes_needed_ ? 1 : -run_ >= failures_needed_ ? -1 : verdict_;
  const bool changed = verdict != verdict_;
  verdict_ = verdict;
  // The listener may destroy this probe: nothing is touched after the last call.
  ProbeListener& listener = listener_;
  const ProbePlace place = place_;
  if (!ok) listener.on_probe_failure(place.container, place.type, message);
  if (changed) listener.on_probe(place.container, place.type, verdict > 0);
}

}  // namespace coracle::node
