// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/controllers/manifest.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "json/merge.h"

namespace coracle::testing {

namespace {

using Words = std::map<std::string, std::string, std::less<>>;

std::string take(Words& words, std::string_view name, std::string otherwise = {}) {
  const auto found = words.find(name);
  if (found == words.end()) return otherwise;
  std::string value = found->second;
  words.erase(found);
  return value;
}

bool flag(Words& words, std::string_view name) {
  const auto found = words.find(name);
  if (found == words.end() || !found->second.empty()) return false;
  words.erase(found);
  return true;
}

void set_number(json::Node node, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  if (const auto number = parse_signed(text))
    node.set(name, *number);
  else
    node.set(name, text);
}

void set_map(json::Node node, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  for (const std::string_view pair : split(text, ',')) {
    const size_t colon = pair.find(':');
    node.object(name).set(pair.substr(0, colon),
                          colon == std::string_view::npos ? "" : pair.substr(colon + 1));
  }
}

void add_owner(const Cluster& cluster, json::Node metadata, std::string text, bool controls) {
  bool blocks = controls;
  if (text.ends_with('!')) {
    blocks = true;
    text.pop_back();
  }
  const size_t slash = text.find('/');
  const std::string kind_word = slash == std::string::npos ? "replicaset" : text.substr(0, slash);
  const std::string name = slash == std::string::npos ? text : text.substr(slash + 1);
  const api::Kind* kind = kind_named(kind_word);
  const json::Node reference = metadata.array("ownerReferences").append_object();
  reference.set("apiVersion", kind == nullptr ? "example.com/v1" : api::group_version(*kind));
  reference.set("kind", kind == nullptr ? std::string_view(kind_word) : kind->name);
  reference.set("name", name);
  api::ObjectRef owner;
  if (kind != nullptr)
    owner = cluster.get(*kind, kind->namespaced ? metadata["namespace"].string() : "", name);
  reference.set("uid", owner ? std::string(owner->uid()) : name + "-uid");
  if (controls) reference.set("controller", true);
  if (blocks) reference.set("blockOwnerDeletion", true);
}

void write_metadata(const Cluster& cluster, json::Node metadata, Words& words) {
  set_map(metadata, "labels", take(words, "labels"));
  set_map(metadata, "annotations", take(words, "annotations"));
  if (const std::string uid = take(words, "uid"); !uid.empty()) metadata.set("uid", uid);
  set_number(metadata, "generation", take(words, "generation"));
  const int64_t age = parse_signed(take(words, "age", "0")).value_or(0);
  metadata.set("creationTimestamp", rfc3339(cluster.now + seconds(-age)));
  if (flag(words, "deleting")) metadata.set("deletionTimestamp", rfc3339(cluster.now));
  if (const std::string owner = take(words, "owner"); !owner.empty())
    add_owner(cluster, metadata, owner, true);
  if (const std::string refs = take(words, "refs"); !refs.empty()) {
    for (const std::string_view ref : split(refs, ','))
      add_owner(cluster, metadata, std::string(ref), false);
  }
  if (const std::string finalizers = take(words, "finalizers"); !finalizers.empty()) {
    for (const std::string_view finalizer : split(finalizers, ','))
      metadata.array("finalizers").append(finalizer);
  }
}

void write_template(json::Node spec, const std::string& app, Words& words) {
  const json::Node model = spec.object("template");
  model.object("metadata").object("labels").set("app", app);
  set_map(model["metadata"], "labels", take(words, "template-labels"));
  const json::Node container = model.object("spec").array("containers").append_object();
  container.set("name", "c");
  container.set("image", take(words, "image", "v1"));
  spec.object("selector").object("matchLabels").set("app", app);
}

void write_deployment(json::Node object, Words& words) {
  const json::Node spec = object.object("spec");
  set_number(spec, "replicas", take(words, "replicas", "1"));
  set_number(spec, "progressDeadlineSeconds", take(words, "deadline", "600"));
  set_number(spec, "revisionHistoryLimit", take(words, "history", "10"));
  set_number(spec, "minReadySeconds", take(words, "min-ready"));
  if (flag(words, "paused")) spec.set("paused", true);
  const std::string strategy = take(words, "strategy", "RollingUpdate");
  spec.object("strategy").set("type", strategy);
  if (strategy == "RollingUpdate") {
    const json::Node rolling = spec["strategy"].object("rollingUpdate");
    set_number(rolling, "maxSurge", take(words, "surge", "25%"));
    set_number(rolling, "maxUnavailable", take(words, "unavailable", "25%"));
  }
  write_template(spec, take(words, "app", std::string(object["metadata"]["name"].string())), words);
  if (!object["metadata"]["generation"]) object["metadata"].set("generation", 1);
}

void write_replicaset(json::Node object, Words& words) {
  const json::Node spec = object.object("spec");
  set_number(spec, "replicas", take(words, "replicas", "1"));
  set_number(spec, "minReadySeconds", take(words, "min-ready"));
  write_template(spec, take(words, "app", std::string(object["metadata"]["name"].string())), words);
  if (!object["metadata"]["generation"]) object["metadata"].set("generation", 1);
}

// cpu=500m memory=1Gi and whatever else the list may hold: more=gpu:2
void write_amounts(json::Node object, std::string_view list, Words& words) {
  for (const char* name : {"cpu", "memory", "pods"}) {
    if (const std::string amount = take(words, name); !amount.empty())
      object.object(list).set(name, amount);
  }
  set_map(object, list, take(words, "more"));
}

// daemonset, statefulset, job: what their words leave out is said with spec={...}.
void write_workload(const api::Kind& kind, json::Node object, Words& words) {
  const json::Node spec = object.object("spec");
  set_number(spec, "replicas", take(words, "replicas"));
  set_number(spec, "minReadySeconds", take(words, "min-ready"));
  set_number(spec, "revisionHistoryLimit", take(words, "history"));
  if (const std::string strategy = take(words, "strategy"); !strategy.empty())
    spec.object("updateStrategy").set("type", strategy);
  const json::Node rolling = spec["updateStrategy"];
  for (const auto& [word, name] :
       {std::pair{"surge", "maxSurge"}, std::pair{"unavailable", "maxUnavailable"},
        std::pair{"partition", "partition"}}) {
    if (const std::string value = take(words, word); !value.empty())
      set_number(rolling.object("rollingUpdate"), name, value);
  }
  write_template(spec, take(words, "app", std::string(object["metadata"]["name"].string())), words);
  if (&kind == &api::kReplicationController)
    spec.set("selector", spec["template"]["metadata"]["labels"]);
  if (!object["metadata"]["generation"]) object["metadata"].set("generation", 1);
}

void write_pod(const Cluster& cluster, json::Node object, Words& words) {
  const json::Node metadata = object["metadata"];
  const json::Node owner = metadata["ownerReferences"].first();
  const std::string app = take(words, "app", std::string(owner["name"].string("web")));
  if (!metadata["labels"] && app != "none") metadata.object("labels").set("app", app);
  const json::Node spec = object.object("spec");
  const json::Node container = spec.array("containers").append_object();
  container.set("name", "c");
  if (const std::string port = take(words, "port"); !port.empty()) {
    const size_t colon = port.find(':');
    const json::Node entry = container.array("ports").append_object();
    entry.set("name", port.substr(0, colon));
    set_number(entry, "containerPort", port.substr(colon + 1));
  }
  for (const char* name : {"hostname", "subdomain"}) {
    if (const std::string value = take(words, name); !value.empty()) spec.set(name, value);
  }
  if (const std::string node = take(words, "node"); !node.empty()) spec.set("nodeName", node);
  write_amounts(container.object("resources"), "requests", words);
  if (container["resources"].size() == 0) container.remove("resources");
  set_number(spec, "priority", take(words, "priority"));
  if (const std::string cost = take(words, "cost"); !cost.empty())
    metadata.object("annotations").set("controller.kubernetes.io/pod-deletion-cost", cost);
  const json::Node status = object.object("status");
  const auto ready = words.find("ready");
  status.set("phase", take(words, "phase", ready == words.end() ? "Pending" : "Running"));
  if (const std::string ip = take(words, "ip"); !ip.empty()) status.set("podIP", ip);
  if (const std::string restarts = take(words, "restarts"); !restarts.empty()) {
    const json::Node entry = status.array("containerStatuses").append_object();
    entry.set("name", "c");
    set_number(entry, "restartCount", restarts);
  }
  if (ready == words.end()) return;
  const int64_t since = parse_signed(take(words, "ready")).value_or(0);
  const json::Node condition = status.array("conditions").append_object();
  condition.set("type", "Ready");
  condition.set("status", "True");
  condition.set("lastTransitionTime", rfc3339(cluster.now + seconds(-since)));
}

// ports=http:80:8080,dns:53:dns/UDP
void write_service_ports(json::Node spec, const std::string& text) {
  if (text.empty() || text == "none") return;
  for (const std::string_view one : split(text, ',')) {
    const size_t slash = one.find('/');
    const std::vector<std::string_view> parts = split(one.substr(0, slash), ':');
    const json::Node port = spec.array("ports").append_object();
    if (!parts[0].empty()) port.set("name", parts[0]);
    if (parts.size() > 1) set_number(port, "port", std::string(parts[1]));
    if (parts.size() > 2) set_number(port, "targetPort", std::string(parts[2]));
    port.set("protocol", slash == std::string_view::npos ? "TCP" : one.substr(slash + 1));
  }
}

void write_service(json::Node object, Words& words) {
  const json::Node spec = object.object("spec");
  spec.set("clusterIP", flag(words, "headless") ? "None" : "10.43.0.9");
  if (const std::string type = take(words, "type"); !type.empty()) spec.set("type", type);
  const std::string app = take(words, "app", std::string(object["metadata"]["name"].string()));
  if (app != "none") spec.object("selector").set("app", app);
  if (flag(words, "publish-not-ready")) spec.set("publishNotReadyAddresses", true);
  write_service_ports(spec, take(words, "ports", ":80"));
}

// addresses=10.0.0.1,10.0.0.2 unready=10.0.0.3 ports=http:8080: one subset; "twice" makes another.
void write_endpoints(json::Node object, Words& words) {
  const std::string ports = take(words, "ports");
  const std::string ready = take(words, "addresses");
  const std::string unready = take(words, "unready");
  for (int i = flag(words, "twice") ? 0 : 1; i < 2; ++i) {
    const json::Node subset = object.array("subsets").append_object();
    if (!ready.empty())
      for (const std::string_view ip : split(ready, ','))
        subset.array("addresses").append_object().set("ip", ip);
    if (!unready.empty())
      for (const std::string_view ip : split(unready, ','))
        subset.array("notReadyAddresses").append_object().set("ip", ip);
    write_service_ports(subset, ports);
  }
}

void write_node(const Cluster& cluster, json::Node object, Words& words) {
  write_amounts(object.object("status"), "allocatable", words);
  if (object["status"].size() == 0) object.remove("status");
  if (const std::string taints = take(words, "taints"); !taints.empty()) {
    for (const std::string_view each : split(taints, ',')) {
      const std::vector<std::string_view> parts = split(each, ':');
      const json::Node taint = object.object("spec").array("taints").append_object();
      taint.set("key", parts[0]);
      if (parts.size() > 2) taint.set("value", parts[1]);
      taint.set("effect", parts.back());
    }
  }
  if (flag(words, "unschedulable")) object.object("spec").set("unschedulable", true);
  if (const std::string ready = take(words, "ready"); !ready.empty()) {
    for (const char* type : {"MemoryPressure", "DiskPressure", "PIDPressure", "Ready"}) {
      const json::Node condition = object.object("status").array("conditions").append_object();
      condition.set("type", type);
      condition.set("status", type == std::string_view("Ready") ? ready : "False");
      condition.set("lastHeartbeatTime", rfc3339(cluster.now));
      condition.set("lastTransitionTime", rfc3339(cluster.now));
    }
  }
  if (flag(words, "disk-pressure")) object["status"]["conditions"].at(1).set("status", "True");
}

// storageclass fast by=vendor/x mode=WaitForFirstConsumer policy=Retain
// persistentvolume v1 size=1Gi class=fast policy=Delete; persistentvolumeclaim d/c size=1Gi
void write_storage(const api::Kind& kind, json::Node object, Words& words) {
  if (&kind == &api::kStorageClass) {
    object.set("provisioner", take(words, "by"));
    object.set("volumeBindingMode", take(words, "mode", "Immediate"));
    object.set("reclaimPolicy", take(words, "policy", "Delete"));
    return;
  }
  const bool is_claim = &kind == &api::kPersistentVolumeClaim;
  const json::Node spec = object.object("spec");
  if (const std::string name = take(words, "class"); !name.empty())
    spec.set("storageClassName", name);
  const json::Node sizes =
      is_claim ? spec.object("resources").object("requests") : spec.object("capacity");
  sizes.set("storage", take(words, "size", "1Gi"));
  spec.array("accessModes").append(take(words, "access", "ReadWriteOnce"));
  if (is_claim) return;
  spec.set("persistentVolumeReclaimPolicy", take(words, "policy", "Retain"));
  spec.object("hostPath").set("path", "/data");
}

void write_rest(const Cluster& cluster, const api::Kind& kind, json::Node object, Words& words) {
  if (&kind == &api::kDeployment) write_deployment(object, words);
  if (&kind == &api::kReplicaSet) write_replicaset(object, words);
  if (&kind == &api::kDaemonSet || &kind == &api::kStatefulSet || &kind == &api::kJob ||
      &kind == &api::kReplicationController)
    write_workload(kind, object, words);
  if (&kind == &api::kPod) write_pod(cluster, object, words);
  if (&kind == &api::kService) write_service(object, words);
  if (&kind == &api::kEndpoints) write_endpoints(object, words);
  if (&kind == &api::kNode) write_node(cluster, object, words);
  if (&kind == &api::kStorageClass || &kind == &api::kPersistentVolume ||
      &kind == &api::kPersistentVolumeClaim)
    write_storage(kind, object, words);
  if (&kind == &api::kNamespace) object.object("spec").array("finalizers").append("kubernetes");
  if (&kind == &api::kSecret) {
    object.set("type", take(words, "type", "Opaque"));
    set_map(object, "data", take(words, "data"));
  }
  if (&kind == &api::kConfigMap) set_map(object, "data", take(words, "data"));
  // spec={"a":1} and status={...}: JSON without blanks, merged into what the words said.
  for (const char* part : {"spec", "status"}) {
    json::Tree tree;
    std::string text = take(words, part);
    for (size_t at = 0; (at = text.find("%20", at)) != std::string::npos;)
      text.replace(at, 3, " ");
    if (const auto more = tree.parse(text); more) json::merge_patch(object.object(part), *more);
  }
}

}  // namespace

const api::Kind* kind_named(std::string_view word) {
  for (const api::Kind* kind : api::all_kinds()) {
    if (kind->singular == word || kind->name == word) return kind;
  }
  return nullptr;
}

api::Key key_named(const api::Kind& kind, std::string_view word) {
  const size_t slash = word.find('/');
  if (slash == std::string_view::npos) return {&kind, "", std::string(word)};
  return {&kind, std::string(word.substr(0, slash)), std::string(word.substr(slash + 1))};
}

bool put_line(Cluster& cluster, std::string_view line) {
  std::vector<std::string_view> parts = split(line, ' ');
  if (parts.size() < 2) return false;
  const api::Kind* kind = kind_named(parts[0]);
  if (kind == nullptr) return false;
  Words words;
  for (size_t i = 2; i < parts.size(); ++i) {
    const size_t equals = parts[i].find('=');
    words[std::string(parts[i].substr(0, equals))] =
        equals == std::string_view::npos ? "" : std::string(parts[i].substr(equals + 1));
  }
  const api::Key key = key_named(*kind, parts[1]);
  json::Tree tree;
  const json::Node object = tree.make_object();
  object.set("kind", kind->name);
  object.set("apiVersion", api::group_version(*kind));
  const json::Node metadata = object.object("metadata");
  metadata.set("name", key.name);
  if (!key.ns.empty()) metadata.set("namespace", key.ns);
  write_metadata(cluster, metadata, words);
  write_rest(cluster, *kind, object, words);
  cluster.put(*kind, object);
  return words.empty();
}

}  // namespace coracle::testing
