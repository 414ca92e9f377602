// SPDX-License-Identifier: GPL-2.0-or-later
// Somebody who speaks TLS to a member and whatever else the test wants.
#pragma once

#include "http/secure_stream.h"
#include "peer/frame.h"
#include "peer/hello.h"
#include "tests/unit/peer/members.h"

namespace coracle::peer {

class Stranger final : public http::SecureEvents {
 public:
  Stranger(port_sim::World& world, const Member& to, const Credentials& credentials)
      : machine_(world.machine("stranger")) {
    http::TlsClientOptions options;
    options.ca_pem = Authority::ours().member(1).authority_pem;
    options.certificate_pem = credentials.certificate_pem;
    options.key_pem = credentials.key_pem;
    options.any_server = true;
    auto tls = http::make_tls_client(options, machine_.random());
    EXPECT_TRUE(tls);
    auto session =
        std::make_unique<http::TlsSession>(*tls, machine_.clock().trusted(), http::TlsTicket());
    stream = std::make_unique<http::SecureStream>(machine_.clock(), std::move(session), *this);
    stream->connect(machine_.network(), {to.machine.address(), kPort});
  }
  void on_open() override {
    open = true;
    stream->write(early_);
  }
  void on_plain(std::string_view bytes) override {
    got.append(bytes);
    reader_.trust();
    reader_.feed(bytes);
    for (auto frame = reader_.next(); frame && frame->has_value(); frame = reader_.next()) {
      types.push_back((*frame)->type);
      if ((*frame)->type == FrameType::kRefusal) refusal = (*frame)->payload;
    }
  }
  void on_turn() override {}
  void on_sent() override {}
  void on_ended(std::string_view reason) override {
    ended = true;
    why = reason;
  }
  void say(FrameType type, std::string_view payload) {
    std::string frame;
    put_frame(frame, type, payload);
    if (open) return stream->write(frame);
    early_ += frame;
  }
  void greet(raft::NodeId self, raft::NodeId to) {
    Hello hello;
    hello.cluster = kCluster;
    hello.from = self;
    hello.to = to;
    hello.instance = 77;
    hello.build = "x";
    say(FrameType::kHello, encode(hello));
  }

  std::unique_ptr<http::SecureStream> stream;
  bool open = false;
  bool ended = false;
  std::string got;
  std::string why;
  std::string refusal;
  std::vector<FrameType> types;

 private:
  port_sim::Machine& machine_;
  FrameReader reader_;
  std::string early_;
};

}  // namespace coracle::peer
