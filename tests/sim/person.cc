// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/person.h"

#include <algorithm>

#include "base/bytes.h"
#include "tests/sim/errand.h"
#include "tests/sim/house.h"
#include "tests/unit/http/certificates.h"

namespace coracle::sim {
namespace {

// Refusals that a sound request may meet: somebody was quicker, or the server is in need.
bool may_be_refused_with(int status) {
  constexpr int kStatuses[] = {403, 404, 409, 429, 503, 504};
  return std::find(std::begin(kStatuses), std::end(kStatuses), status) != std::end(kStatuses);
}

}  // namespace

std::shared_ptr<const http::TlsClientContext> client_tls(port::Random& random) {
  http::TlsClientOptions options;
  options.ca_pem = testing_certificates::kAuthority;
  options.certificate_pem = testing_certificates::kClient;
  options.key_pem = testing_certificates::kClientKey;
  options.server_name = "127.0.0.1";  // as in the fixed certificate
  auto made = http::make_tls_client(options, random);
  ASSERT(made.has_value());
  return *made;
}

Person::Person(port_sim::Machine& desk, uint64_t seed, History& history, Findings& findings)
    : desk_(desk),
      dice_(seed),
      history_(history),
      findings_(findings),
      client_(desk.clock(), desk.network(), {"10.0.0.1", kApiPort}, client_tls(desk.random())),
      timer_(desk.clock().timer(*this)) {}

Person::~Person() {
  client_.close();
}

void Person::work() {
  working_ = true;
  think();
}

void Person::think() {
  const uint64_t most = dice_.chance(10) ? 2000 : 150;
  timer_->arm(desk_.clock().now() + milliseconds(static_cast<int64_t>(dice_.between(1, most))));
}

void Person::let_go() {
  if (waiting_) ++unanswered_;
  waiting_ = false;
  client_.close();
  if (working_) think();
}

void Person::on_alarm(port::Timer&) {
  if (!working_ || waiting_) return;
  ask(next_errand(dice_, history_));
}

void Person::ask(http::Request request) {
  asked_ = join({request.method, " ", request.path, " ", request.body});
  waiting_ = true;
  status_ = 0;
  body_.clear();
  client_.send(std::move(request), *this);
}

void Person::on_head(int status, const std::vector<http::Header>&) {
  status_ = status;
}

void Person::on_end() {
  waiting_ = false;
  history_.trace(join({asked_, std::to_string(status_), body_}));
  if (status_ / 100 == 2) {
    granted_++;
    check_granted();
  } else {
    refused_++;
    if (!may_be_refused_with(status_)) findings_.add(join({asked_, " was answered ", body_}));
  }
  if (working_) think();
}

void Person::on_failed(std::string_view why) {
  waiting_ = false;
  unanswered_++;
  history_.trace(join({asked_, why}));
  if (working_) think();
}

void Person::check_granted() {
  json::Tree tree;
  const auto answer = tree.parse(body_);
  if (!answer) return findings_.add(join({asked_, " was answered ", body_}));
  const json::Node metadata = (*answer)["metadata"];
  const auto version = parse_unsigned(metadata["resourceVersion"].string());
  if (!version || *version <= history_.floor()) return;  // a Status tells no version
  const api::Change* change = history_.at(*version);
  if (change == nullptr || change->after->name() != metadata["name"].string()) {
    findings_.add(join({asked_, " was granted as version ", std::to_string(*version),
                        ", which nobody else heard of"}));
  }
}

}  // namespace coracle::sim
