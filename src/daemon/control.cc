// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/control.h"

#include "base/bytes.h"
#include "json/tree.h"
#include "json/writer.h"

namespace coracle::daemon {

namespace {

constexpr size_t kLineBytesMax = 64 * 1024;
constexpr size_t kConversationsMax = 16;     // more are closed at once
constexpr Duration kPatience = minutes(10);  // loading an image from slow flash takes its time

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  json::Writer out(line);
  out.begin_object();
  out.key("words");
  out.begin_array();
  for (const std::string& word : words)
    out.value(word);
  out.end_array();
  out.end_object();
  return line + "\n";
}

std::string answer_line(const Result<std::string>& text) {
  std::string line;
  json::Writer out(line);
  out.begin_object();
  out.member("ok", text.has_value());
  out.member("text", text ? std::string_view(*text) : std::string_view(text.error().message));
  out.end_object();
  return line + "\n";
}

// The asking side: collects one line.
class Question final : public port::StreamEvents, public port::Alarm {
 public:
  explicit Question(port_linux::Machine& machine) : machine_(machine) {}
  void on_connected() override { connected = true; }
  void on_bytes(std::string_view bytes) override {
    line += bytes;
    if (line.find('\n') != std::string::npos || line.size() > kLineBytesMax) machine_.stop();
  }
  void on_closed(std::string_view) override { machine_.stop(); }
  void on_alarm(port::Timer&) override { machine_.stop(); }

  std::string line;
  bool connected = false;

 private:
  port_linux::Machine& machine_;
};

}  // namespace

std::string control_path(const std::string& run_dir) {
  return run_dir + "/coracle.sock";
}

class ControlServer::Conversation final : public port::StreamEvents {
 public:
  Conversation(ControlServer& server, uint64_t token, std::unique_ptr<port::Stream> stream)
      : server_(server),
        token_(token),
        stream_(std::move(stream)) {
    stream_->listen_to(*this);
  }

  void answer(const Result<std::string>& text) {
    stream_->send(answer_line(text));
    stream_->finish();
  }

 private:
  void on_bytes(std::string_view bytes) override {
    if (asked_) return;
    line_ += bytes;
    const size_t end = line_.find('\n');
    if (end == std::string::npos) {
      if (line_.size() > kLineBytesMax) answer(fail(Code::kBadRequest, "the command is too long"));
      return;
    }
    asked_ = true;
    json::Tree tree;
    const auto command = tree.parse(std::string_view(line_).substr(0, end));
    std::vector<std::string> words;
    if (command) {
      for (const json::Node word : (*command)["words"])
        words.emplace_back(word.string());
    }
    server_.site_.on_command(token_, words);
  }

  void on_closed(std::string_view) override {
    server_.conversations_.erase(token_);
  }  // *this is gone

  ControlServer& server_;
  uint64_t token_;
  std::unique_ptr<port::Stream> stream_;
  std::string line_;
  bool asked_ = false;
};

ControlServer::ControlServer(ControlSite& site) : site_(site) {}
ControlServer::~ControlServer() = default;

Result<> ControlServer::listen(port::Network& network, const std::string& path) {
  listener_ = TRY(network.listen_local(path, *this));
  return {};
}

void ControlServer::answer(uint64_t token, const Result<std::string>& text) {
  const auto found = conversations_.find(token);
  if (found != conversations_.end()) found->second->answer(text);
}

void ControlServer::on_accept(std::unique_ptr<port::Stream> stream) {
  if (conversations_.size() >= kConversationsMax) return;
  const uint64_t token = next_token_++;
  conversations_[token] = std::make_unique<Conversation>(*this, token, std::move(stream));
}

Result<std::string> ask_daemon(port_linux::Machine& machine,
                               const std::string& path,
                               const std::vector<std::string>& words) {
  Question question(machine);
  const auto stream = machine.network().connect_local(path, question);
  stream->send(command_line(words));
  const auto timer = machine.clock().timer(question);
  timer->arm(machine.clock().now() + kPatience);
  machine.run();
  if (!question.connected) return fail(Code::kNotFound, "no server is running");
  const size_t end = question.line.find('\n');
  if (end == std::string::npos) return fail(Code::kUnavailable, "the server did not answer");
  json::Tree tree;
  const json::Node answer = TRY(tree.parse(std::string_view(question.line).substr(0, end)));
  if (!answer["ok"].boolean())
    return fail(Code::kUnavailable, std::string(answer["text"].string()));
  return std::string(answer["text"].string());
}

}  // namespace coracle::daemon
