// SPDX-License-Identifier: GPL-2.0-or-later
// Refuses what a ResourceQuota has no room for (upstream plugin resourcequota). What a namespace
// uses is counted when it is first asked for and kept up by the changes that follow; writes that
// are on their way count too, so that two in one turn cannot both take the last place.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/client.h"
#include "api/quota.h"
#include "apiserver/request.h"
#include "base/result.h"
#include "store/store.h"

namespace coracle::apiserver {

class Quotas final : api::Feed {
 public:
  explicit Quotas(store::Store& store) : store_(store) {}
  ~Quotas();
  Quotas(const Quotas&) = delete;
  Quotas& operator=(const Quotas&) = delete;

  void start();
  // 403 `exceeded quota`, or the request holds its share until release().
  Result<> admit(Request& request);
  void release(Request& request);

 private:
  struct Count {
    bool known = false;  // else counted when it is next needed
    api::QuotaUsage used;
  };
  using Counts = std::map<std::string, Count, std::less<>>;            // by the quota's name
  using Shares = std::map<std::string, api::QuotaUsage, std::less<>>;  // likewise
  struct Held {
    std::string ns;
    Shares shares;
  };

  void on_change(const api::Change& change) override;
  void on_quota(const api::Change& change);
  void count(json::Node quota, std::string_view ns, Count& count) const;
  api::QuotaUsage used(std::string_view ns, std::string_view name, const Count& count) const;
  Result<> check(const Request& request, json::Node quota, Count& count, Shares& shares) const;

  store::Store& store_;
  bool started_ = false;
  std::map<std::string, Counts, std::less<>> namespaces_;  // those that have quotas
  std::map<uint64_t, Held> held_;                          // by ticket
  uint64_t tickets_ = 0;
};

}  // namespace coracle::apiserver
