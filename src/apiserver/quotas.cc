// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/quotas.h"

#include <set>

#include "api/quantity.h"
#include "apiserver/admission.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

using api::QuotaUsage;

std::string text_of(json::Node amount) {
  return amount.is_string() ? std::string(amount.string()) : json::write(amount);
}

// "pods=1,requests.cpu=500m"
std::string listed(const QuotaUsage& amounts) {
  std::string text;
  for (const auto& [name, amount] : amounts)
    text += join({text.empty() ? "" : ",", name, "=", api::quota_quantity(name, amount)});
  return text;
}

// What `object` adds to what the quota counts, beyond what `old` did; only what the quota limits.
QuotaUsage added(const Request& request, json::Node quota) {
  QuotaUsage now;
  QuotaUsage before;
  if (api::quota_covers(quota, *request.kind, request.object))
    api::add_quota_usage(*request.kind, request.object, now);
  if (request.old && api::quota_covers(quota, *request.kind, request.old))
    api::add_quota_usage(*request.kind, request.old, before);
  QuotaUsage more;
  for (const json::Node limit : quota["spec"]["hard"]) {
    const std::string name(limit.key());
    const int64_t amount = now[name] - before[name];
    if (amount > 0) more[name] = amount;
  }
  return more;
}

// kubernetes pkg/quota/v1/evaluator/core podEvaluator.Constraints: what is limited must be said.
std::string unsaid(json::Node pod, json::Node hard) {
  constexpr std::string_view kMustBeSaid[] = {"cpu",    "limits.cpu",   "limits.memory",
                                              "memory", "requests.cpu", "requests.memory"};
  std::string text;
  for (std::string_view name : kMustBeSaid) {
    if (!hard[name]) continue;
    const size_t dot = name.find('.');
    const bool plain = dot == std::string_view::npos;
    const std::string_view which = plain ? "requests" : name.substr(0, dot);
    std::set<std::string_view> silent;
    for (std::string_view list : {"containers", "initContainers"}) {
      for (const json::Node container : pod["spec"][list]) {
        const json::Node said = container["resources"][which];
        if (!said[plain ? name : name.substr(dot + 1)]) silent.insert(container["name"].string());
      }
    }
    if (silent.empty()) continue;
    text += join({text.empty() ? "must specify " : "; ", name, " for: "});
    for (std::string_view container : silent)
      text += join({container == *silent.begin() ? "" : ",", container});
  }
  return text;
}

// A change as what a quota counts less and more of; parsed when the first quota looks at it.
class Difference {
 public:
  explicit Difference(const api::Change& change) : change_(change) {}

  void apply(json::Node quota, QuotaUsage& used) {
    const api::Kind& kind = change_.after->kind();
    if (!api::quota_counts(quota["spec"]["hard"], kind)) return;
    parse();
    QuotaUsage gone;
    if (now_ && api::quota_covers(quota, kind, now_)) api::add_quota_usage(kind, now_, used);
    if (before_ && api::quota_covers(quota, kind, before_))
      api::add_quota_usage(kind, before_, gone);
    for (const auto& [what, amount] : gone)
      used[what] -= amount;
  }

 private:
  void parse() {
    if (parsed_) return;
    parsed_ = true;
    if (change_.type == api::ChangeType::kDeleted) {
      before_ = change_.after->parse(trees_[0]);
      return;
    }
    now_ = change_.after->parse(trees_[1]);
    if (change_.before) before_ = change_.before->parse(trees_[0]);
  }

  const api::Change& change_;
  json::Tree trees_[2];
  json::Node before_;
  json::Node now_;
  bool parsed_ = false;
};

}  // namespace

Quotas::~Quotas() {
  if (started_) store_.unsubscribe(*this);
}

void Quotas::start() {
  api::for_each(store_, api::kResourceQuota, {}, [this](const api::ObjectRef& quota) {
    namespaces_[std::string(quota->ns())][std::string(quota->name())];
  });
  store_.subscribe(*this);
  started_ = true;
}

