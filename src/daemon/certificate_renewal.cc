// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/certificate_renewal.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "client/answer.h"
#include "json/writer.h"
#include "pki/token.h"

namespace coracle::daemon {

namespace {

constexpr Duration kLookEvery = minutes(60);  // the wall clock may be set meanwhile
constexpr Duration kRetryFirst = seconds(5);
constexpr Duration kRetryMax = minutes(10);
constexpr size_t kAnswerBytesMax = 64 * 1024;

}  // namespace

Wall renewal_time(const pki::CertificateFacts& facts) {
  const Wall issued = facts.not_before + kCertificateBackdate;
  const Duration life = facts.not_after - issued;
  return life.ns > 0 ? issued + Duration{life.ns / 3 * 2} : facts.not_before;
}

CertificateRenewal::CertificateRenewal(port::Clock& clock,
                                       port::Network& network,
                                       port::Random& random,
                                       RenewalListener& listener)
    : clock_(clock),
      network_(network),
      random_(random),
      listener_(listener),
      timer_(clock.timer(*this)) {}

void CertificateRenewal::watch(const AgentIdentity& identity) {
  servers_ = identity.servers;
  authority_ = identity.authority_pem;
  own_ = identity.own;
  attempts_ = 0;
  const Result<pki::CertificateFacts> facts = pki::read_certificate(own_.certificate_pem);
  due_ = facts ? renewal_time(*facts) : Wall{};
  timer_->arm(clock_.now());
}

void CertificateRenewal::on_alarm(port::Timer&) {
  const Duration left = due_ - clock_.trusted();
  if (left.ns > 0) return timer_->arm(clock_.now() + std::min(left, kLookEvery));
  if (const Result<> asked = ask(); !asked) failed(asked.error().message);
}

Result<> CertificateRenewal::ask() {
  const port::Endpoint& server = servers_[attempts_ % servers_.size()];
  const std::string public_key = TRY(pki::public_key_pem(own_.key_pem, random_));
  std::string claims;
  json::Writer claim(claims);
  claim.begin_object();
  claim.member("publicKey", std::string_view(public_key));
  claim.end_object();
  http::Request request;
  request.method = "POST";
  request.path = "/coracle/v1/renew";
  request.headers = {{"accept", "application/json"}, {"content-type", "application/json"}};
  const std::string proof = TRY(pki::sign_token(claims, own_.key_pem, random_));
  json::Writer out(request.body);
  out.begin_object();
  out.member("certificate", std::string_view(own_.certificate_pem));
  out.member("publicKey", std::string_view(public_key));
  out.member("proof", std::string_view(proof));
  out.end_object();
  http::TlsClientOptions tls;
  tls.ca_pem = authority_;
  tls.server_name = "kubernetes";
  auto context = TRY(http::make_tls_client(tls, random_));
  client_ = std::make_unique<http::Client>(clock_, network_, server, std::move(context));
  status_ = 0;
  body_.clear();
  client_->send(request, *this);
  return {};
}

void CertificateRenewal::on_body(std::string_view bytes) {
  if (body_.size() + bytes.size() <= kAnswerBytesMax) body_ += bytes;
}

void CertificateRenewal::on_end() {
  if (status_ != 200) return failed(client::read_error(status_, body_).message);
  const std::string answer = std::exchange(body_, {});
  listener_.on_renewed(answer);
}

void CertificateRenewal::on_failed(std::string_view why) {
  failed(why);
}

void CertificateRenewal::failed(std::string_view why) {
  if (attempts_ == 0) LOG(kWarn, "daemon: certificate not renewed yet", kv("why", why));
  ++attempts_;
  const auto doublings = std::min<size_t>(attempts_, 8);
  timer_->arm(clock_.now() + std::min(kRetryFirst * (int64_t{1} << doublings), kRetryMax));
}

}  // namespace coracle::daemon
