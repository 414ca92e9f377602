// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams/agent_sessions.h"

#include "base/bytes.h"

namespace coracle::streams {
namespace {

constexpr size_t kSessionsMax = 64;

bool truth(std::string_view text) {
  return !(text == "0" || text == "false" || text == "False");
}

}  // namespace

api::PodCommand read_command(std::string_view query) {
  api::PodCommand command;
  for (const auto& [name, value] : http::parse_query(query)) {
    if (name == "container") command.container = value;
    if (name == "command") command.words.push_back(value);
    if (name == "stdin") command.input = truth(value);
    if (name == "stdout") command.output = truth(value);
    if (name == "stderr") command.error = truth(value);
    if (name == "tty") command.terminal = truth(value);
  }
  if (command.terminal) command.error = false;
  return command;
}

Result<std::vector<uint16_t>> read_ports(std::string_view query) {
  std::vector<uint16_t> ports;
  for (const auto& [name, value] : http::parse_query(query)) {
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

class AgentSessions::Open final : SessionOwner {
 public:
  Open(AgentSessions& all, http::Response& response) : all_(all), response_(response) {}
  SessionOwner& owner() { return *this; }
  void keep(std::unique_ptr<Session> session) { session_ = std::move(session); }
  void on_drained() { session_->on_drained(); }

 private:
  void on_session_over() override { all_.open_.erase(&response_); }

  AgentSessions& all_;
  http::Response& response_;
  std::unique_ptr<Session> session_;
};

AgentSessions::AgentSessions(port::Clock& clock) : clock_(clock) {}
AgentSessions::~AgentSessions() = default;

bool AgentSessions::takes(std::string_view path) {
  return path.starts_with("/exec/") || path.starts_with("/attach/") ||
         path.starts_with("/portForward/");
}

Result<> AgentSessions::begin(api::PodStreams& pods,
                              api::ObjectRef pod,
                              const http::Request& request,
                              http::Response& response) {
  if (open_.size() >= kSessionsMax) return fail(Code::kTooManyRequests, "many sessions are open");
  const std::vector<std::string_view> parts = split(request.path, '/');
  auto open = std::make_unique<Open>(*this, response);
  const Place place{clock_, pods, std::move(pod), request, response, open->owner()};
  if (parts[1] == "portForward") {
    const std::vector<uint16_t> ports = TRY(read_ports(request.query));
    open->keep(TRY(open_port_forward(place, ports)));
  } else {
    if (parts.size() != 5) return fail(Code::kNotFound, "there is nothing at this path");
    api::PodCommand command = read_command(request.query);
    command.container = std::string(parts[4]);
    if (parts[1] == "attach") command.words.clear();
    open->keep(TRY(open_command(place, std::move(command))));
  }
  response.vouch();
  open_[&response] = std::move(open);
  return {};
}

void AgentSessions::on_drained(http::Response& response) {
  const auto found = open_.find(&response);
  if (found != open_.end()) found->second->on_drained();
}

void AgentSessions::on_gone(http::Response& response) {
  open_.erase(&response);
}

}  // namespace coracle::streams
