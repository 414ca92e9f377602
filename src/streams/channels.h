// SPDX-License-Identifier: GPL-2.0-or-later
// The channels of a remote command over either framing (upstream remotecommand constants and
// wsstream): a number in front of each WebSocket message, or a SPDY stream each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/server.h"
#include "http/spdy.h"
#include "http/websocket.h"
#include "streams/upgrade.h"

namespace coracle::streams {

enum class Channel : uint8_t { kInput, kOutput, kError, kStatus, kResize };
constexpr size_t kChannels = 5;

class ChannelEvents {
 public:
  virtual void on_channel(Channel channel, std::string_view bytes) = 0;
  virtual void on_channel_end(Channel channel) = 0;
  virtual void on_channels_ready() = 0;   // once: all that were awaited are open
  virtual void on_channels_broken() = 0;  // the client left or does not keep to the protocol

 protected:
  ~ChannelEvents() = default;
};

class Channels : public http::Upgraded {
 public:
  virtual ~Channels() = default;
  virtual void open() = 0;  // after the upgrade
  virtual void send(Channel channel, std::string_view bytes) = 0;
  virtual void finish() = 0;  // ends all; nothing is sent after it
};

using ChannelSet = std::array<bool, kChannels>;  // those that the request asked for

std::unique_ptr<Channels> make_channels(const Upgrade& upgrade,
                                        const ChannelSet& wanted,
                                        http::Response& response,
                                        ChannelEvents& events);

}  // namespace coracle::streams
