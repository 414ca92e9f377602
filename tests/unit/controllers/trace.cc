// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/controllers/trace.h"

#include "base/bytes.h"
#include "json/merge.h"

namespace coracle::testing {

namespace {

bool is_time(std::string_view key) {
  return key == "lastTransitionTime" || key == "lastUpdateTime" || key == "creationTimestamp" ||
         key == "timeAdded" || key == "lastHeartbeatTime" || key == "resourceVersion" ||
         key == "generation";
}

std::string tell_conditions(json::Node condition) {
  std::string out(condition["status"].string());
  if (condition["reason"]) out += join({" ", condition["reason"].string()});
  if (const std::string_view message = condition["message"].string(); !message.empty())
    out += join({" \"", message, "\""});
  return out;
}

std::string tell_owner(json::Node reference) {
  return join({reference["kind"].string(), "/", reference["name"].string(),
               reference["controller"].boolean() ? " controls" : "",
               reference["blockOwnerDeletion"].boolean() ? " blocks" : ""});
}

std::string tell_endpoint(json::Node endpoint) {
  std::string out(endpoint["addresses"].first().string());
  for (const json::Node condition : endpoint["conditions"]) {
    if (condition.boolean()) out += join({" ", condition.key()});
  }
  for (const char* word : {"hostname", "nodeName", "zone"}) {
    if (endpoint[word]) out += join({" ", word, "=", endpoint[word].string()});
  }
  for (const json::Node hint : endpoint["hints"])
    out += join({" ", hint.key(), "=", hint.first()["name"].string()});
  return out;
}

std::string tell_item(std::string_view list, json::Node item) {
  if (list == "ownerReferences") return tell_owner(item);
  if (list == "endpoints") return tell_endpoint(item);
  if (list == "taints") return join({item["key"].string(), ":", item["effect"].string()});
  if (list == "addresses" || list == "notReadyAddresses") return std::string(item["ip"].string());
  if (list == "ports") {
    return join({item["name"].string(), item["name"] ? ":" : "",
                 std::to_string(item["port"].integer()), "/", item["protocol"].string()});
  }
  return item.is_string() ? std::string(item.string()) : json::write(item);
}

std::string tell_list(json::Node list);

std::string tell_subset(json::Node subset) {
  std::string out;
  for (const json::Node part : subset)
    out += join({out.empty() ? "" : " ", part.key(), "=", tell_list(part)});
  return "{" + out + "}";
}

std::string tell_list(json::Node list) {
  constexpr size_t kShown = 6;
  if (list.size() > kShown) return join({std::to_string(list.size()), " ", list.key()});
  std::string out;
  for (const json::Node item : list) {
    if (!out.empty()) out += ", ";
    out += list.key() == "subsets" ? tell_subset(item) : tell_item(list.key(), item);
  }
  return "[" + out + "]";
}

void flatten_into(json::Node node,
                  const std::string& path,
                  std::map<std::string, std::string>& out) {
  for (const json::Node child : node) {
    const std::string key =
        path.empty() ? std::string(child.key()) : join({path, ".", child.key()});
    if (is_time(child.key())) continue;
    if (child.is_object())
      flatten_into(child, key, out);
    else if (child.is_array() && child.key() == "conditions")
      for (const json::Node condition : child)
        out[join({path, path.empty() ? "" : ".", condition["type"].string()})] =
            tell_conditions(condition);
    else if (child.is_array())
      out[key] = tell_list(child);
    else
      out[key] = child.is_string() ? std::string(child.string()) : json::write(child);
  }
}

// status.replicas -> replicas where only status is written, metadata.labels.x -> labels.x
std::string shown(std::string path) {
  for (const char* prefix : {"status.", "metadata.", "spec."}) {
    if (path.starts_with(prefix)) return path.substr(std::string_view(prefix).size());
  }
  return path;
}

std::string differences(json::Node before, json::Node after) {
  const auto old = flatten(before);
  const auto now = flatten(after);
  std::string out;
  for (const auto& [path, value] : now) {
    const auto was = old.find(path);
    if (was == old.end() || was->second != value) out += join({" ", shown(path), "=", value});
  }
  for (const auto& [path, value] : old) {
    if (!now.contains(path)) out += join({" -", shown(path)});
  }
  return out.empty() ? " nothing but times" : out;
}

// Of a new object: what its controller decided, not what it copied from the template.
std::string tell_new(const api::Kind& kind, json::Node body) {
  body.remove("kind");
  body.remove("apiVersion");
  for (const char* name : {"name", "namespace", "generateName"})
    body["metadata"].remove(name);
  if (&kind == &api::kPod) body.remove("spec");
  for (const char* name : {"template", "selector"})
    body["spec"].remove(name);
  if (&kind == &api::kControllerRevision) {
    body.remove("data");
    body["metadata"].remove("labels");
  }
  if (&kind == &api::kPod || &kind == &api::kReplicaSet) body["metadata"].remove("labels");
  json::Tree empty;
  return differences(empty.make_object(), body);
}

}  // namespace

std::map<std::string, std::string> flatten(json::Node node) {
  std::map<std::string, std::string> out;
  flatten_into(node, "", out);
  return out;
}

void Trace::learn(json::Node body) {
  const json::Node metadata = body["metadata"];
  const std::string_view hash = metadata["labels"]["pod-template-hash"].string();
  if (body["kind"].string() == "ReplicaSet" && masked(std::string(hash)) == hash)
    masks_.emplace_back(hash, "#" + std::to_string(++hashes_));
  for (const char* label : {"controller-revision-hash", "controller.kubernetes.io/hash"}) {
    const std::string_view revision = metadata["labels"][label].string();
    if (body["kind"].string() == "ControllerRevision" && !revision.empty() &&
        masked(std::string(revision)) == revision)
      masks_.emplace_back(revision, "#" + std::to_string(++hashes_));
  }
  if (metadata["labels"]["statefulset.kubernetes.io/pod-name"]) return;  // not a generated name
  if (const std::string_view prefix = metadata["generateName"].string(); !prefix.empty())
    masks_.insert(masks_.begin(), {std::string(metadata["name"].string()), join({prefix, "?"})});
}

std::string Trace::masked(std::string text) const {
  for (const auto& [from, to] : masks_) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  }
  return text;
}

