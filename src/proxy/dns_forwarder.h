// SPDX-License-Identifier: GPL-2.0-or-later
// Asks the name servers of the node (/etc/resolv.conf) on behalf of others, each question from a
// socket and port of its own. A server that does not answer is left alone for a while, so that a
// node without a network says so at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "port/clock.h"
#include "port/datagrams.h"
#include "port/disk.h"
#include "port/net.h"
#include "port/random.h"
#include "proxy/dns_message.h"

namespace coracle::proxy {

struct DnsPorts {
  port::Clock& clock;
  port::Disk& disk;
  port::Random& random;
  port::Network& network;
  port::DatagramNetwork& datagrams;
};

class DnsForwarderEvents {
 public:
  // Empty: no server answered. Never from inside ask().
  virtual void on_forwarded(uint64_t token, std::string_view message) = 0;

 protected:
  ~DnsForwarderEvents() = default;
};

class DnsForwarder final : port::Alarm {
 public:
  // `own`: addresses that would lead back to ourselves.
  DnsForwarder(const DnsPorts& ports, std::vector<std::string> own, DnsForwarderEvents& events);
  ~DnsForwarder();
  DnsForwarder(const DnsForwarder&) = delete;
  DnsForwarder& operator=(const DnsForwarder&) = delete;

  // An answer that is still good, made out to this query.
  std::optional<std::string> remembered(const DnsQuery& query, size_t bytes_max) const;
  // False: nobody can be asked now. `stream`: over TCP, for answers of any length.
  bool ask(uint64_t token, const DnsQuery& query, bool stream);
  size_t under_way() const { return flights_.size(); }

 private:
  class Flight;
  struct Upstream {
    port::Endpoint at;
    int failures = 0;
    Mono resumes;  // not asked before
  };
  struct Entry {
    std::string key;
    std::string message;
    Mono stored;
    Mono ends;
  };

  void on_alarm(port::Timer& timer) override;
  void read_servers();
  bool try_next(Flight& flight);
  void failed(Flight& flight);
  void landed(Flight& flight, std::string_view message);
  void finish(Flight& flight, std::string_view message);
  void remember(const DnsQuery& query, std::string_view message);
  void arm();

  DnsPorts ports_;
  std::vector<std::string> own_;
  DnsForwarderEvents& events_;
  std::vector<Upstream> servers_;
  std::optional<Mono> servers_read_;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::vector<Entry> entries_;  // a place for each hash of a key; made when first needed
  std::unique_ptr<port::Timer> timer_;
};

// The servers of a resolv.conf, as libc reads it: three at most.
std::vector<std::string> name_servers_in(std::string_view text);

}  // namespace coracle::proxy
