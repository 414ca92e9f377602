// SPDX-License-Identifier: GPL-2.0-or-later
// The cluster DNS of one node. It listens at the pods' gateway, on a port of its own so that it
// gets along with any DNS server of the node; the Service proxy leads the cluster's DNS address
// there, with rules that outlive the daemon. Pods and the node itself are served, nobody else.
// Nothing is awake while nobody asks.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/dns_forwarder.h"
#include "proxy/dns_zone.h"

namespace coracle::proxy {

inline constexpr uint16_t kDnsPort = 53;
inline constexpr uint16_t kDnsListenPort = 10053;

struct DnsServerOptions {
  Ip4 gateway;  // of this node's pods
  DnsZoneOptions zone;
};

class DnsServer final : port::DatagramEvents, port::Acceptor, port::Alarm, DnsForwarderEvents {
 public:
  DnsServer(api::Client& client,
            const SliceIndex& slices,
            const DnsPorts& ports,
            DnsServerOptions options);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  void start();  // an address that cannot be had is tried for again

 private:
  class Connection;
  // Who waits for an answer.
  struct Asker {
    uint64_t connection = 0;  // 0: by datagram
    port::Endpoint from;
  };
  struct Waiting {
    Asker asker;
    DnsQuery query;
    std::vector<DnsRecord> aliases;  // that led outside the cluster
  };

  void on_datagram(std::string_view bytes, const port::Endpoint& from) override;
  void on_accept(std::unique_ptr<port::Stream> stream) override;
  void on_alarm(port::Timer& timer) override;
  void on_forwarded(uint64_t token, std::string_view message) override;
  Result<> listen();
  bool is_served(const port::Endpoint& from) const;
  void take(const Asker& asker, std::string_view bytes);
  void forward(const Asker& asker, const DnsQuery& query, std::vector<DnsRecord> aliases);
  void answer_forwarded(const Waiting& waiting, std::string_view message);
  void give_up(const Asker& asker, const DnsQuery& query);
  void reply(const Asker& asker, const std::string& bytes);
  size_t room_for(const Asker& asker, const DnsQuery& query) const;
  void heard(uint64_t connection, std::string_view bytes);
  void close(uint64_t connection);

  DnsPorts ports_;
  DnsServerOptions options_;
  DnsZone zone_;
  DnsForwarder forwarder_;
  std::unique_ptr<port::Datagrams> datagrams_;
  std::unique_ptr<port::Listener> listener_;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::map<uint64_t, Waiting> waiting_;  // as many as the forwarder takes
  uint64_t next_ = 1;                    // connection or token
  std::unique_ptr<port::Timer> retry_;   // of listening
  std::unique_ptr<port::Timer> idle_;    // armed while there are connections
};

}  // namespace coracle::proxy
