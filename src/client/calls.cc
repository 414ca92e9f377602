// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/calls.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "client/answer.h"
#include "client/paths.h"
#include "json/writer.h"

namespace coracle::client {

namespace {

constexpr size_t kCallsMax = 256;            // waiting or under way; more get 429
constexpr Duration kPatience = seconds(10);  // for a connection
constexpr Duration kOfflineToken = seconds(75);
constexpr Duration kTokenPatience = seconds(2);
constexpr Duration kAnswerMax = seconds(30);  // for an answer

std::string_view method_of(api::CallVerb verb) {
  switch (verb) {
    case api::CallVerb::kCreate:
      return "POST";
    case api::CallVerb::kUpdate:
      return "PUT";
    case api::CallVerb::kDelete:
      return "DELETE";
    case api::CallVerb::kJsonPatch:
    case api::CallVerb::kMergePatch:
    case api::CallVerb::kStrategicMergePatch:
      break;
  }
  return "PATCH";
}

std::string_view type_of(api::CallVerb verb) {
  if (verb == api::CallVerb::kJsonPatch) return "application/json-patch+json";
  if (verb == api::CallVerb::kMergePatch) return "application/merge-patch+json";
  if (verb == api::CallVerb::kStrategicMergePatch) return "application/strategic-merge-patch+json";
  return "application/json";
}

std::string delete_body(const api::Call& call) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", "DeleteOptions");
  out.member("apiVersion", "v1");
  if (call.grace_seconds) out.member("gracePeriodSeconds", *call.grace_seconds);
  constexpr std::string_view kNames[] = {"", "Background", "Foreground", "Orphan"};
  if (call.propagation != api::Propagation::kDefault)
    out.member("propagationPolicy", kNames[static_cast<size_t>(call.propagation)]);
  if (!call.expected_uid.empty() || call.expected_version > 0) {
    out.key("preconditions");
    out.begin_object();
    if (!call.expected_uid.empty()) out.member("uid", std::string_view(call.expected_uid));
    if (call.expected_version > 0)
      out.member("resourceVersion", std::string_view(std::to_string(call.expected_version)));
    out.end_object();
  }
  out.end_object();
  return text;
}

// What the object must be goes into the object or patch itself, where every server looks for it.
Result<std::string> body_of(const api::Call& call) {
  if (call.verb == api::CallVerb::kDelete) return delete_body(call);
  if (call.expected_version == 0 && call.expected_uid.empty()) return call.body;
  json::Tree tree;
  const json::Node root = TRY(tree.parse(call.body));
  const std::string version = std::to_string(call.expected_version);
  if (call.verb == api::CallVerb::kJsonPatch) {
    json::Tree test_tree;
    const auto test = [&](std::string_view path, std::string_view value) {
      const json::Node row = test_tree.make_object();
      row.set("op", "test");
      row.set("path", path);
      row.set("value", value);
      root.insert(0, row);
    };
    if (call.expected_version > 0) test("/metadata/resourceVersion", version);
    if (!call.expected_uid.empty()) test("/metadata/uid", call.expected_uid);
    return json::write(root);
  }
  const json::Node metadata = root.object("metadata");
  if (call.expected_version > 0) metadata.set("resourceVersion", std::string_view(version));
  if (!call.expected_uid.empty()) metadata.set("uid", std::string_view(call.expected_uid));
  return json::write(root);
}

Result<http::Request> request_of(const api::Call& call) {
  http::Request request;
  request.method = std::string(method_of(call.verb));
  api::Key key = call.key;
  // Subresources are created below the object's name; objects below their collection.
  if (call.verb == api::CallVerb::kCreate && call.subresource == api::Subresource::kNone)
    key.name.clear();
  request.path = object_path(key, call.subresource);
  request.query = call.verb == api::CallVerb::kDelete ? "" : "fieldValidation=Ignore";
  request.headers = {{"accept", "application/json"},
                     {"content-type", std::string(type_of(call.verb))}};
  request.body = TRY(body_of(call));
  return request;
}

}  // namespace

class Calls::Running final : public http::ClientEvents {
 public:
  Running(Calls& calls, api::Call given, api::Caller* who, uint64_t number)
      : call(std::move(given)),
        caller(who),
        token(number),
        calls_(calls) {}

  void on_head(int status, const std::vector<http::Header>&) override { status_ = status; }
  void on_body(std::string_view bytes) override {
    if (body_.size() + bytes.size() <= limits::kBodyBytesMax) body_ += bytes;
  }
  void on_end() override { calls_.ended(*this, read_answer(*call.key.kind, status_, body_)); }
  void on_failed(std::string_view why) override {
    calls_.ended(*this, fail(Code::kTimeout, join({"the answer was lost: ", why})));
  }

