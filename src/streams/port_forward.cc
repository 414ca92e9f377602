// SPDX-License-Identifier: GPL-2.0-or-later
// kubectl port-forward: SPDY streams in pairs, raw or tunnelled through a WebSocket; and the
// channels of a WebSocket, as older clients have them (upstream cri-streaming portforward).
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "http/spdy.h"
#include "http/websocket.h"
#include "streams/forwards.h"
#include "streams/session.h"
#include "streams/upgrade.h"

namespace coracle::streams {
namespace {

constexpr std::string_view kTunnel = "SPDY/3.1+portforward.k8s.io";
constexpr std::array<std::string_view, 4> kWebSocketProtocols = {kTunnel, "v4.channel.k8s.io",
                                                                 "portforward.k8s.io", ""};
constexpr std::array<std::string_view, 1> kSpdyProtocols = {"portforward.k8s.io"};
constexpr size_t kForwardsMax = 128;
constexpr uint16_t kGoodbye = 1000;

class PortForward : public Session, protected ForwardCarrier, port::TurnEnd {
 public:
  explicit PortForward(const Place& place) : place_(place), pod_(place.pod) {}
  ~PortForward() override { place_.clock.cancel_turn_end(*this); }
  void on_drained() final {
    for (const auto& each : forwards_)
      each->resume();
  }

 protected:
  virtual void goodbye() = 0;  // last words to the client
  virtual bool ends_with_last() const { return false; }
  Forward* find(uint32_t stream) {
    for (const auto& each : forwards_) {
      if (each->has(stream)) return each.get();
    }
    return nullptr;
  }
  Forward* add(uint16_t port) {
    if (forwards_.size() >= kForwardsMax) return nullptr;
    ForwardCarrier& carrier = *this;
    forwards_.push_back(std::make_unique<Forward>(place_.pods, pod_, port, carrier));
    return forwards_.back().get();
  }
  void start_later() { place_.clock.at_turn_end(*this); }
  void leave() {
    over_ = true;
    place_.clock.at_turn_end(*this);
  }
  bool is_full() const final { return place_.response.backlog() >= limits::kSendBufferBytesMax; }
  void hold_client(bool) final {
    const bool hold = std::any_of(forwards_.begin(), forwards_.end(), [](const auto& each) {
      return !each->is_over() && each->holds_client();
    });
    place_.response.pause(hold);
  }
  void on_forward_over() final { place_.clock.at_turn_end(*this); }
  void on_turn_end() final {
    for (size_t i = 0; i < forwards_.size(); i++) {
      if (!over_ && forwards_[i]->is_whole()) forwards_[i]->start();
    }
    const size_t before = forwards_.size();
    std::erase_if(forwards_, [](const auto& each) { return each->is_over(); });
    if (ends_with_last() && before > 0 && forwards_.empty()) over_ = true;
    if (!over_) return;
    forwards_.clear();
    goodbye();
    place_.response.finish();
    place_.owner.on_session_over();
  }