std::string Trace::unmasked(std::string text) const {
  for (const auto& [from, to] : masks_) {
    if (to[0] != '#') continue;
    if (const size_t at = text.find(to); at != std::string::npos) text.replace(at, to.size(), from);
  }
  return text;
}

std::string Trace::call(const Cluster& cluster, const api::Call& call) {
  const std::string what = join(
      {call.key.kind->singular, " ", call.key.ns, call.key.ns.empty() ? "" : "/", call.key.name});
  const bool is_delete = call.verb == api::CallVerb::kDelete;
  if (is_delete) {
    constexpr const char* kPolicies[] = {"", "", " foreground", " orphan"};
    return join({"delete ", what, kPolicies[static_cast<size_t>(call.propagation)]});
  }
  json::Tree tree;
  const auto body = tree.parse(call.body);
  if (!body) return "malformed " + what;
  if (call.verb == api::CallVerb::kCreate) {
    learn(*body);
    return join({"create ", what, tell_new(*call.key.kind, *body)});
  }
  const api::ObjectRef stored = cluster.get(*call.key.kind, call.key.ns, call.key.name);
  if (!stored) return "update of absent " + what;
  json::Tree before;
  json::Tree after;
  const json::Node old = stored->parse(before);
  json::Node next = *body;
  if (call.verb == api::CallVerb::kMergePatch) {
    next = after.make_root(old);
    json::merge_patch(next, *body);
  }
  const std::string_view sub = api::subresource_name(call.subresource);
  return join({sub.empty() ? std::string_view("update") : sub, " ", what, differences(old, next)});
}

std::string Trace::note(const api::Note& note) {
  return join({"event ", note.warning ? "Warning " : "Normal ", note.reason, " ",
               note.about->name(), " \"", note.message, "\""});
}

std::string collapse(const std::vector<std::string>& lines) {
  std::string out;
  for (size_t i = 0; i < lines.size();) {
    size_t end = i;
    while (end < lines.size() && lines[end] == lines[i])
      ++end;
    out += lines[i];
    if (end - i > 1) out += join({" (x", std::to_string(end - i), ")"});
    out += '\n';
    i = end;
  }
  return out;
}

}  // namespace coracle::testing
