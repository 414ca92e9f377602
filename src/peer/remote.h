// SPDX-License-Identifier: GPL-2.0-or-later
// One other member as this one knows it: where it may be reached, the connection in use, and what
// the store has still to be told. Owned by Peers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "peer/link.h"
#include "peer/news.h"
#include "port/clock.h"
#include "port/random.h"
#include "store/transport.h"

namespace coracle::peer {

class Remote;

class RemoteOwner {
 public:
  virtual void call(Remote& remote) = 0;
  virtual void on_doubt_over(Remote& remote) = 0;

 protected:
  ~RemoteOwner() = default;
};

class Remote final : private port::Alarm {
 public:
  // `patience`: how long it may take until the other one calls, before we do.
  Remote(raft::NodeId id, Duration patience, port::Clock& clock, RemoteOwner& owner)
      : id_(id),
        patience_(patience),
        clock_(clock),
        owner_(owner),
        retry_(clock.timer(*this)) {}

  raft::NodeId id() const { return id_; }
  bool listed() const { return listed_; }
  void list(const std::vector<port::Endpoint>& endpoints);
  void unlist();
  // It called from there, and says that it listens on that port: tried before what is listed.
  void learn(const port::Endpoint& endpoint);

  // Calls soon unless it is connected, or being called.
  void want_call();
  void call_now();
  std::optional<port::Endpoint> next_endpoint();
  // Waits longer each time; longer still where it was refused.
  void failed(port::Random& random, bool refused);
  void succeeded();
  struct Doubt {
    raft::NodeId informant = raft::kNobody;  // kNobody: there is none
    uint64_t instance = 0;
    bool alive = false;  // the informant has checked
    Mono since = {};
  };
  // Another member has sighted another instance of it: whether ours is alive shows soon.
  void doubt(const Doubt& doubt);
  Link* current = nullptr;    // messages go here
  Link* calling = nullptr;    // made by us, not open yet
  Link* contender = nullptr;  // on hold while `current` shows whether it is alive
  bool unreachable = false;   // a message was dropped
  bool snapshot_failed = false;
  bool absent = false;  // nobody listens where it was
  Doubt doubted;
  News news;  // not each of a hundred vain attempts is

 private:
  void on_alarm(port::Timer& timer) override;

  raft::NodeId id_;
  Duration patience_;
  port::Clock& clock_;
  RemoteOwner& owner_;
  std::unique_ptr<port::Timer> retry_;
  std::unique_ptr<port::Timer> doubt_;  // made when there is one: hardly ever
  std::vector<port::Endpoint> endpoints_;
  std::optional<port::Endpoint> learned_;
  size_t next_ = 0;
  uint32_t failures_ = 0;
  bool listed_ = false;
};

}  // namespace coracle::peer