  const api::Call call;
  api::Caller* const caller;
  const uint64_t token;
  Mono until;
  bool sent = false;

 private:
  Calls& calls_;
  int status_ = 0;
  std::string body_;
};

Calls::Calls(port::Clock& clock, Witness& witness)
    : clock_(clock),
      witness_(witness),
      timer_(clock.timer(*this)) {}

Calls::~Calls() {
  link_down();
  clock_.cancel_turn_end(*this);
}

void Calls::submit(api::Call call, api::Caller& caller, uint64_t token) {
  if (running_.size() >= kCallsMax) {
    answers_.push_back({&caller, token, fail(Code::kTooManyRequests, "too many calls wait")});
    return clock_.at_turn_end(*this);
  }
  running_.push_back(std::make_unique<Running>(*this, std::move(call), &caller, token));
  const bool for_token = running_.back()->call.subresource == api::Subresource::kToken;
  running_.back()->until = clock_.now() + (for_token ? kTokenPatience : kPatience);
  if (channel_ != nullptr) begin(*running_.back());
  set_timer();
}

// A Pod must not wait for a token that nobody could check anyway: until a server can be reached it
// has one that is worth nothing, and asks again every minute.
Result<api::ObjectRef> Calls::answer_offline(const Running& running) const {
  if (running.call.subresource != api::Subresource::kToken)
    return fail(Code::kUnavailable, "no server can be reached");
  json::Tree tree;
  const json::Node answer = tree.make_object();
  answer.object("metadata").set("name", std::string_view(running.call.key.name));
  answer.object("metadata").set("namespace", std::string_view(running.call.key.ns));
  answer.object("status").set("token", "offline");
  answer.object("status").set("expirationTimestamp",
                              std::string_view(rfc3339(clock_.trusted() + kOfflineToken)));
  return api::seal(*running.call.key.kind, answer, 0);
}

void Calls::begin(Running& running) {
  Result<http::Request> request = request_of(running.call);
  if (!request) return ended(running, std::move(request).error());
  running.sent = true;
  running.until = clock_.now() + kAnswerMax;
  channel_->send(std::move(*request), running);
}

void Calls::ended(Running& running, Result<api::ObjectRef> result) {
  const auto found = std::find_if(running_.begin(), running_.end(),
                                  [&](const auto& each) { return each.get() == &running; });
  ASSERT(found != running_.end());
  // A deletion tells the last state; whether the object is gone, the watch knows.
  if (running.call.verb != api::CallVerb::kDelete) {
    if (result && *result) witness_.on_stored(*result);
    if (!result && result.error().code == Code::kNotFound &&
        running.call.verb != api::CallVerb::kCreate)
      witness_.on_absent(running.call.key);
  }
  answers_.push_back({running.caller, running.token, std::move(result)});
  over_.push_back(std::move(*found));
  running_.erase(found);
  clock_.at_turn_end(*this);
}

void Calls::on_turn_end() {
  over_.clear();
  for (size_t left = answers_.size(); left > 0 && !answers_.empty(); --left) {
    Answer next = std::move(answers_.front());
    answers_.pop_front();
    next.caller->on_answer(next.token, std::move(next.result));
  }
  if (!answers_.empty()) clock_.at_turn_end(*this);
}

void Calls::forget(api::Caller& caller) {
  const auto of_caller = [&](const auto& each) { return each->caller == &caller; };
  for (const auto& each : running_) {
    if (of_caller(each) && each->sent && channel_ != nullptr) channel_->forget(*each);
  }
  std::erase_if(running_, of_caller);
  std::erase_if(answers_, [&](const Answer& answer) { return answer.caller == &caller; });
}

void Calls::link_up(http::Channel& channel) {
  channel_ = &channel;
  std::vector<Running*> waiting;
  for (const auto& each : running_) {
    if (!each->sent) waiting.push_back(each.get());
  }
  for (Running* each : waiting)
    begin(*each);
}

void Calls::link_down() {
  channel_ = nullptr;
}

void Calls::set_timer() {
  if (timer_->armed() || running_.empty()) return;
  Mono first = running_.front()->until;
  for (const auto& each : running_)
    first = std::min(first, each->until);
  timer_->arm(std::max(first, clock_.now() + milliseconds(10)));
}

void Calls::on_alarm(port::Timer&) {
  std::vector<Running*> late;
  for (const auto& each : running_) {
    if (each->until <= clock_.now()) late.push_back(each.get());
  }
  for (Running* each : late) {
    if (each->sent && channel_ != nullptr) channel_->forget(*each);
    ended(*each, each->sent ? fail(Code::kTimeout, "no answer in time") : answer_offline(*each));
  }
  set_timer();
}

}  // namespace coracle::client
