// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/instance_book.h"

#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "json/tree.h"

namespace coracle::daemon {

namespace {

constexpr size_t kInstanceBytesMax = 64;
constexpr size_t kNodesMax = 1024;  // more are judged by what their Nodes say

// Of "<identity>.<number>-<draw>", if it is of that identity.
uint64_t number_of(std::string_view instance, std::string_view identity) {
  if (!instance.starts_with(identity) || instance.size() <= identity.size()) return 0;
  instance.remove_prefix(identity.size() + 1);
  return parse_unsigned(instance.substr(0, instance.find('-'))).value_or(0);
}

std::string annotated(const api::Object& node) {
  if (node.text().find(kInstanceAnnotation) == std::string_view::npos) return {};
  json::Tree tree;
  return std::string(node.parse(tree)["metadata"]["annotations"][kInstanceAnnotation].string());
}

Error copied(std::string_view node) {
  return fail(Code::kUnauthorized,
              join({"another device runs with the identity of node \"", node,
                    "\": one data directory is a copy of the other; on the copy remove agent.json "
                    "and join with a token under another name"}));
}

}  // namespace

Result<> InstanceBook::admit(const api::Object& node,
                             std::string_view identity,
                             std::string_view given) {
  if (given.empty()) return {};
  const std::string instance = join({identity, ".", given});
  const uint64_t number = number_of(instance, identity);
  if (instance.size() > kInstanceBytesMax || number == 0)
    return fail(Code::kBadRequest, join({kInstanceHeader, ": not an instance"}));
  if (node.text().find(instance) != std::string_view::npos) return {};  // drawn: nobody else's
  auto found = nodes_.find(node.name());
  if (found == nodes_.end()) {
    if (nodes_.size() >= kNodesMax) nodes_.erase(nodes_.begin());
    found = nodes_.emplace(std::string(node.name()), Known{}).first;
  }
  Known& known = found->second;
  const std::string stored = annotated(node);
  if (number_of(stored, identity) >= number_of(known.latest, identity)) known.latest = stored;
  if (number > number_of(known.latest, identity)) {
    known.latest = instance;
    known.refused.clear();
  }
  if (known.latest == instance) {
    keep(found->first, known);
    return {};
  }
  Error error = copied(node.name());
  if (known.refused != instance) alarm(node.name(), error);
  known.refused = instance;
  return error;
}

void InstanceBook::keep(std::string_view node, Known& known) {
  if (std::exchange(known.writing, true)) return;
  json::Tree tree;
  const json::Node body = tree.make_object();
  body.object("metadata")
      .object("annotations")
      .set(kInstanceAnnotation, std::string_view(known.latest));
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&api::kNode, {}, std::string(node)};
  call.body = json::write(body);
  client_.submit(std::move(call), *this, 0);
}

void InstanceBook::on_answer(uint64_t, Result<api::ObjectRef> answer) {
  for (auto& [name, known] : nodes_)
    known.writing = false;
  if (!answer)
    LOG(kWarn, "daemon: instance of a node not noted", kv("why", answer.error().message));
}

void InstanceBook::alarm(std::string_view node, const Error& error) {
  LOG(kError, "daemon: two devices claim to be one node", kv("node", node),
      kv("why", error.message));
  const std::string now = rfc3339(clock_.wall());
  json::Tree tree;
  const json::Node event = tree.make_object();
  event.set("kind", "Event");
  event.set("apiVersion", "v1");
  const std::string number = std::to_string(clock_.wall().ns);
  event.object("metadata").set("name", std::string_view(join({node, ".", number})));
  event.object("metadata").set("namespace", "default");
  const json::Node about = event.object("involvedObject");
  about.set("kind", "Node");
  about.set("name", node);
  event.set("type", "Warning");
  event.set("reason", "IdentityCopied");
  event.set("message", std::string_view(error.message));
  event.set("firstTimestamp", std::string_view(now));
  event.set("lastTimestamp", std::string_view(now));
  event.set("count", 1);
  event.object("source").set("component", "coracle");
  api::Call call;
  call.key = {&api::kEvent, "default", join({node, ".", number})};
  call.body = json::write(event);
  client_.submit(std::move(call), *this, 1);
}

}  // namespace coracle::daemon