  const Place place_;
  const api::ObjectRef pod_;
  std::vector<std::unique_ptr<Forward>> forwards_;
  bool over_ = false;
};

class SpdyForward final : public PortForward,
                          http::Upgraded,
                          http::SpdyEvents,
                          http::WebSocketEvents {
 public:
  SpdyForward(const Place& place, bool tunnelled) : PortForward(place), tunnelled_(tunnelled) {}
  Result<> open(const Upgrade& upgrade) {
    TRY(begin_upgrade(upgrade, place_.response, *this));
    spdy_.open();
    return {};
  }

 private:
  void on_bytes(std::string_view bytes) override {
    const bool fine = tunnelled_ ? reader_.receive(bytes, *this) : spdy_.receive(bytes);
    if (!fine) leave();
  }
  void on_message(std::string_view part, bool) override {
    if (!spdy_.receive(part)) leave();
  }
  void on_ping(std::string_view payload) override {
    std::string out;
    http::append_frame(out, http::Opcode::kPong, {payload});
    place_.response.write(out);
  }
  void on_close() override { leave(); }
  void on_spdy_out(std::string_view frames) override {
    if (!tunnelled_) return place_.response.write(frames);
    std::string out;
    http::append_frame(out, http::Opcode::kBinary, {frames});
    place_.response.write(out);
  }

  bool on_stream(uint32_t stream, const std::vector<http::Header>& headers) override {
    const auto value = [&](std::string_view name) {
      for (const http::Header& each : headers) {
        if (each.name == name) return std::string_view(each.value);
      }
      return std::string_view();
    };
    const std::string_view type = value("streamtype");
    const auto port = parse_unsigned(value("port"));
    if ((type != "data" && type != "error") || !port || *port == 0 || *port > 65535) return false;
    Forward* forward = pair_of(value("requestid"), static_cast<uint16_t>(*port));
    if (forward == nullptr) return false;
    if (type == "data")
      forward->set_data(stream);
    else
      forward->set_error(stream);
    if (forward->is_whole()) start_later();
    return true;
  }
  // The two streams of a request come one after the other, maybe with others in between.
  Forward* pair_of(std::string_view request, uint16_t port) {
    for (const auto& each : forwards_) {
      if (!each->is_whole() && each->request == request) return each.get();
    }
    Forward* fresh = add(port);
    if (fresh != nullptr) fresh->request = request;
    return fresh;
  }
  void on_stream_data(uint32_t stream, std::string_view bytes) override {
    Forward* forward = find(stream);
    if (forward != nullptr && forward->is_data(stream)) forward->take(bytes);
  }
  void on_stream_end(uint32_t stream) override {
    Forward* forward = find(stream);
    if (forward != nullptr && forward->is_data(stream)) forward->client_ended();
  }
  void on_stream_reset(uint32_t stream) override {
    Forward* forward = find(stream);
    if (forward != nullptr && forward->is_data(stream)) forward->drop();
  }
  void on_goaway() override {}

  void send(uint32_t stream, std::string_view bytes) override { spdy_.send(stream, bytes); }
  void end(uint32_t stream) override { spdy_.end(stream); }
  void goodbye() override {
    reader_.stop();
    spdy_.stop();
    if (tunnelled_) place_.response.write(http::close_frame(kGoodbye, {}));
  }

  const bool tunnelled_;
  http::WebSocketReader reader_;
  http::Spdy spdy_{*this};
};

// Two channels for each port of the query: data, errors. Each begins with the port's number.
class ChannelForward final : public PortForward, http::Upgraded, http::WebSocketEvents {
 public:
  explicit ChannelForward(const Place& place) : PortForward(place) {}
  Result<> open(const Upgrade& upgrade, const std::vector<uint16_t>& ports) {
    TRY(begin_upgrade(upgrade, place_.response, *this));
    for (const uint16_t port : ports) {
      Forward* forward = add(port);
      if (forward == nullptr) break;
      const auto data = static_cast<uint32_t>(2 * (forwards_.size() - 1) + 1);
      const char number[2] = {static_cast<char>(port & 0xff), static_cast<char>(port >> 8)};
      forward->set_data(data);
      forward->set_error(data + 1);
      send(data, {number, 2});
      send(data + 1, {number, 2});
    }
    start_later();
    return {};
  }

 private:
  // Streams are channels plus one: no stream is 0.
  void send(uint32_t stream, std::string_view bytes) override {
    const char channel = static_cast<char>(stream - 1);
    std::string out;
    http::append_frame(out, http::Opcode::kBinary, {{&channel, 1}, bytes});
    place_.response.write(out);
  }
  void end(uint32_t) override {}
  bool ends_with_last() const override { return true; }
  void goodbye() override {
    reader_.stop();
    place_.response.write(http::close_frame(kGoodbye, {}));
  }
  void on_bytes(std::string_view bytes) override {
    if (!reader_.receive(bytes, *this)) leave();
  }
  void on_message(std::string_view part, bool ends) override {
    if (!in_message_ && !part.empty()) {
      channel_ = static_cast<uint8_t>(part.front());
      part.remove_prefix(1);
      in_message_ = true;
    }
    Forward* forward = find(channel_ + 1);
    if (!part.empty() && forward != nullptr && channel_ % 2 == 0) forward->take(part);
    if (ends) in_message_ = false;
  }
  void on_ping(std::string_view payload) override {
    std::string out;
    http::append_frame(out, http::Opcode::kPong, {payload});
    place_.response.write(out);
  }
  void on_close() override { leave(); }

  http::WebSocketReader reader_;
  uint32_t channel_ = 0;
  bool in_message_ = false;
};

}  // namespace

Result<std::unique_ptr<Session>> open_port_forward(const Place& place,
                                                   const std::vector<uint16_t>& ports) {
  const Upgrade upgrade = TRY(choose_upgrade(place.request, kWebSocketProtocols, kSpdyProtocols));
  if (upgrade.way == Way::kSpdy || upgrade.protocol == kTunnel) {
    auto session = std::make_unique<SpdyForward>(place, upgrade.way == Way::kWebSocket);
    TRY(session->open(upgrade));
    return std::unique_ptr<Session>(std::move(session));
  }
  if (ports.empty() || ports.size() > kForwardsMax - 1)
    return fail(Code::kBadRequest, "query parameter \"port\" is required");
  auto session = std::make_unique<ChannelForward>(place);
  TRY(session->open(upgrade, ports));
  return std::unique_ptr<Session>(std::move(session));
}

}  // namespace coracle::streams
