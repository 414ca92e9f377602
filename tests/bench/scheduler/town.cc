// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/scheduler/town.h"

#include "base/bytes.h"

namespace coracle::bench {

api::ObjectRef Town::get(const api::Kind& kind, std::string_view ns, std::string_view name) const {
  const auto objects = objects_.find(&kind);
  if (objects == objects_.end()) return {};
  const auto found = objects->second.find(join({ns, "/", name}));
  return found == objects->second.end() ? api::ObjectRef() : found->second;
}

void Town::list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const {
  const auto objects = objects_.find(&kind);
  if (objects == objects_.end()) return;
  for (const auto& [key, object] : objects->second) {
    if ((ns.empty() || object->ns() == ns) && !visitor.visit(object)) return;
  }
}

void Town::put(const api::Kind& kind, std::string text) {
  Result<api::ObjectRef> made = api::make_object(kind, std::move(text), ++version_);
  ASSERT(made.has_value());
  api::ObjectRef& at = objects_[&kind][join({(*made)->ns(), "/", (*made)->name()})];
  const api::Change change{at ? api::ChangeType::kModified : api::ChangeType::kAdded, version_, at,
                           *made};
  at = *made;
  if (feed_ != nullptr) feed_->on_change(change);
}

void Town::submit(api::Call call, api::Caller& caller, uint64_t token) {
  waiting_.push_back({std::move(call), &caller, token});
  clock_.at_turn_end(*this);
}

void Town::forget(api::Caller& caller) {
  std::erase_if(waiting_, [&](const Waiting& each) { return each.caller == &caller; });
}

Result<api::ObjectRef> Town::bind(const api::Call& call, api::ObjectRef& pod) {
  json::Tree tree;
  const json::Node body = TRY(tree.parse(call.body));
  std::string text(pod->text());
  constexpr std::string_view kSpec = "\"spec\":{";
  const size_t at = text.find(kSpec);
  ASSERT(at != std::string::npos);
  text.insert(at + kSpec.size(), join({"\"nodeName\":\"", body["target"]["name"].string(), "\","}));
  const api::ObjectRef before = pod;
  pod = TRY(api::make_object(*call.key.kind, std::move(text), ++version_));
  ++bound_;
  if (feed_ != nullptr) feed_->on_change({api::ChangeType::kModified, version_, before, pod});
  return pod;
}

// Bindings and deletions are done; all else, as events and conditions, is granted and forgotten.
Result<api::ObjectRef> Town::carry_out(const api::Call& call) {
  Objects& objects = objects_[call.key.kind];
  const auto found = objects.find(join({call.key.ns, "/", call.key.name}));
  if (call.subresource == api::Subresource::kBinding && found != objects.end())
    return bind(call, found->second);
  if (call.verb != api::CallVerb::kDelete || found == objects.end())
    return found == objects.end() ? api::ObjectRef() : found->second;
  const api::ObjectRef object = found->second;
  objects.erase(found);
  ++ended_;
  if (feed_ != nullptr) feed_->on_change({api::ChangeType::kDeleted, ++version_, object, object});
  return object;
}

void Town::on_turn_end() {
  std::deque<Waiting> now = std::exchange(waiting_, {});
  for (const Waiting& each : now)
    each.caller->on_answer(each.token, carry_out(each.call));
}

}  // namespace coracle::bench
