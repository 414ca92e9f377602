// SPDX-License-Identifier: GPL-2.0-or-later
// How devices become part of the cluster, beside the Kubernetes API on the same port:
//   GET  /coracle/v1/authority?token=<id>   the cluster's authority and a code made from the secret
//   POST /coracle/v1/join                   Bearer <id>.<secret>: a certificate for a new key
//   POST /coracle/v1/renew                  proof by the key of before: the next certificate
// Everything else goes on to the API server.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/client.h"
#include "daemon/bootstrap_token.h"
#include "daemon/instance_book.h"
#include "http/server.h"
#include "pki/certificate.h"
#include "port/clock.h"
#include "port/random.h"

namespace coracle::daemon {

// What those who join are told, beside their certificate.
struct JoinTerms {
  pki::KeyAndCertificate authority;
  std::string cluster_cidr;
  std::string service_cidr;
  std::string cluster_dns;
  std::string cluster_domain;
  std::string own_address;  // "192.0.2.1:6443", if the API names no servers yet
  Duration certificate_life;
};

// Lets a device become a server. Answers later, exactly once, unless forgotten.
class ServerAdmission {
 public:
  class Applicant {
   public:
    // Adds to the answer, or says why not.
    virtual void on_admitted(Result<std::string> answer_json) = 0;

   protected:
    ~Applicant() = default;
  };
  virtual void admit(json::Node request, Applicant& applicant) = 0;
  virtual void forget(Applicant& applicant) = 0;

 protected:
  ~ServerAdmission() = default;
};

// Refuses guessing: a few wrong tokens a minute from one address, some more from all.
class Patience {
 public:
  bool exhausted(std::string_view address, Mono now);
  void failed(std::string_view address, Mono now);

 private:
  struct Failures {
    std::string address;
    uint32_t count = 0;
  };
  void begin_minute(Mono now);
  Mono since_;
  uint32_t total_ = 0;
  std::vector<Failures> by_address_;
};

class JoinSite final : public http::Site {
 public:
  // `client` acts with all rights. `servers` may be null: then only agents are admitted.
  JoinSite(http::Site& next,
           api::Client& client,
           port::Clock& clock,
           port::Random& random,
           JoinTerms terms);
  ~JoinSite();
  JoinSite(const JoinSite&) = delete;
  JoinSite& operator=(const JoinSite&) = delete;
  void admit_servers_by(ServerAdmission* servers) { servers_ = servers; }

  void on_request(http::Request&& request, http::Response& response) override;
  void on_drained(http::Response& response) override;
  void on_gone(http::Response& response) override;
  std::string refusal(int status, std::string_view why) override {
    return next_.refusal(status, why);
  }

 private:
  class Joining;
  Result<> check_device(const http::Request& request);
  void show_authority(const http::Request& request, http::Response& response);
  void begin_join(const http::Request& request, http::Response& response);
  void renew(const http::Request& request, http::Response& response);
  Result<BootstrapToken> check_token(const http::Request& request, std::string_view role);
  Result<std::string> issue(std::string_view node,
                            std::string_view identity,
                            std::string_view public_key);
  Result<std::string> make_renewal(json::Node body);
  void add_terms(json::Node answer) const;
  void ended(Joining& joining);

  http::Site& next_;
  api::Client& client_;
  port::Clock& clock_;
  port::Random& random_;
  const JoinTerms terms_;
  ServerAdmission* servers_ = nullptr;
  Patience patience_;
  InstanceBook instances_;
  std::map<http::Response*, std::unique_ptr<Joining>> joining_;
};

}  // namespace coracle::daemon
