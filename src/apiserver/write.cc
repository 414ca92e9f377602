// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/write.h"

#include "apiserver/deletion.h"
#include "apiserver/quotas.h"
#include "apiserver/service_addresses.h"
#include "apiserver/status.h"
#include "apiserver/subresources.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::apiserver {
namespace {

std::string owner_of(const Request& request) {
  return join({request.ns, "/", request.name});
}

Error already_exists(const Request& request) {
  return fail(Code::kAlreadyExists, join({qualified_resource(request.group, request.resource),
                                          " \"", request.name, "\" already exists"}));
}

Result<Next> answer_dry(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  release_reservation(parts, request);
  if (request.effect.what != Effect::What::kPut) {
    answer_write(parts, exchange, request.stored);
    return Next::kDone;
  }
  const uint64_t version = request.stored ? request.stored->version() : 0;
  answer_write(parts, exchange,
               TRY(api::make_object(*request.kind, std::move(request.effect.text), version)));
  return Next::kDone;
}

Result<Next> propose(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  if (request.options.dry_run) return answer_dry(parts, exchange);
  if (request.effect.what == Effect::What::kNothing) {
    answer_write(parts, exchange, request.stored);
    return Next::kDone;
  }
  store::Proposal proposal;
  const bool put = request.effect.what == Effect::What::kPut;
  proposal.operation = put ? store::Operation::kPut : store::Operation::kDelete;
  proposal.kind = request.kind;
  proposal.ns = request.ns;
  proposal.name = request.name;
  proposal.text = std::move(request.effect.text);
  proposal.expected = request.stored ? request.stored->version() : 0;
  exchange.waiting = true;
  parts.store.propose(std::move(proposal), exchange);
  return Next::kDone;
}

}  // namespace

Result<Next> propose_write(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  // A generated name that is taken is found by the store and drawn again.
  if (request.creating() && !request.generated_name &&
      parts.store.get(*request.kind, request.ns, request.name)) {
    return already_exists(request);
  }
  if (completes_deletion(request)) {
    request.effect.what = Effect::What::kDelete;
    return propose(parts, exchange);
  }
  if (request.kind == &api::kService && request.subresource == api::Subresource::kNone) {
    TRY(parts.addresses.fill(request.object, request.old, request.reserved_address));
  }
  request.effect.what = Effect::What::kPut;
  request.effect.text = api::normal_text(*request.kind, request.object);
  if (request.effect.text.size() > limits::kObjectBytesMax) {
    return fail(Code::kTooLarge, join({"Request entity too large: limit is ",
                                       std::to_string(limits::kObjectBytesMax)}));
  }
  if (request.stored && request.effect.text == request.stored->text()) {
    request.effect.what = Effect::What::kNothing;
  }
  return propose(parts, exchange);
}

Result<Next> propose_delete(Parts& parts, Exchange& exchange) {
  TRY(plan_delete(parts, exchange.request));
  return propose(parts, exchange);
}

void answer_write(Parts& parts, Exchange& exchange, api::ObjectRef object) {
  Request& request = exchange.request;
  if (const auto show = subresource_row(request.subresource).show; show != nullptr) {
    return exchange.reply(show(parts, request, std::move(object)));
  }
  const bool gone = request.effect.what == Effect::What::kDelete;
  const bool in_process = exchange.response() == nullptr;
  if (request.verb == Verb::kDelete && gone && !shows_deleted(*request.kind) && !in_process) {
    return exchange.reply({200, {}, success_status(request, object->uid(), 200)});
  }
  exchange.reply({request.success_code, std::move(object), {}});
}

void release_reservation(Parts& parts, Request& request) {
  parts.quotas.release(request);
  if (request.reserved_address.empty()) return;
  parts.addresses.release(request.reserved_address, owner_of(request));
  request.reserved_address.clear();
}

Error race_error(const Request& request) {
  if (request.creating()) return already_exists(request);
  return conflict(qualified_resource(request.group, request.resource), request.name,
                  kObjectModified);
}

}  // namespace coracle::apiserver
