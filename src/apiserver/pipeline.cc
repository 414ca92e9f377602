// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pipeline.h"

#include <algorithm>
#include <iterator>

#include "api/errors.h"
#include "api/processing.h"
#include "apiserver/admission.h"
#include "apiserver/authenticator.h"
#include "apiserver/authorizer.h"
#include "apiserver/decode.h"
#include "apiserver/format.h"
#include "apiserver/list.h"
#include "apiserver/managed_fields.h"
#include "apiserver/metadata.h"
#include "apiserver/options.h"
#include "apiserver/pages.h"
#include "apiserver/quotas.h"
#include "apiserver/reviews.h"
#include "apiserver/route.h"
#include "apiserver/service_addresses.h"
#include "apiserver/subresources.h"
#include "apiserver/usage_answer.h"
#include "apiserver/watch.h"
#include "apiserver/write.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr uint32_t kAttemptsMax = 8;  // of a write that loses races

Result<Next> route_stage(Parts&, Exchange& exchange) {
  Request& request = exchange.request;
  Result<> options = read_options(request);
  route(request);
  // Told only to who may know.
  if (!options) request.bad_options = std::move(options).error();
  return Next::kGoOn;
}

Result<Next> authenticate_stage(Parts& parts, Exchange& exchange) {
  TRY(parts.authenticator.authenticate(exchange.request));
  http::Response* response = exchange.response();
  if (response != nullptr && exchange.request.user.in("system:authenticated")) response->vouch();
  return Next::kGoOn;
}

Error may_not_impersonate(Request& request, const Attributes& asked) {
  request.about =
      About{std::string(asked.group), std::string(asked.resource), std::string(asked.name)};
  const std::string resource = qualified_resource(asked.group, asked.resource);
  const std::string where = asked.ns.empty() ? std::string("at the cluster scope")
                                             : join({"in the namespace \"", asked.ns, "\""});
  return fail(Code::kForbidden,
              join({resource, " \"", asked.name, "\" is forbidden: User \"", request.user.name,
                    "\" cannot impersonate resource \"", asked.resource, "\" in API group \"",
                    asked.group, "\" ", where}));
}

// apiserver pkg/endpoints/filters/impersonation.go: each header is asked for by itself.
Result<> impersonate(Parts& parts, Request& request) {
  if (!Authenticator::wants_impersonation(request)) return {};
  constexpr std::string_view kExtra = "impersonate-extra-";
  constexpr std::string_view kAccount = "system:serviceaccount:";
  for (const http::Header& header : request.http.headers) {
    if (!header.name.starts_with("impersonate-")) continue;
    Attributes asked;
    asked.verb = "impersonate";
    asked.name = header.value;
    const std::string_view value = header.value;
    if (header.name == "impersonate-user") {
      asked.resource = "users";
      const size_t colon = value.rfind(':');
      if (value.starts_with(kAccount) && colon >= kAccount.size()) {
        asked.resource = "serviceaccounts";
        asked.ns = value.substr(kAccount.size(), colon - kAccount.size());
        asked.name = value.substr(colon + 1);
      }
    } else if (header.name == "impersonate-group") {
      asked.resource = "groups";
    } else {
      asked.group = "authentication.k8s.io";
      asked.resource = header.name == "impersonate-uid" ? "uids" : "userextras";
      if (header.name.starts_with(kExtra))
        asked.subresource = std::string_view(header.name).substr(kExtra.size());
    }
    if (!parts.authorizer.decide(request.user, asked).allowed)
      return may_not_impersonate(request, asked);
  }
  return Authenticator::impersonate(request);
}

// What upstream serves of a Pod and we do not is refused by name: kubectl shows a Status as it is.
Result<> check_served(const Request& request) {
  constexpr std::string_view kMissing[] = {"ephemeralcontainers", "proxy", "resize"};
  const bool missing = request.target == Target::kNowhere && request.kind == &api::kPod &&
                       std::find(std::begin(kMissing), std::end(kMissing),
                                 request.subresource_text) != std::end(kMissing);
  if (!missing) return {};
  return fail(Code::kNotFound, join({"the server could not find the requested resource: pods/",
                                     request.subresource_text, " is not supported"}));
}

Result<Next> authorize_stage(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  TRY(impersonate(parts, request));
  TRY(parts.authorizer.authorize(request));
  if (request.http.path.empty()) return Next::kGoOn;  // in process: well-formed by construction
  TRY(check_served(request));
  if (request.target == Target::kNowhere) {
    exchange.reply({404, {}, "404 page not found\n", "text/plain; charset=utf-8"});
    return Next::kDone;
  }
  TRY(check_method(request));
  if (request.bad_options) return std::move(*request.bad_options);
  return Next::kGoOn;
}