void Quotas::on_quota(const api::Change& change) {
  const api::Object& quota = *change.after;
  const auto found = namespaces_.find(quota.ns());
  if (change.type == api::ChangeType::kDeleted) {
    if (found == namespaces_.end()) return;
    found->second.erase(std::string(quota.name()));
    if (found->second.empty()) namespaces_.erase(found);
    return;
  }
  Count& count = namespaces_[std::string(quota.ns())][std::string(quota.name())];
  if (!change.before) return;
  json::Tree now;
  json::Tree before;
  const bool same = json::equal(quota.parse(now)["spec"], change.before->parse(before)["spec"]);
  if (!same) count.known = false;
}

void Quotas::on_change(const api::Change& change) {
  const api::Object& object = *change.after;
  const auto found = namespaces_.find(object.ns());
  if (found != namespaces_.end()) {
    Difference difference(change);
    for (auto& [name, count] : found->second) {
      if (!count.known) continue;
      const api::ObjectRef quota = store_.get(api::kResourceQuota, object.ns(), name);
      json::Tree tree;
      if (quota) difference.apply(quota->parse(tree), count.used);
    }
  }
  if (&object.kind() == &api::kResourceQuota) on_quota(change);
}

void Quotas::count(json::Node quota, std::string_view ns, Count& count) const {
  count.used.clear();
  for (const api::Kind* kind : api::all_kinds()) {
    if (!kind->namespaced || !api::quota_counts(quota["spec"]["hard"], *kind)) continue;
    api::for_each(store_, *kind, ns, [&](const api::ObjectRef& each) {
      json::Tree tree;
      const json::Node object = each->parse(tree);
      if (api::quota_covers(quota, *kind, object)) api::add_quota_usage(*kind, object, count.used);
    });
  }
  count.known = true;
}

QuotaUsage Quotas::used(std::string_view ns, std::string_view name, const Count& count) const {
  QuotaUsage all = count.used;
  for (const auto& [ticket, held] : held_) {
    const auto share = held.shares.find(name);
    if (held.ns != ns || share == held.shares.end()) continue;
    for (const auto& [what, amount] : share->second)
      all[what] += amount;
  }
  return all;
}

Result<> Quotas::check(const Request& request,
                       json::Node quota,
                       Count& counted,
                       Shares& shares) const {
  const json::Node hard = quota["spec"]["hard"];
  const std::string name(quota["metadata"]["name"].string());
  if (!api::quota_counts(hard, *request.kind)) return {};
  if (!api::quota_covers(quota, *request.kind, request.object)) return {};
  if (request.kind == &api::kPod && request.creating()) {
    const std::string missing = unsaid(request.object, hard);
    if (!missing.empty()) return forbidden(request, join({"failed quota: ", name, ": ", missing}));
  }
  QuotaUsage more = added(request, quota);
  if (more.empty()) return {};
  if (!counted.known) count(quota, request.ns, counted);
  const QuotaUsage all = used(request.ns, name, counted);
  QuotaUsage asked;
  QuotaUsage taken;
  std::string limited;
  for (const auto& [what, amount] : more) {
    const auto now = all.find(what);
    const int64_t has = now == all.end() ? 0 : now->second;
    const std::string limit = text_of(hard[what]);
    if (has + amount <= api::quantity_millis(limit).value_or(INT64_MAX)) continue;
    asked[what] = amount;
    taken[what] = has;
    limited += join({limited.empty() ? "" : ",", what, "=", limit});
  }
  if (!asked.empty())
    return forbidden(request, join({"exceeded quota: ", name, ", requested: ", listed(asked),
                                    ", used: ", listed(taken), ", limited: ", limited}));
  shares[name] = std::move(more);
  return {};
}

Result<> Quotas::admit(Request& request) {
  const auto found = namespaces_.find(request.ns);
  if (found == namespaces_.end() || request.subresource != api::Subresource::kNone) return {};
  Shares shares;
  for (auto& [name, count] : found->second) {
    const api::ObjectRef stored = store_.get(api::kResourceQuota, request.ns, name);
    if (!stored) continue;
    json::Tree tree;
    TRY(check(request, stored->parse(tree), count, shares));
  }
  if (shares.empty() || request.options.dry_run) return {};
  request.quota_ticket = ++tickets_;
  held_[request.quota_ticket] = {request.ns, std::move(shares)};
  return {};
}

void Quotas::release(Request& request) {
  if (request.quota_ticket == 0) return;
  held_.erase(request.quota_ticket);
  request.quota_ticket = 0;
}

}  // namespace coracle::apiserver
