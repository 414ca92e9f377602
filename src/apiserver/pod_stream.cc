// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pod_stream.h"

#include "api/pod_streams.h"
#include "apiserver/authorizer.h"
#include "apiserver/decode.h"
#include "apiserver/pod_log.h"
#include "base/bytes.h"
#include "streams/agent_sessions.h"
#include "streams/relay.h"

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
  void on_session_failed(const Error& why) override { exchange_.fail(why); }

  Exchange& exchange_;
  std::unique_ptr<streams::Session> session_;
};

// kubelet pkg/cri/streaming remotecommand NewOptions
Result<api::PodCommand> checked_command(const Request& request) {
  api::PodCommand command = streams::read_command(request.http.query);
  TRY(choose_container(request, command.container));
  const bool attaches = request.subresource == api::Subresource::kAttach;
  if (attaches) command.words.clear();
  if (!attaches && command.words.empty())
    return fail(Code::kBadRequest, "you must specify a command");
  if (!command.input && !command.output && !command.error)
    return fail(Code::kBadRequest, "you must specify at least 1 of stdin, stdout, stderr");
  return command;
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

namespace {

// Where the agent of another node serves it.
std::string target_at(const Request& request, std::string_view container) {
  const bool forwards = request.subresource == api::Subresource::kPortForward;
  std::string target = join({forwards                                           ? "/portForward/"
                             : request.subresource == api::Subresource::kAttach ? "/attach/"
                                                                                : "/exec/",
                             request.ns, "/", request.name});
  if (!forwards) target += join({"/", container});
  return request.http.query.empty() ? target : join({target, "?", request.http.query});
}

Result<std::optional<streams::Agent>> remote_agent(Parts& parts, const Request& request) {
  if (parts.agents == nullptr) return std::optional<streams::Agent>();
  return parts.agents->agent_of(std::string(request.old["spec"]["nodeName"].string()));
}

}  // namespace

Result<Next> stream_pod(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  if (request.verb == Verb::kGet) TRY(authorize_as_create(parts, request));
  TRY(load_stored(parts, request));
  if (request.old["spec"]["nodeName"].string().empty())
    return fail(Code::kBadRequest, join({"pod ", request.name, " does not have a host assigned"}));
  if (exchange.response() == nullptr)
    return fail(Code::kBadRequest, "streams are for clients of HTTP");
  const bool forwards = request.subresource == api::Subresource::kPortForward;
  api::PodCommand command;
  if (!forwards) command = TRY(checked_command(request));
  const std::vector<uint16_t> ports = TRY(streams::read_ports(request.http.query));
  auto stream = std::make_unique<PodSession>(exchange);
  if (const auto agent = TRY(remote_agent(parts, request))) {
    const streams::RelayPlace place{parts.clock, parts.agents->network(), request.http,
                                    *exchange.response(), stream->owner()};
    stream->keep(streams::open_relay(place, *agent, target_at(request, command.container)));
  } else {
    if (parts.streams == nullptr)
      return fail(Code::kUnavailable, "the node agent of this pod cannot be reached");
    const streams::Place place{parts.clock,  *parts.streams,       request.stored,
                               request.http, *exchange.response(), stream->owner()};
    stream->keep(forwards ? TRY(streams::open_port_forward(place, ports))
                          : TRY(streams::open_command(place, std::move(command))));
  }
  exchange.stream = std::move(stream);
  exchange.lasts();
  return Next::kDone;
}

}  // namespace coracle::apiserver
