// SPDX-License-Identifier: GPL-2.0-or-later
// RemoteClient: the api::Client of an agent, over one connection to any server. It keeps what the
// node agent and the proxy of one node read: all Services, EndpointSlices and (slim) Nodes, the
// Pods bound to this node, its Lease, and the Secrets and ConfigMaps that those Pods name. A Pod is
// shown only when what it names was looked up, so that nobody mistakes "not yet" for "not there".
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/client.h"
#include "client/cache.h"
#include "client/calls.h"
#include "client/link.h"
#include "client/reflector.h"
#include "port/disk.h"

namespace coracle::client {

struct RemotePorts {
  port::Clock& clock;
  port::Network& network;
  port::Random& random;
  port::Disk& disk;
  port::Lane& lane;  // writes the memory
};

struct RemoteOptions {
  std::string node_name;
  std::vector<port::Endpoint> servers;
  std::string memory_path;
  http::Header mark;  // of every request; may be empty
};

class RemoteListener {
 public:
  virtual void on_complete() = 0;  // once: all was listed
  virtual void on_servers(const std::vector<port::Endpoint>& servers) = 0;

 protected:
  ~RemoteListener() = default;
};

class RemoteClient final : public api::Client,
                           LinkEvents,
                           Reflected,
                           Witness,
                           port::TurnEnd,
                           port::Alarm {
 public:
  RemoteClient(const RemotePorts& ports, RemoteOptions options);
  ~RemoteClient();
  RemoteClient(const RemoteClient&) = delete;
  RemoteClient& operator=(const RemoteClient&) = delete;

  // Fills the state with what was known last time; before start().
  Result<> remember();
  void use_tls(std::shared_ptr<const http::TlsClientContext> tls) { link_.use_tls(std::move(tls)); }
  void start(RemoteListener& listener);
  bool complete() const { return complete_; }
  void use_servers(std::vector<port::Endpoint> servers) { link_.use_servers(std::move(servers)); }
  bool connected() const { return link_.up(); }

  const api::State& state() const override { return cache_; }
  void subscribe(api::Feed& feed) override { feeds_.push_back(&feed); }
  void unsubscribe(api::Feed& feed) override;
  void submit(api::Call call, api::Caller& caller, uint64_t token) override {
    calls_.submit(std::move(call), caller, token);
  }
  void forget(api::Caller& caller) override { calls_.forget(caller); }

 private:
  using Name = std::pair<std::string, std::string>;  // namespace, name
  struct Followed {
    Reflector reflector;
    std::set<Name> seen;  // of the list under way
    Followed(port::Clock& clock, Reflected& reflected, Selection selection)
        : reflector(clock, reflected, std::move(selection)) {}
  };

  void on_link_up(http::Channel& channel) override;
  void on_link_down() override;
  void on_list_begins(Reflector& from) override;
  void on_object(Reflector& from, api::ObjectRef object) override;
  void on_gone(Reflector& from, const api::Object& last) override;
  void on_list_complete(Reflector& from, uint64_t version) override;
  void on_stopped(Reflector& from) override;
  void on_stored(const api::ObjectRef& object) override;
  void on_absent(const api::Key& key) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;

  void follow(Selection selection);
  Followed& followed_of(const Reflector& reflector);
  const Followed* follower_of(const api::Key& key) const;
  void take_pod(api::ObjectRef pod);
  bool may_show(const std::set<api::Key>& needs) const;
  void show_held();
  void settle_needs();
  void forget_all_but(Reflector& from, uint64_t version);
  void tell(std::optional<api::Change> change);
  void learn_servers(const api::Object& slice);
  void plan_save(const api::Change& change);
  void save();
  void run_due();

  RemotePorts ports_;
  RemoteOptions options_;
  RemoteListener* listener_ = nullptr;
  Cache cache_;
  std::vector<api::Feed*> feeds_;
  std::vector<std::unique_ptr<Followed>> base_;
  std::map<api::Key, std::unique_ptr<Followed>> needed_;
  std::map<Name, std::set<api::Key>> needs_;  // by Pod
  std::map<Name, api::ObjectRef> held_;       // Pods that wait for what they name
  Calls calls_;
  std::unique_ptr<port::Timer> retry_;
  std::unique_ptr<port::Timer> save_;
  uint32_t saved_sum_ = 0;
  bool needs_changed_ = false;
  bool complete_ = false;
  http::Channel* channel_ = nullptr;
  Link link_;  // last: its channel points to the others
};

}  // namespace coracle::client
