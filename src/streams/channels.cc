// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams/channels.h"

#include <algorithm>

namespace coracle::streams {
namespace {

constexpr uint8_t kEndOfChannel = 255;  // v5: the message names the channel that has ended
constexpr uint16_t kGoodbye = 1000;     // RFC 6455 7.4.1
constexpr std::array<std::string_view, kChannels> kStreamTypes = {"stdin", "stdout", "stderr",
                                                                  "error", "resize"};

class WebSocketChannels final : public Channels, http::WebSocketEvents {
 public:
  WebSocketChannels(bool has_ends,
                    const ChannelSet& wanted,
                    http::Response& response,
                    ChannelEvents& events)
      : has_ends_(has_ends),
        wanted_(wanted),
        response_(response),
        events_(events) {}

  // Upstream says with an empty message that the connection stands.
  void open() override {
    Channel first = Channel::kStatus;
    if (wanted_[2]) first = Channel::kError;
    if (wanted_[1]) first = Channel::kOutput;
    frame(first, {});
    events_.on_channels_ready();
  }
  void on_bytes(std::string_view bytes) override {
    if (reader_.receive(bytes, *this)) return;
    events_.on_channels_broken();
  }
  void send(Channel channel, std::string_view bytes) override {
    if (!bytes.empty()) frame(channel, bytes);
  }
  void finish() override {
    reader_.stop();
    response_.write(http::close_frame(kGoodbye, {}));
  }

 private:
  void frame(Channel channel, std::string_view bytes) {
    const char number = static_cast<char>(channel);
    std::string out;
    http::append_frame(out, http::Opcode::kBinary, {{&number, 1}, bytes});
    response_.write(out);
  }
  void on_message(std::string_view part, bool ends) override {
    if (!part.empty() && !in_message_) {
      in_message_ = true;
      number_ = static_cast<uint8_t>(part.front());
      part.remove_prefix(1);
    }
    if (!part.empty()) take(part);
    if (ends) in_message_ = false;
  }
  void take(std::string_view part) {
    if (number_ == kEndOfChannel && has_ends_) {
      if (part.front() == 0) events_.on_channel_end(Channel::kInput);
    } else if (number_ == 0 || number_ == 4) {
      events_.on_channel(static_cast<Channel>(number_), part);
    }
  }
  void on_ping(std::string_view payload) override {
    std::string out;
    http::append_frame(out, http::Opcode::kPong, {payload});
    response_.write(out);
  }
  void on_close() override { events_.on_channels_broken(); }

  const bool has_ends_;
  const ChannelSet wanted_;
  http::Response& response_;
  ChannelEvents& events_;
  http::WebSocketReader reader_;
  bool in_message_ = false;
  uint8_t number_ = 0;
};

class SpdyChannels final : public Channels, http::SpdyEvents {
 public:
  SpdyChannels(const ChannelSet& wanted, http::Response& response, ChannelEvents& events)
      : wanted_(wanted),
        response_(response),
        events_(events) {}

  void open() override { spdy_.open(); }
  void on_bytes(std::string_view bytes) override {
    if (spdy_.receive(bytes)) return;
    events_.on_channels_broken();
  }
  void send(Channel channel, std::string_view bytes) override {
    const uint32_t stream = streams_[static_cast<size_t>(channel)];
    if (stream != 0) spdy_.send(stream, bytes);
  }
  void finish() override {
    spdy_.stop();
    for (uint32_t& stream : streams_) {
      if (stream != 0) spdy_.end(stream);
      stream = 0;
    }
    spdy_.say_goodbye();
  }

 private:
  size_t find(uint32_t stream) const {
    const auto found = std::find(streams_.begin(), streams_.end(), stream);
    return static_cast<size_t>(found - streams_.begin());
  }
  bool on_stream(uint32_t stream, const std::vector<http::Header>& headers) override {
    size_t which = kChannels;
    for (const http::Header& header : headers) {
      if (header.name != "streamtype") continue;
      const auto type = std::find(kStreamTypes.begin(), kStreamTypes.end(), header.value);
      which = static_cast<size_t>(type - kStreamTypes.begin());
    }
    if (which == kChannels || !wanted_[which] || streams_[which] != 0) return false;
    streams_[which] = stream;
    bool complete = !ready_;
    for (size_t i = 0; i < kChannels; i++)
      complete = complete && (!wanted_[i] || streams_[i] != 0);
    if (complete) {
      ready_ = true;
      events_.on_channels_ready();
    }
    return true;
  }
  void on_stream_data(uint32_t stream, std::string_view bytes) override {
    const size_t which = find(stream);
    if (which < kChannels) events_.on_channel(static_cast<Channel>(which), bytes);
  }
  void on_stream_end(uint32_t stream) override {
    const size_t which = find(stream);
    if (which < kChannels) events_.on_channel_end(static_cast<Channel>(which));
  }
  void on_stream_reset(uint32_t stream) override {
    const size_t which = find(stream);
    if (which == kChannels) return;
    streams_[which] = 0;
    events_.on_channel_end(static_cast<Channel>(which));
  }
  void on_goaway() override {}
  void on_spdy_out(std::string_view frames) override { response_.write(frames); }

  const ChannelSet wanted_;
  http::Response& response_;
  ChannelEvents& events_;
  http::Spdy spdy_{*this};
  std::array<uint32_t, kChannels> streams_{};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<Channels> make_channels(const Upgrade& upgrade,
                                        const ChannelSet& wanted,
                                        http::Response& response,
                                        ChannelEvents& events) {
  if (upgrade.way == Way::kSpdy) return std::make_unique<SpdyChannels>(wanted, response, events);
  const bool has_ends = upgrade.protocol.starts_with("v5.");
  return std::make_unique<WebSocketChannels>(has_ends, wanted, response, events);
}

}  // namespace coracle::streams
