// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/token_request.h"

#include "api/errors.h"
#include "apiserver/decode.h"
#include "apiserver/format.h"
#include "apiserver/node_restriction.h"
#include "apiserver/tokens.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

const api::Kind* bindable(std::string_view kind) {
  if (kind == "Pod") return &api::kPod;
  if (kind == "Secret") return &api::kSecret;
  if (kind == "Node") return &api::kNode;
  return nullptr;
}

// registry/core/serviceaccount/storage/token.go
Result<> read_bound(Parts& parts, const Request& request, json::Node reference, TokenTerms& terms) {
  if (!reference || reference.is_null()) return {};
  const std::string_view kind_name = reference["kind"].string();
  const api::Kind* kind = bindable(kind_name);
  const std::string_view name = reference["name"].string();
  if (kind == nullptr) {
    return fail(Code::kBadRequest, join({"cannot bind token for serviceaccount \"", request.name,
                                         "\" to object of type /v1, Kind=", kind_name}));
  }
  const api::ObjectRef object =
      parts.store.get(*kind, kind->namespaced ? std::string_view(request.ns) : "", name);
  if (!object) return not_found(kind->plural, name);
  const std::string_view uid = reference["uid"].string();
  if (!uid.empty() && uid != object->uid()) {
    return conflict(join({kind->plural}), name,
                    join({"the UID in the bound object reference (", uid,
                          ") does not match the UID in record. The object might have been deleted "
                          "and then recreated"}));
  }
  terms.bound = {std::string(kind_name), std::string(name), std::string(object->uid())};
  if (kind != &api::kPod) return {};
  json::Tree tree;
  const json::Node spec = object->parse(tree)["spec"];
  if (spec["serviceAccountName"].string() != request.name) {
    return fail(Code::kBadRequest, join({"cannot bind token for serviceaccount \"", request.name,
                                         "\" to pod running with different serviceaccount name."}));
  }
  const std::string_view node = spec["nodeName"].string();
  if (node.empty()) return {};
  const api::ObjectRef stored = parts.store.get(api::kNode, {}, node);
  if (stored) terms.node = {"Node", std::string(node), std::string(stored->uid())};
  return {};
}

Result<TokenTerms> read_terms(Parts& parts, const Request& request) {
  const json::Node spec = request.body["spec"];
  TokenTerms terms;
  terms.ns = request.ns;
  terms.account = request.name;
  terms.account_uid = std::string(request.stored->uid());
  for (const json::Node audience : spec["audiences"]) {
    terms.audiences.emplace_back(audience.string());
  }
  if (terms.audiences.size() > 16) return fail(Code::kBadRequest, "too many audiences");
  const int64_t wanted = spec["expirationSeconds"].integer(kTokenSecondsDefault);
  api::Errors errors;
  if (wanted < kTokenSecondsMin) {
    errors.invalid("spec.expirationSeconds", wanted,
                   "may not specify a duration less than 10 minutes");
  }
  if (wanted > kTokenSecondsMax) {
    errors.invalid("spec.expirationSeconds", wanted,
                   "may not specify a duration larger than 2^32 seconds");
  }
  if (!errors.empty()) return errors.to_error("TokenRequest.authentication.k8s.io", "");
  terms.seconds = wanted;
  TRY(read_bound(parts, request, spec["boundObjectRef"], terms));
  return terms;
}

}  // namespace

Result<> decode_token_request(Parts&, Request& request) {
  TRY(accept_json(request));
  return decode_body(request, {"authentication.k8s.io/v1", "TokenRequest", false});
}

Result<Next> answer_token_request(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  TRY(load_stored(parts, request));
  TRY(admit_node_token(parts, request, request.body));
  const TokenTerms terms = TRY(read_terms(parts, request));
  json::Tree tree;
  const json::Node answer = tree.make_object();
  answer.set("kind", "TokenRequest");
  answer.set("apiVersion", "authentication.k8s.io/v1");
  const json::Node metadata = answer.object("metadata");
  metadata.set("name", request.name);
  metadata.set("namespace", request.ns);
  metadata.set("creationTimestamp", rfc3339(parts.clock.wall()));
  const json::Node spec = answer.object("spec");
  for (const std::string& audience : terms.audiences)
    spec.array("audiences").append(audience);
  if (terms.audiences.empty()) spec.array("audiences").append(kIssuer);
  spec.set("expirationSeconds", terms.seconds);
  if (const json::Node bound = request.body["spec"]["boundObjectRef"]; bound) {
    spec.set("boundObjectRef", bound);
  }
  if (!request.options.dry_run) {
    const Token token = TRY(parts.tokens.mint(terms));
    const json::Node status = answer.object("status");
    status.set("token", token.text);
    status.set("expirationTimestamp", rfc3339(token.expires));
  }
  Reply reply;
  reply.code = 201;
  reply.text = json::write(answer);
  if (exchange.response() == nullptr) {
    // An in-process caller gets the account with the spec and status of the TokenRequest.
    answer.set("apiVersion", api::group_version(api::kServiceAccount));
    answer.set("kind", api::kServiceAccount.name);
    reply.in_process = TRY(api::seal(api::kServiceAccount, answer, request.stored->version()));
  }
  exchange.reply(std::move(reply));
  return Next::kDone;
}

}  // namespace coracle::apiserver
