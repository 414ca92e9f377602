// SPDX-License-Identifier: GPL-2.0-or-later
// One connection to one other member, made by either side: TLS with certificates of both, a
// greeting, then frames both ways until one side goes or falls silent.
//
// Owned by Peers, which frees it at the end of the turn in which it retired: a link is never gone
// while one of its own events runs.
#pragma once

#include <memory>
#include <string>

#include "http/secure_stream.h"
#include "peer/hello.h"
#include "peer/inbox.h"
#include "peer/outbox.h"
#include "port/clock.h"
#include "port/net.h"

namespace coracle::peer {

class Link;

// What members tell each other so that two processes with one identity come to light, even if no
// third one is called by both.
struct Sighting {
  raft::NodeId member = raft::kNobody;
  uint64_t instance = 0;
  bool disputes = false;  // another one that was sighted
};

class LinkOwner {
 public:
  // Its greeting is sound: admit(), refuse() or hold() it.
  virtual void on_greeted(Link& link) = 0;
  virtual void on_contest_over(Link& link) = 0;  // of a link on hold: time is up
  virtual void on_open(Link& link) = 0;
  virtual void on_retired(Link& link) = 0;  // once; never from inside refuse() or leave()
  virtual void on_snapshot_settled(Link& link, bool failed, std::string_view why) = 0;
  virtual void on_sighting(Link& link, const Sighting& sighting) = 0;
  virtual void on_own_removal() = 0;  // another member says so

 protected:
  ~LinkOwner() = default;
};

class Link final : private http::SecureEvents, private port::Alarm {
 public:
  enum class Phase : uint8_t { kConnecting, kGreeting, kHeld, kOpen, kLeaving, kRetired };
  enum class Side : uint8_t { kCaller, kCalled };

  struct Surroundings {
    port::Clock& clock;
    Delivery& delivery;
    const Hello& own;  // `to` is filled in
    LinkOwner& owner;
  };

  Link(const Surroundings& around, raft::NodeId calls);  // kNobody: was called, by whom will show
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void call(port::Network& network,
            const port::Endpoint& to,
            std::shared_ptr<const http::TlsClientContext> tls);
  void accept(std::unique_ptr<port::Stream> stream,
              std::shared_ptr<const http::TlsServerContext> tls);

  void admit();
  void hold();                          // until admit() or refuse(), or on_contest_over
  void refuse(const std::string& why);  // tells the other side, then leaves
  void leave(const std::string& why);   // in peace
  void cut(std::string_view why);       // at once
  void tell(const Sighting& sighting);
  void probe();  // shows soon whether the other side is there

  Phase phase() const { return phase_; }
  bool is_open() const { return phase_ == Phase::kOpen; }
  bool is_over() const { return phase_ == Phase::kLeaving || phase_ == Phase::kRetired; }
  Side side() const { return side_; }
  raft::NodeId member() const { return member_; }  // certified; kNobody before the greeting
  const Hello& hello() const { return hello_; }    // of the other side
  const port::Endpoint& address() const { return address_; }
  const std::string& why() const { return why_; }  // it ended
  bool in_peace() const { return in_peace_; }      // nobody need be told
  bool was_refused() const { return refused_; }    // by the other side or by us, for good reason
  Mono opened() const { return opened_; }
  Mono heard() const { return heard_; }
  Mono held() const { return held_; }
  Mono began() const { return began_; }
  Outbox& outbox() { return outbox_; }
  void wake() { stream_->wake(); }  // something waits in the outbox
  void close_inbox() { inbox_.close(); }

 private:
  void on_open() override;
  void on_plain(std::string_view bytes) override;
  void on_turn() override;
  void on_sent() override { pump(); }
  void on_ended(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;

  void use(std::unique_ptr<http::TlsSession> session);
  void greet();
  void drain();
  void take(const Frame& frame);
  void take_hello(std::string_view payload);
  void take_refusal(std::string_view text);
  void take_reply(std::string_view payload);
  void take_sighting(const Frame& frame);
  void pump();
  void say(FrameType type, std::string_view payload = {});
  void spoke();
  void watch();
  void depart(const std::string& why);
  void retire(std::string_view why);

  Surroundings around_;
  Side side_;
  raft::NodeId calls_;
  raft::NodeId member_ = raft::kNobody;
  port::Endpoint address_;
  std::unique_ptr<http::SecureStream> stream_;
  std::unique_ptr<port::Timer> timer_;
  FrameReader reader_;
  Inbox inbox_;
  Outbox outbox_;
  Hello hello_;
  std::string why_;
  Phase phase_ = Phase::kConnecting;
  Mono opened_;
  Mono heard_;
  Mono held_;
  Mono began_;
  bool asked_ = false;   // something was said since it was last heard
  bool pinged_ = false;  // and it was a ping
  bool draining_ = false;
  bool refused_ = false;
  bool in_peace_ = false;
};

}  // namespace coracle::peer
