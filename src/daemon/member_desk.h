// SPDX-License-Identifier: GPL-2.0-or-later
// Answers `coracle member`, `coracle leader` and the first lines of `coracle status` on a server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/control.h"
#include "store/store.h"

namespace coracle::daemon {

class MemberDesk final {
 public:
  MemberDesk(store::Membership& membership, ControlServer& control);
  ~MemberDesk();
  MemberDesk(const MemberDesk&) = delete;
  MemberDesk& operator=(const MemberDesk&) = delete;

  bool take(uint64_t token, const std::vector<std::string>& words);  // false: not for us

 private:
  class Order;
  raft::NodeId heir() const;
  Result<raft::NodeId> find(std::string_view name) const;
  Result<> begin(uint64_t token, const std::vector<std::string>& words);
  std::string standing() const;
  std::string member_lines() const;
  void ended(Order& order, Result<> outcome);

  store::Membership& membership_;
  ControlServer& control_;
  std::vector<std::unique_ptr<Order>> orders_;
};

}  // namespace coracle::daemon
