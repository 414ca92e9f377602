// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/tokens.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr Duration kRetry = seconds(10);
constexpr Duration kRenewMax = minutes(60 * 24);

std::string request_body(json::Node pod, const TokenWanted& wanted) {
  json::Tree tree;
  const json::Node request = tree.make_object();
  request.set("apiVersion", "authentication.k8s.io/v1");
  request.set("kind", "TokenRequest");
  const json::Node spec = request.object("spec");
  if (!wanted.audience.empty())
    spec.array("audiences").append(wanted.audience);
  else
    spec.array("audiences");
  spec.set("expirationSeconds", wanted.expiration_seconds);
  const json::Node bound = spec.object("boundObjectRef");
  bound.set("kind", "Pod");
  bound.set("apiVersion", "v1");
  bound.set("name", pod["metadata"]["name"].string());
  bound.set("uid", pod["metadata"]["uid"].string());
  return json::write(request);
}

}  // namespace

bool Tokens::ensure(json::Node pod) {
  for (TokenWanted& wanted : tokens_wanted(pod)) {
    const bool known = std::any_of(texts_.begin(), texts_.end(),
                                   [&](const TokenText& token) { return token.wanted == wanted; });
    if (known) continue;
    texts_.push_back({std::move(wanted), {}});
    states_.push_back({});
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].pending && clock_.now() >= states_[i].ask_at) ask(i, pod);
  }
  return std::none_of(texts_.begin(), texts_.end(),
                      [](const TokenText& token) { return token.text.empty(); });
}

std::optional<Mono> Tokens::due() const {
  std::optional<Mono> first;
  for (const State& state : states_) {
    if (!state.pending && (!first || state.ask_at < *first)) first = state.ask_at;
  }
  return first;
}

void Tokens::ask(size_t index, json::Node pod) {
  api::Call call;
  call.verb = api::CallVerb::kCreate;
  call.subresource = api::Subresource::kToken;
  const std::string_view account = pod["spec"]["serviceAccountName"].string("default");
  call.key = {&api::kServiceAccount, std::string(pod["metadata"]["namespace"].string()),
              std::string(account)};
  call.body = request_body(pod, texts_[index].wanted);
  states_[index].pending = true;
  client_.submit(std::move(call), *this, index);
}

void Tokens::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  const size_t index = static_cast<size_t>(token);
  if (index >= states_.size()) return;
  State& state = states_[index];
  state.pending = false;
  state.ask_at = clock_.now() + kRetry;
  if (!answer) return listener_.on_tokens(false, answer.error().message);
  json::Tree tree;
  const Result<json::Node> parsed = tree.parse((*answer)->text());
  const json::Node status = parsed ? (*parsed)["status"] : json::Node();
  const auto expires = parse_rfc3339(status["expirationTimestamp"].string());
  if (status["token"].string().empty() || !expires)
    return listener_.on_tokens(false, "the server answered without a token");
  texts_[index].text = status["token"].string();
  const Duration life = *expires - clock_.trusted();
  const Duration wait = std::clamp(Duration{life.ns / 5 * 4}, kRetry, kRenewMax);
  state.ask_at = clock_.now() + wait;
  listener_.on_tokens(true, {});
}

}  // namespace coracle::node
