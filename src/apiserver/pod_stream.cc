// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pod_stream.h"

#include "api/pod_streams.h"
#include "apiserver/authorizer.h"
#include "apiserver/decode.h"
#include "apiserver/pod_log.h"
#include "base/bytes.h"
#include "streams/session.h"

namespace coracle::apiserver {
namespace {

class PodSession final : public Stream, streams::SessionOwner {
 public:
  explicit PodSession(Exchange& exchange) : exchange_(exchange) {}
  streams::SessionOwner& owner() { return *this; }
  void keep(std::unique_ptr<streams::Session> session) { session_ = std::move(session); }
  void on_drained() override { session_->on_drained(); }

 private:
  void on_session_over() override { exchange_.close(); }

  Exchange& exchange_;
  std::unique_ptr<streams::Session> session_;
};

bool truth(std::string_view text) {
  return !(text == "0" || text == "false" || text == "False");
}

api::PodCommand read_command(const Request& request) {
  api::PodCommand command;
  for (const auto& [name, value] : http::parse_query(request.http.query)) {
    if (name == "container") command.container = value;
    if (name == "command") command.words.push_back(value);
    if (name == "stdin") command.input = truth(value);
    if (name == "stdout") command.output = truth(value);
    if (name == "stderr") command.error = truth(value);
    if (name == "tty") command.terminal = truth(value);
  }
  return command;
}

// kubelet pkg/cri/streaming remotecommand NewOptions
Result<api::PodCommand> checked_command(const Request& request) {
  api::PodCommand command = read_command(request);
  TRY(choose_container(request, command.container));
  const bool attaches = request.subresource == api::Subresource::kAttach;
  if (attaches) command.words.clear();
  if (!attaches && command.words.empty())
    return fail(Code::kBadRequest, "you must specify a command");
  if (command.terminal) command.error = false;
  if (!command.input && !command.output && !command.error)
    return fail(Code::kBadRequest, "you must specify at least 1 of stdin, stdout, stderr");
  return command;
}

Result<std::vector<uint16_t>> read_ports(const Request& request) {
  std::vector<uint16_t> ports;
  for (const auto& [name, value] : http::parse_query(request.http.query)) {
    if (name != "port" && name != "ports") continue;
    for (const std::string_view text : split(value, ',')) {
      const auto port = parse_unsigned(text);
      if (!port || *port == 0 || *port > UINT16_MAX)
        return fail(Code::kBadRequest, join({"invalid port \"", text, "\""}));
      ports.push_back(static_cast<uint16_t>(*port));
    }
  }
  return ports;
}

// A WebSocket begins with GET, which alone must not be enough to change what runs (upstream
// AuthorizePodWebsocketUpgradeCreatePermission).
Result<> authorize_as_create(Parts& parts, Request& request) {
  const Verb verb = std::exchange(request.verb, Verb::kCreate);
  Result<> allowed = parts.authorizer.authorize(request);
  request.verb = verb;
  return allowed;
}

}  // namespace

Result<Next> stream_pod(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  if (request.verb == Verb::kGet) TRY(authorize_as_create(parts, request));
  TRY(load_stored(parts, request));
  if (request.old["spec"]["nodeName"].string().empty())
    return fail(Code::kBadRequest, join({"pod ", request.name, " does not have a host assigned"}));
  if (parts.streams == nullptr || exchange.response() == nullptr)
    return fail(Code::kUnavailable, "the node agent of this pod cannot be reached");
  auto stream = std::make_unique<PodSession>(exchange);
  const streams::Place place{parts.clock,  *parts.streams,       request.stored,
                             request.http, *exchange.response(), stream->owner()};
  if (request.subresource == api::Subresource::kPortForward) {
    const std::vector<uint16_t> ports = TRY(read_ports(request));
    stream->keep(TRY(streams::open_port_forward(place, ports)));
  } else {
    api::PodCommand command = TRY(checked_command(request));
    stream->keep(TRY(streams::open_command(place, std::move(command))));
  }
  exchange.stream = std::move(stream);
  exchange.lasts();
  return Next::kDone;
}

}  // namespace coracle::apiserver