// Reads of the newest state, and writes that are prepared by another member than the leader, must
// miss nothing that was acknowledged before. Calls in process come from reactors: they carry the
// version they mean.
bool wants_newest(const Parts& parts, const Request& request) {
  if (request.target != Target::kObjects || request.http.path.empty()) return false;
  const bool reads =
      request.verb == Verb::kGet || request.verb == Verb::kList || request.verb == Verb::kWatch;
  if (!reads) return !parts.store.membership().standing().leading;
  const std::string& wanted = request.options.resource_version;
  const std::optional<uint64_t> version = parse_unsigned(wanted);
  return wanted.empty() || (version && *version > parts.store.version());
}

Result<Next> confirm_stage(Parts& parts, Exchange& exchange) {
  if (!wants_newest(parts, exchange.request)) return Next::kGoOn;
  return exchange.confirm(parts.store) ? Next::kGoOn : Next::kDone;
}

Result<Next> read_object(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  if (const std::string& wanted = request.options.resource_version; !wanted.empty()) {
    const std::optional<uint64_t> version = parse_unsigned(wanted);
    if (!version)
      return fail(Code::kBadRequest, join({"invalid resource version \"", wanted, "\""}));
    TRY(check_not_in_future(*version, parts.store.version()));
  }
  api::ObjectRef object = parts.store.get(*request.kind, request.ns, request.name);
  if (!object) {
    return not_found(qualified_resource(request.group, request.resource), request.name);
  }
  exchange.reply({200, std::move(object), {}});
  return Next::kDone;
}

Result<Next> read_stage(Parts& parts, Exchange& exchange) {
  const Request& request = exchange.request;
  if (request.target == Target::kPage) return parts.pages.answer(exchange);
  if (request.target == Target::kReview) return Next::kGoOn;
  if (request.target == Target::kUsage) return answer_usage(parts, exchange);
  const Subresource& row = subresource_row(request.subresource);
  if (request.subresource != api::Subresource::kNone) {
    TRY(check_subresource_verb(request));
    if (request.verb == Verb::kGet && row.read != nullptr) return row.read(parts, exchange);
  }
  switch (request.verb) {
    case Verb::kGet:
      return read_object(parts, exchange);
    case Verb::kList:
      return list_objects(parts, exchange);
    case Verb::kWatch:
      return parts.watches.open(exchange);
    default:
      break;
  }
  // Nothing is written whose answer the client could not take.
  if (row.show != nullptr || row.act != nullptr) {
    TRY(accept_json(request));
  } else {
    TRY(negotiate(request));
  }
  return Next::kGoOn;
}

bool deletes(const Request& request) {
  return request.verb == Verb::kDelete || request.verb == Verb::kDeleteCollection ||
         request.evicting;
}

// Stages that look at an object to be written; the others pass them by.
bool writes_object(const Request& request) {
  return request.target == Target::kObjects && static_cast<bool>(request.object) &&
         !deletes(request);
}

Result<Next> decode_stage(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  request.object = {};
  request.old = {};
  request.stored = {};
  request.about.reset();
  request.warnings.clear();
  if (request.target == Target::kReview) {
    TRY(decode_review(request));
  } else if (request.verb == Verb::kDelete || request.verb == Verb::kDeleteCollection) {
    TRY(decode_delete(parts, request));
  } else {
    TRY(subresource_row(request.subresource).decode(parts, request));
  }
  return Next::kGoOn;
}

Result<Next> admit_stage(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  if (writes_object(request)) TRY(admit(parts, request));
  if (deletes(request) && request.verb != Verb::kDeleteCollection) {
    TRY(admit_delete(parts, request));
    TRY(load_stored(parts, request));
  }
  return Next::kGoOn;
}

Result<Next> default_stage(Parts&, Exchange& exchange) {
  Request& request = exchange.request;
  if (!writes_object(request)) return Next::kGoOn;
  api::apply_defaults(*request.kind, request.object);
  if (request.kind->prepare != nullptr && request.subresource != api::Subresource::kStatus) {
    request.kind->prepare(request.object, request.old);
  }
  settle_generation(request);
  return Next::kGoOn;
}

void warn(Request& request) {
  if (request.kind->warn == nullptr) return;
  std::string text;
  request.kind->warn(request.object, text);
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) request.warnings.emplace_back(line);
  }
}

