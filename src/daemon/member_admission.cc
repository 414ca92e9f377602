// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/member_admission.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "daemon/agent_identity.h"
#include "daemon/server_join.h"

namespace coracle::daemon {

namespace {

constexpr Duration kPatience = seconds(20);
constexpr Duration kRetryAfter = milliseconds(200);
constexpr size_t kQueueMax = 8;

// "0.1" of "0.1.0": what must be the same for members to understand each other.
std::string_view series(std::string_view version) {
  const size_t first = version.find('.');
  return version.substr(0, first == version.npos ? first : version.find('.', first + 1));
}

Result<store::Member> read_member(json::Node request) {
  const std::string_view version = request["version"].string();
  if (series(version) != series(CORACLE_VERSION))
    return fail(Code::kConflict,
                join({"Coracle ", version, " cannot join a cluster of Coracle ", CORACLE_VERSION,
                      "; bring the device to the version of the cluster first"}));
  store::Member member;
  member.name = std::string(request["nodeName"].string());
  member.addresses = {std::string(request["peerAddress"].string())};
  member.api_address = std::string(request["apiAddress"].string());
  member.wants_vote = true;
  const auto peer = parse_server(member.addresses[0]);
  if (!peer || peer->host.starts_with("127."))
    return fail(Code::kBadRequest,
                "the other servers could not reach this one; give it --node-ip, and no loopback "
                "address to --bind-address");
  return member;
}

}  // namespace

MemberAdmission::MemberAdmission(store::Membership& membership,
                                 port::Clock& clock,
                                 const Identity& identity)
    : membership_(membership),
      clock_(clock),
      identity_(identity),
      retry_(clock.timer(*this)) {}

MemberAdmission::~MemberAdmission() {
  membership_.forget(*this);
}

void MemberAdmission::admit(json::Node request, Applicant& applicant) {
  Result<store::Member> member = read_member(request);
  if (!member) return applicant.on_admitted(member.error());
  if (queue_.size() >= kQueueMax)
    return applicant.on_admitted(fail(Code::kTooManyRequests, "many servers join at this moment"));
  queue_.push_back({std::move(*member), &applicant, clock_.now() + kPatience});
  if (queue_.size() == 1) retry_->arm(clock_.now());
}

void MemberAdmission::forget(Applicant& applicant) {
  for (Application& each : queue_) {
    if (each.applicant == &applicant) each.applicant = nullptr;
  }
}

void MemberAdmission::next() {
  if (queue_.empty() || asked_) return;
  const store::Member& wanted = queue_.front().member;
  const auto& members = membership_.members();
  const auto old = std::find_if(members.begin(), members.end(), [&](const store::Member& each) {
    return each.name == wanted.name;
  });
  asked_ = true;
  if (old == members.end()) return membership_.put_member(wanted, *this);
  if (old->id == membership_.standing().self) {
    asked_ = false;
    return answer(fail(Code::kConflict, join({"\"", wanted.name,
                                              "\" is the name of the server that you ask; choose "
                                              "another with --node-name"})));
  }
  LOG(kInfo, "daemon: a server comes back without its disk", kv("name", wanted.name),
      kv("member", old->id));
  membership_.remove(old->id, *this);
}

void MemberAdmission::on_membership(Result<> outcome) {
  asked_ = false;
  if (queue_.empty()) return;
  const Application& first = queue_.front();
  if (!outcome) {
    const Code code = outcome.error().code;
    const bool passes = code == Code::kUnavailable || code == Code::kTimeout ||
                        code == Code::kConflict || code == Code::kNotFound;
    if (!passes || clock_.now() >= first.until) return answer(outcome.error());
    retry_->arm(clock_.now() + kRetryAfter);
    return;
  }
  for (const store::Member& each : membership_.members()) {
    if (each.name == first.member.name && each.addresses == first.member.addresses &&
        each.wants_vote)
      return answer(welcome(each));
  }
  retry_->arm(clock_.now());  // the old one is gone, or the new one not seen here yet
}

void MemberAdmission::answer(Result<std::string> text) {
  Applicant* applicant = queue_.front().applicant;
  queue_.pop_front();
  if (!queue_.empty()) retry_->arm(clock_.now());
  if (applicant != nullptr) applicant->on_admitted(std::move(text));
}

std::string MemberAdmission::welcome(const store::Member& member) const {
  Welcome welcome;
  welcome.authority = {identity_.ca_key_pem, identity_.ca_pem};
  welcome.peer_authority = identity_.peer_authority;
  welcome.service_account_key = identity_.service_account_key;
  welcome.joining = {membership_.cluster(), member.id, membership_.members()};
  return welcome_text(welcome);
}

}  // namespace coracle::daemon
