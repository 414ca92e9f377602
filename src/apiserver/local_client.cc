// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/local_client.h"

#include <algorithm>
#include <deque>

#include "apiserver/exchange.h"
#include "apiserver/pipeline.h"
#include "base/list.h"

namespace coracle::apiserver {
namespace {

Verb verb_of(api::CallVerb verb) {
  switch (verb) {
    case api::CallVerb::kCreate:
      return Verb::kCreate;
    case api::CallVerb::kUpdate:
      return Verb::kUpdate;
    case api::CallVerb::kDelete:
      return Verb::kDelete;
    case api::CallVerb::kJsonPatch:
    case api::CallVerb::kMergePatch:
    case api::CallVerb::kStrategicMergePatch:
      break;
  }
  return Verb::kPatch;
}

PatchType patch_of(api::CallVerb verb) {
  if (verb == api::CallVerb::kJsonPatch) return PatchType::kJson;
  return verb == api::CallVerb::kStrategicMergePatch ? PatchType::kStrategic : PatchType::kMerge;
}

std::string_view propagation_of(api::Propagation propagation) {
  constexpr std::string_view kNames[] = {"", "Background", "Foreground", "Orphan"};
  return kNames[static_cast<size_t>(propagation)];
}

void fill_request(Request& request, api::Call&& call) {
  request.target = Target::kObjects;
  request.verb = verb_of(call.verb);
  request.patch_type = patch_of(call.verb);
  request.kind = call.key.kind;
  request.group = std::string(call.key.kind->group);
  request.version = std::string(call.key.kind->version);
  request.resource = std::string(call.key.kind->plural);
  request.subresource = call.subresource;
  request.subresource_text = std::string(api::subresource_name(call.subresource));
  request.ns = std::move(call.key.ns);
  request.name = std::move(call.key.name);
  request.options.field_validation = FieldValidation::kIgnore;
  request.expected_version = call.expected_version;
  request.expected_uid = call.expected_uid;
  if (call.verb != api::CallVerb::kDelete) {
    request.http.body = std::move(call.body);
    return;
  }
  request.deletion.grace_seconds = call.grace_seconds;
  request.deletion.propagation = std::string(propagation_of(call.propagation));
  request.deletion.uid = std::move(call.expected_uid);
}

}  // namespace

class LocalClient::Calls final : public port::TurnEnd {
 public:
  Calls(ApiServer& server, LocalUser user) : parts_(server.parts()) {
    user_.name = std::move(user.name);
    user_.groups = std::move(user.groups);
    user_.groups.emplace_back("system:authenticated");
  }
  ~Calls();

  Parts& parts() { return parts_; }
  void submit(api::Call call, api::Caller& caller, uint64_t token);
  void forget(api::Caller& caller);

 private:
  class InProcess;
  struct Answer {
    api::Caller* caller;
    uint64_t token;
    Result<api::ObjectRef> result;
  };
  void answer(InProcess& exchange, Result<api::ObjectRef> result);
  void on_turn_end() override;

  Parts& parts_;
  User user_;
  List<InProcess> running_;
  std::deque<Answer> answers_;
};

class LocalClient::Calls::InProcess final : public Exchange, public Link<InProcess> {
 public:
  InProcess(Calls& calls, api::Caller* caller, uint64_t token)
      : Exchange(calls.parts_.pipeline),
        caller_(caller),
        token_(token),
        calls_(calls) {}

  void reply(Reply reply) override {
    api::ObjectRef object = reply.object ? std::move(reply.object) : std::move(reply.in_process);
    calls_.answer(*this, std::move(object));
  }
  void fail(const Error& error, std::string_view) override { calls_.answer(*this, error); }
  void close() override { calls_.answer(*this, api::ObjectRef()); }

  api::Caller* caller_;  // null once forgotten
  const uint64_t token_;

 private:
  Calls& calls_;
};

LocalClient::Calls::~Calls() {
  parts_.clock.cancel_turn_end(*this);
  while (InProcess* exchange = running_.front()) {
    if (exchange->waiting) parts_.store.forget(*exchange);
    delete exchange;
  }
}

void LocalClient::Calls::submit(api::Call call, api::Caller& caller, uint64_t token) {
  auto* exchange = new InProcess(*this, &caller, token);
  running_.push_back(*exchange);
  exchange->request.user = user_;
  fill_request(exchange->request, std::move(call));
  parts_.pipeline.start_trusted(*exchange);
}

void LocalClient::Calls::answer(InProcess& exchange, Result<api::ObjectRef> result) {
  if (exchange.caller_ != nullptr) {
    answers_.push_back({exchange.caller_, exchange.token_, std::move(result)});
    parts_.clock.at_turn_end(*this);
  }
  delete &exchange;
}

// One at a time from the front: a caller may forget itself or submit more while it is told. What
// its submissions answer at once waits for the next turn.
void LocalClient::Calls::on_turn_end() {
  for (size_t left = answers_.size(); left > 0 && !answers_.empty(); --left) {
    Answer next = std::move(answers_.front());
    answers_.pop_front();
    next.caller->on_answer(next.token, std::move(next.result));
  }
  if (!answers_.empty()) parts_.clock.at_turn_end(*this);
}

void LocalClient::Calls::forget(api::Caller& caller) {
  for (InProcess* exchange = running_.front(); exchange != nullptr;
       exchange = running_.next(exchange)) {
    if (exchange->caller_ == &caller) exchange->caller_ = nullptr;
  }
  std::erase_if(answers_, [&](const Answer& answer) { return answer.caller == &caller; });
}

LocalClient::LocalClient(ApiServer& server, LocalUser user)
    : calls_(std::make_unique<Calls>(server, std::move(user))) {}
LocalClient::~LocalClient() = default;

const api::State& LocalClient::state() const {
  return calls_->parts().store;
}
void LocalClient::subscribe(api::Feed& feed) {
  calls_->parts().store.subscribe(feed);
}
void LocalClient::unsubscribe(api::Feed& feed) {
  calls_->parts().store.unsubscribe(feed);
}
void LocalClient::submit(api::Call call, api::Caller& caller, uint64_t token) {
  calls_->submit(std::move(call), caller, token);
}
void LocalClient::forget(api::Caller& caller) {
  calls_->forget(caller);
}

}  // namespace coracle::apiserver
