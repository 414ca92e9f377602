// SPDX-License-Identifier: GPL-2.0-or-later
// Asks for the next certificate of this agent when two thirds of the life of the present one are
// over, also long after its end: the key proves who asks, so a device that was off for years comes
// back by itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/agent_identity.h"
#include "http/client.h"
#include "port/random.h"

namespace coracle::daemon {

class RenewalListener {
 public:
  virtual void on_renewed(std::string_view answer) = 0;  // JSON as in take_join_answer

 protected:
  ~RenewalListener() = default;
};

class CertificateRenewal final : http::ClientEvents, port::Alarm {
 public:
  CertificateRenewal(port::Clock& clock,
                     port::Network& network,
                     port::Random& random,
                     RenewalListener& listener);
  CertificateRenewal(const CertificateRenewal&) = delete;
  CertificateRenewal& operator=(const CertificateRenewal&) = delete;

  void watch(const AgentIdentity& identity);
  void use_servers(std::vector<port::Endpoint> servers) { servers_ = std::move(servers); }

 private:
  void on_head(int status, const std::vector<http::Header>&) override { status_ = status; }
  void on_body(std::string_view bytes) override;
  void on_end() override;
  void on_failed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  Result<> ask();
  void failed(std::string_view why);

  port::Clock& clock_;
  port::Network& network_;
  port::Random& random_;
  RenewalListener& listener_;
  std::unique_ptr<port::Timer> timer_;
  std::vector<port::Endpoint> servers_;
  std::string authority_;
  pki::KeyAndCertificate own_;
  Wall due_;
  size_t attempts_ = 0;
  int status_ = 0;
  std::string body_;
  std::unique_ptr<http::Client> client_;
};

// When a certificate of ours shall be renewed: they are backdated by a fixed time.
Wall renewal_time(const pki::CertificateFacts& facts);
inline constexpr Duration kCertificateBackdate = seconds(int64_t{3650} * 86'400);

}  // namespace coracle::daemon
