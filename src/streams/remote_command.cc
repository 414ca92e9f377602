// SPDX-License-Identifier: GPL-2.0-or-later
// kubectl exec and attach: a command's stdio on the channels of a client.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "json/tree.h"
#include "streams/channels.h"
#include "streams/command_status.h"
#include "streams/session.h"

namespace coracle::streams {
namespace {

constexpr std::array<std::string_view, 4> kWebSocketProtocols = {
    "v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", ""};
constexpr std::array<std::string_view, 5> kSpdyProtocols = {
    "v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
    "channel.k8s.io"};
constexpr Duration kChannelsWithin = seconds(30);  // upstream DefaultStreamCreationTimeout
constexpr size_t kInputBytesMax = 64 * 1024;       // then the client waits
constexpr size_t kResizeBytesMax = 256;

bool has_status_objects(std::string_view protocol) {
  return protocol.starts_with("v4.") || protocol.starts_with("v5.");
}

class CommandSession final : public Session,
                             ChannelEvents,
                             port::CommandEvents,
                             port::TurnEnd,
                             port::Alarm {
 public:
  CommandSession(const Place& place, api::PodCommand command)
      : place_(place),
        pod_(place.pod),
        command_(std::move(command)),
        timer_(place.clock.timer(*this)) {}
  ~CommandSession() override { place_.clock.cancel_turn_end(*this); }
  Result<> open();
  void on_drained() override;

 private:
  void on_channel(Channel channel, std::string_view bytes) override;
  void on_channel_end(Channel channel) override;
  void on_channels_ready() override;
  void on_channels_broken() override;
  void on_output(bool is_error, std::string_view bytes) override;
  void on_input_taken() override;
  void on_command_over(const port::CommandEnd& end) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  ChannelSet wanted_channels(std::string_view protocol) const;
  void start();
  void take_input(std::string_view bytes);
  void take_size(std::string_view bytes);
  void end();

  // `request` is only valid while open() runs.
  const Place place_;
  const api::ObjectRef pod_;
  const api::PodCommand command_;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<Channels> channels_;
  std::unique_ptr<port::Command> running_;
  std::string early_;  // input from before the start
  std::string size_text_;
  bool status_as_json_ = true;
  bool ready_ = false;
  bool input_over_ = false;
  bool input_paused_ = false;
  bool output_paused_ = false;
  bool over_ = false;
};

ChannelSet CommandSession::wanted_channels(std::string_view protocol) const {
  ChannelSet wanted{};
  wanted[static_cast<size_t>(Channel::kInput)] = command_.input;
  wanted[static_cast<size_t>(Channel::kOutput)] = command_.output;
  wanted[static_cast<size_t>(Channel::kError)] = command_.error && !command_.terminal;
  wanted[static_cast<size_t>(Channel::kStatus)] = true;
  // Clients of the first two protocols know no sizes (upstream createChannels).
  const bool old = protocol.starts_with("v2.") || protocol == "channel.k8s.io";
  wanted[static_cast<size_t>(Channel::kResize)] = command_.terminal && !old;
  return wanted;
}

Result<> CommandSession::open() {
  const Upgrade upgrade = TRY(choose_upgrade(place_.request, kWebSocketProtocols, kSpdyProtocols));
  TRY(place_.pods.check(*pod_, command_));
  status_as_json_ = has_status_objects(upgrade.protocol);
  ChannelEvents& events = *this;
  channels_ = make_channels(upgrade, wanted_channels(upgrade.protocol), place_.response, events);
  TRY(begin_upgrade(upgrade, place_.response, *channels_));
  timer_->arm(place_.clock.now() + kChannelsWithin);
  channels_->open();
  return {};
}

void CommandSession::on_channels_ready() {
  ready_ = true;
  timer_->disarm();
  place_.clock.at_turn_end(*this);
}

void CommandSession::on_alarm(port::Timer&) {
  on_command_over({false, 0, "timed out waiting for client to create streams"});
}

void CommandSession::start() {
  port::CommandEvents& events = *this;
  Result<std::unique_ptr<port::Command>> running = place_.pods.run(*pod_, command_, events);
  if (!running) return on_command_over({false, 0, running.error().message});
  running_ = std::move(*running);
  if (output_paused_) running_->pause_output(true);
  take_size({});
  if (!early_.empty()) take_input(std::exchange(early_, {}));
  if (input_over_) running_->close_input();
}

void CommandSession::on_channel(Channel channel, std::string_view bytes) {
  if (over_) return;
  if (channel == Channel::kResize) return take_size(bytes);
  if (channel == Channel::kInput && command_.input && !input_over_) take_input(bytes);
}

void CommandSession::take_input(std::string_view bytes) {
  if (running_ != nullptr)
    running_->send(std::string(bytes));
  else
    early_ += bytes;
  const size_t queued = running_ != nullptr ? running_->queued() : early_.size();
  if (queued < kInputBytesMax || input_paused_) return;
  input_paused_ = true;
  place_.response.pause(true);
}

void CommandSession::on_input_taken() {
  if (!std::exchange(input_paused_, false) || over_) return;
  place_.response.pause(false);
}

// {"Width":80,"Height":24}, maybe in pieces
void CommandSession::take_size(std::string_view bytes) {
  size_text_ += bytes;
  if (size_text_.size() > kResizeBytesMax) size_text_.clear();
  const size_t end = size_text_.rfind('}');
  if (end == std::string::npos || running_ == nullptr) return;
  const size_t begin = size_text_.rfind('{', end);
  const std::string text =
      begin == std::string::npos ? "" : size_text_.substr(begin, end + 1 - begin);
  size_text_.erase(0, end + 1);
  json::Tree tree;
  const Result<json::Node> size = tree.parse(text);
  if (!size) return;
  const auto side = [&](std::string_view name) {
    return static_cast<uint16_t>(std::clamp<int64_t>((*size)[name].integer(), 0, UINT16_MAX));
  };
  running_->resize(side("Width"), side("Height"));
}

void CommandSession::on_channel_end(Channel channel) {
  if (channel != Channel::kInput || input_over_ || over_) return;
  input_over_ = true;
  if (running_ != nullptr) running_->close_input();
}

void CommandSession::on_output(bool is_error, std::string_view bytes) {
  if (over_ || !(is_error ? command_.error : command_.output)) return;
  channels_->send(is_error ? Channel::kError : Channel::kOutput, bytes);
  if (place_.response.backlog() < limits::kSendBufferBytesMax || output_paused_) return;
  output_paused_ = true;
  if (running_ != nullptr) running_->pause_output(true);
}

void CommandSession::on_drained() {
  if (!std::exchange(output_paused_, false) || over_ || running_ == nullptr) return;
  running_->pause_output(false);
}

void CommandSession::on_command_over(const port::CommandEnd& how) {
  if (over_) return;
  channels_->send(Channel::kStatus, command_status(how, command_.words, status_as_json_));
  channels_->finish();
  end();
}

void CommandSession::on_channels_broken() {
  if (!over_) end();
}

void CommandSession::end() {
  over_ = true;
  timer_->disarm();
  if (input_paused_) place_.response.pause(false);
  place_.clock.at_turn_end(*this);
}

// Neither the command nor the session may go from inside an event.
void CommandSession::on_turn_end() {
  if (ready_ && running_ == nullptr && !over_) start();
  if (!over_) return;
  running_.reset();
  place_.response.finish();
  place_.owner.on_session_over();
}

}  // namespace

Result<std::unique_ptr<Session>> open_command(const Place& place, api::PodCommand command) {
  auto session = std::make_unique<CommandSession>(place, std::move(command));
  TRY(session->open());
  return std::unique_ptr<Session>(std::move(session));
}

}  // namespace coracle::streams