// What only one version of a kind demands of new objects.
Result<> validate_twin(const Request& request) {
  if (request.twin == nullptr || request.twin->validate == nullptr) return {};
  api::Errors errors;
  request.twin->validate(request.object, errors);
  if (errors.empty()) return {};
  return errors.to_error(api::group_kind(*request.twin), request.name);
}

Result<Next> validate_stage(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  if (!writes_object(request)) return Next::kGoOn;
  const api::Kind& kind = *request.kind;
  if (request.creating()) {
    TRY(validate_twin(request));
    TRY(api::validate_create(kind, request.object));
  } else if (request.subresource == api::Subresource::kBinding) {
    // Sets what no update may change (spec.nodeName); decode_binding has checked it.
  } else if (request.subresource == api::Subresource::kStatus) {
    TRY(api::validate_status_update(kind, request.object, request.old));
  } else {
    TRY(api::validate_update(kind, request.object, request.old));
  }
  warn(request);
  settle_managed(parts, request);
  TRY(admit_whole(parts, request));
  return Next::kGoOn;
}

Result<Next> store_stage(Parts& parts, Exchange& exchange) {
  Request& request = exchange.request;
  if (request.target == Target::kReview) return answer_review(parts, exchange);
  if (request.verb == Verb::kDeleteCollection) return delete_collection(parts, exchange);
  if (const auto act = subresource_row(request.subresource).act; act != nullptr) {
    return act(parts, exchange);
  }
  return deletes(request) ? propose_delete(parts, exchange) : propose_write(parts, exchange);
}

struct Stage {
  std::string_view name;
  Result<Next> (*run)(Parts& parts, Exchange& exchange);
};
constexpr Stage kStages[] = {
    {"route", route_stage},         {"authenticate", authenticate_stage},
    {"authorize", authorize_stage}, {"confirm", confirm_stage},
    {"read", read_stage},           {"decode", decode_stage},
    {"admit", admit_stage},         {"default", default_stage},
    {"validate", validate_stage},   {"store", store_stage},
};

consteval size_t stage(std::string_view name) {
  size_t at = 0;
  while (kStages[at].name != name)
    ++at;
  return at;
}

bool lost_a_race(const Error& error) {
  return error.code == Code::kConflict || error.code == Code::kAlreadyExists;
}

// What may be run again with the newer object, because its sender did not say which version it
// meant.
bool may_run_again(const Request& request) {
  if (request.attempts >= kAttemptsMax) return false;
  if (deletes(request)) return true;  // preconditions are checked again
  if (request.verb == Verb::kPatch || request.subresource == api::Subresource::kBinding)
    return true;
  if (request.creating()) return request.generated_name || request.verb == Verb::kUpdate;
  return request.unconditional;
}

}  // namespace

Exchange::~Exchange() {
  if (confirmation_.asked != nullptr) confirmation_.asked->forget(confirmation_);
}

bool Exchange::confirm(store::Store& store) {
  if (store.confirm(confirmation_)) return true;
  confirmation_.asked = &store;
  return false;
}

void Exchange::Confirmation::on_confirmed(Result<> outcome) {
  asked = nullptr;
  owner.pipeline_.on_confirmed(owner, std::move(outcome));
}

void Exchange::on_outcome(Result<api::Change> outcome) {
  waiting = false;
  pipeline_.on_outcome(*this, std::move(outcome));
}

void Pipeline::start(Exchange& exchange) {
  run(exchange, stage("route"));
}
void Pipeline::start_trusted(Exchange& exchange) {
  run(exchange, stage("authorize"));
}

void Pipeline::run(Exchange& exchange, size_t at) {
  for (; at < std::size(kStages); ++at) {
    Result<Next> next = kStages[at].run(parts_, exchange);
    if (!next) {
      release_reservation(parts_, exchange.request);
      return exchange.fail(next.error());
    }
    if (*next == Next::kDone) return;
  }
}

void Pipeline::on_confirmed(Exchange& exchange, Result<> outcome) {
  if (!outcome) return exchange.fail(outcome.error());
  run(exchange, stage("read"));
}

void Pipeline::on_outcome(Exchange& exchange, Result<api::Change> outcome) {
  Request& request = exchange.request;
  if (outcome) {
    parts_.quotas.release(request);    // counted by the change
    request.reserved_address.clear();  // the store's change holds it from now on
    return answer_write(parts_, exchange, outcome->after);
  }
  release_reservation(parts_, request);
  if (!lost_a_race(outcome.error())) return exchange.fail(outcome.error());
  if (may_run_again(request)) {
    ++request.attempts;
    return run(exchange, stage("decode"));
  }
  exchange.fail(race_error(request));
}

}  // namespace coracle::apiserver
