// SPDX-License-Identifier: GPL-2.0-or-later
// grpc.health.v1.Health/Check over HTTP/2 without TLS: the few frames that one unary call needs,
// written by hand. Headers of the answer are not read: a health answer is the one DATA frame, and
// without it the call has failed.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "node/attempt.h"

namespace coracle::node {

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t kHeadBytes = 9;
constexpr size_t kFrameBytesMax = 16 * 1024;  // RFC 9113: what we announce
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoaway = 7
};
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr uint8_t kPadded = 8;
constexpr std::string_view kStatusNames[] = {"UNKNOWN", "SERVING", "NOT_SERVING",
                                             "SERVICE_UNKNOWN"};
constexpr size_t kServiceBytesMax = 1024;

std::string frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string out;
  for (int shift = 16; shift >= 0; shift -= 8)
    out += static_cast<char>(payload.size() >> shift);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(stream >> shift);
  return out.append(payload);
}

// RFC 7541 6.2.2: a field that nobody is to remember, all in plain text.
void put_field(std::string& out, std::string_view name, std::string_view value) {
  out += '\0';
  for (const std::string_view text : {name, value}) {
    size_t length = text.size();
    if (length < 127) {
      out += static_cast<char>(length);
    } else {
      out += '\x7f';
      for (length -= 127; length >= 128; length /= 128)
        out += static_cast<char>(length % 128 | 128);
      out += static_cast<char>(length);
    }
    out += text;
  }
}

// HealthCheckRequest{service = 1}, behind the head of a gRPC message.
std::string request_message(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0a';
    size_t length = service.size();
    for (; length >= 128; length /= 128)
      message += static_cast<char>(length % 128 | 128);
    message += static_cast<char>(length);
    message += service;
  }
  std::string out(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(message.size() >> shift);
  return out + message;
}

// HealthCheckResponse{status = 1}; nothing in it means 0.
std::string_view status_of(std::string_view message) {
  const size_t status =
      message.size() >= 2 && message[0] == '\x08' ? static_cast<uint8_t>(message[1]) : 0;
  return status < std::size(kStatusNames) ? kStatusNames[status] : kStatusNames[0];
}

class GrpcAttempt final : public Attempt, port::StreamEvents, port::Alarm {
 public:
  GrpcAttempt(const AttemptPlace& place, const Deed& deed, Duration timeout, Done& done)
      : authority_(join({deed.endpoint.host, ":", std::to_string(deed.endpoint.port)})),
        service_(deed.service.substr(0, kServiceBytesMax)),
        timeout_(timeout),
        done_(done),
        timer_(place.clock.timer(*this)) {
    timer_->arm(place.clock.now() + timeout);
    stream_ = place.network.connect(deed.endpoint, *this);
  }

 private:
  void on_connected() override {
    connected_ = true;
    std::string headers;
    put_field(headers, ":method", "POST");
    put_field(headers, ":scheme", "http");
    put_field(headers, ":path", "/grpc.health.v1.Health/Check");
    put_field(headers, ":authority", authority_);
    put_field(headers, "content-type", "application/grpc");
    put_field(headers, "user-agent", "kube-probe/1.36");
    put_field(headers, "te", "trailers");
    stream_->send(
        join({kPreface, frame(kSettings, 0, 0, {}), frame(kHeaders, kEndHeaders, 1, headers),
              frame(kData, kEndStream, 1, request_message(service_))}));
  }
  void on_bytes(std::string_view bytes) override;
  void on_closed(std::string_view) override {
    finish(false,
           connected_ ? "error: health rpc failed: the connection was closed" : connect_failure());
  }
  void on_alarm(port::Timer&) override {
    finish(false, connected_ ? join({"timeout: health rpc did not complete within ",
                                     std::to_string(timeout_.seconds()), "s"})
                             : connect_failure());
  }
  // upstream pkg/probe/grpc
  std::string connect_failure() const {
    return join({"timeout: failed to connect service \"", authority_, "\" within ",
                 std::to_string(timeout_.seconds()), "s"});
  }
  bool take_frame(uint8_t type, uint8_t flags, std::string_view payload);
  bool take_answer(uint8_t flags, std::string_view payload);
  // A copy: it may be a part of this.
  // NOLINTNEXTLINE(performance-unnecessary-value-param)
  bool finish(bool ok, std::string why) {
    timer_->disarm();
    stream_.reset();
    done_.on_attempt(ok, why);  // this may be gone now
    return false;
  }

  const std::string authority_;
  const std::string service_;
  const Duration timeout_;
  Done& done_;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<port::Stream> stream_;
  std::string received_;
  std::string answer_;
  bool connected_ = false;
};

void GrpcAttempt::on_bytes(std::string_view bytes) {
  received_ += bytes;
  while (received_.size() >= kHeadBytes) {
    const auto at = [&](size_t i) { return static_cast<uint8_t>(received_[i]); };
    const size_t length =
        static_cast<size_t>(at(0)) << 16 | static_cast<size_t>(at(1)) << 8 | at(2);
    if (length > kFrameBytesMax) {
      finish(false, "error: health rpc failed: not an HTTP/2 server");
      return;
    }
    if (received_.size() < kHeadBytes + length) return;
    const uint8_t type = at(3);
    const uint8_t flags = at(4);
    const std::string payload = received_.substr(kHeadBytes, length);
    received_.erase(0, kHeadBytes + length);
    if (!take_frame(type, flags, payload)) return;
  }
}

// False: it is over, and this may be gone.
bool GrpcAttempt::take_frame(uint8_t type, uint8_t flags, std::string_view payload) {
  if (type == kSettings && (flags & kAck) == 0) stream_->send(frame(kSettings, kAck, 0, {}));
  if (type == kPing && (flags & kAck) == 0) stream_->send(frame(kPing, kAck, 0, payload));
  if (type == kData) return take_answer(flags, payload);
  const bool ends =
      type == kReset || type == kGoaway || (type == kHeaders && (flags & kEndStream) != 0);
  if (!ends) return true;
  return finish(false,
                "error: this server does not implement the grpc health protocol "
                "(grpc.health.v1.Health), or does not know the service");
}

bool GrpcAttempt::take_answer(uint8_t flags, std::string_view payload) {
  constexpr size_t kMessageHead = 5;
  if ((flags & kPadded) != 0 && !payload.empty()) {
    const size_t padding = static_cast<uint8_t>(payload[0]);
    payload = payload.substr(1, payload.size() - 1 - std::min(padding, payload.size() - 1));
  }
  answer_ += payload;
  if (answer_.size() > kFrameBytesMax) return finish(false, "error: health rpc failed: too long");
  if (answer_.size() < kMessageHead) return true;
  size_t length = 0;
  for (size_t i = 1; i < kMessageHead; i++)
    length = length << 8 | static_cast<uint8_t>(answer_[i]);
  if (answer_.size() - kMessageHead < length) return true;
  const std::string_view status = status_of(std::string_view(answer_).substr(kMessageHead, length));
  if (status == "SERVING") return finish(true, {});
  return finish(false, join({"service unhealthy (responded with \"", status, "\")"}));
}

}  // namespace

std::unique_ptr<Attempt> grpc_attempt(const AttemptPlace& place,
                                      const Deed& deed,
                                      Duration timeout,
                                      Attempt::Done& done) {
  return std::make_unique<GrpcAttempt>(place, deed, timeout, done);
}

}  // namespace coracle::node
