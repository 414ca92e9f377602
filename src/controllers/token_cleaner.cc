// SPDX-License-Identifier: GPL-2.0-or-later
// Takes away tokens that admit nobody any more: bootstrap tokens that have expired (upstream
// pkg/controller/bootstrap/tokencleaner.go) and those of ServiceAccounts that are gone (upstream
// pkg/controller/serviceaccount/tokens_controller.go).
#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr std::string_view kBootstrap = "bootstrap.kubernetes.io/token";
constexpr std::string_view kAccountToken = "kubernetes.io/service-account-token";
constexpr std::string_view kAccountName = "kubernetes.io/service-account.name";
constexpr std::string_view kAccountUid = "kubernetes.io/service-account.uid";
// Clocks are set: what is due in years is looked at again before.
constexpr Duration kAgainMax = minutes(60);

// Unset: never, or not readable: then nobody is admitted and a person should see why.
std::optional<Duration> time_left(const Now& now, json::Node secret) {
  const auto text = from_base64(secret["data"]["expiration"].string());
  const auto at = text ? parse_rfc3339(*text) : std::nullopt;
  if (!at) return std::nullopt;
  return *at - now.wall;
}

bool is_orphan(const Now& now, const Parsed& secret) {
  const json::Node notes = secret.node["metadata"]["annotations"];
  const api::ObjectRef account =
      now.state.get(api::kServiceAccount, secret.ref->ns(), notes[kAccountName].string());
  const std::string_view uid = notes[kAccountUid].string();
  return !account || (!uid.empty() && uid != account->uid());
}

Result<api::Plan> plan_tokens(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kSecret, key.ns, key.name);
  if (!object || object->deleting()) return plan;
  const Parsed secret = parse(object);
  const std::string_view type = secret.node["type"].string();
  bool gone = type == kAccountToken && is_orphan(now, secret);
  if (type == kBootstrap && key.ns == "kube-system") {
    const std::optional<Duration> left = time_left(now, secret.node);
    gone = left && left->ns <= 0;
    if (left && !gone) plan.again_after = std::min(*left, kAgainMax);
  }
  if (!gone) return plan;
  plan.calls.push_back(delete_call(*object));
  plan.calls.back().expected_version = object->version();
  return plan;
}

void wake_token(const api::Change& change, const api::State& state, Keys& keys) {
  const std::string_view text = change.after->text();
  if (text.find(kBootstrap) != std::string_view::npos ||
      text.find(kAccountToken) != std::string_view::npos)
    wake_itself(change, state, keys);
}

void wake_tokens_of(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.type != api::ChangeType::kDeleted) return;
  api::for_each(state, api::kSecret, change.after->ns(), [&](const api::ObjectRef& object) {
    if (object->text().find(kAccountToken) != std::string_view::npos)
      keys.insert({&api::kSecret, std::string(object->ns()), std::string(object->name())});
  });
}

constexpr Watch kWatches[] = {{&api::kSecret, wake_token}, {&api::kServiceAccount, wake_tokens_of}};

}  // namespace

const Controller kTokenCleaner{"token-cleaner", kWatches, plan_tokens, nullptr};

}  // namespace coracle::controllers
