// SPDX-License-Identifier: GPL-2.0-or-later
// Makes devices members of the store: one at a time, as learners that are promoted by themselves
// once they have caught up. A device that comes back under its name without its disk gets a new
// number; the old one is removed.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "daemon/identity.h"
#include "daemon/join_site.h"
#include "store/store.h"

namespace coracle::daemon {

class MemberAdmission final : public ServerAdmission, store::MembershipWaiter, port::Alarm {
 public:
  MemberAdmission(store::Membership& membership, port::Clock& clock, const Identity& identity);
  ~MemberAdmission();
  MemberAdmission(const MemberAdmission&) = delete;
  MemberAdmission& operator=(const MemberAdmission&) = delete;

  void admit(json::Node request, Applicant& applicant) override;
  void forget(Applicant& applicant) override;

 private:
  struct Application {
    store::Member member;
    Applicant* applicant = nullptr;  // null: has left
    Mono until;
  };
  void on_membership(Result<> outcome) override;
  void on_alarm(port::Timer&) override { next(); }
  void next();
  void answer(Result<std::string> text);
  std::string welcome(const store::Member& member) const;

  store::Membership& membership_;
  port::Clock& clock_;
  const Identity& identity_;
  std::deque<Application> queue_;  // the first one is under way
  bool asked_ = false;
  std::unique_ptr<port::Timer> retry_;
};

}  // namespace coracle::daemon
