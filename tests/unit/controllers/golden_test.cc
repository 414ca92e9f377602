// SPDX-License-Identifier: GPL-2.0-or-later
// Runs tests/golden/controllers/*.txt: scenarios that tell what controllers plan. The commands are
// the rows of kCommands below; every file starts with an empty cluster.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "controllers/rows.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/golden_script.h"
#include "tests/unit/controllers/manifest.h"
#include "tests/unit/controllers/trace.h"

namespace coracle::controllers {
namespace {

using testing::Cluster;
using testing::Trace;

struct Row {
  std::string_view word;
  const Controller* controller;
  const api::Kind* kind;  // of its keys; null: named in the command
};
const Row kRows[] = {
    {"deployment", &kDeploymentController, &api::kDeployment},
    {"replicaset", &kReplicaSetController, &api::kReplicaSet},
    {"endpointslice", &kEndpointSliceController, &api::kService},
    {"endpoints", &kEndpointsController, &api::kService},
    {"mirroring", &kEndpointSliceMirroringController, &api::kEndpoints},
    {"namespace", &kNamespaceController, &api::kNamespace},
    {"account", &kServiceAccountController, &api::kNamespace},
    {"rootca", &kRootCaController, &api::kNamespace},
    {"garbage", &kGarbageCollector, nullptr},
    {"node", &kNodeLifecycleController, &api::kNode},
    {"replicationcontroller", &kReplicationControllerController, &api::kReplicationController},
    {"daemonset", &kDaemonSetController, &api::kDaemonSet},
    {"statefulset", &kStatefulSetController, &api::kStatefulSet},
    {"job", &kJobController, &api::kJob},
    {"cronjob", &kCronJobController, &api::kCronJob},
    {"ttl", &kTtlAfterFinishedController, &api::kJob},
    {"disruption", &kDisruptionController, &api::kPodDisruptionBudget},
    {"quota", &kResourceQuotaController, &api::kResourceQuota},
    {"eviction", &kTaintEvictionController, &api::kPod},
    {"podgc", &kPodGarbageCollector, nullptr},
    {"token", &kTokenCleaner, &api::kSecret},
    {"autoscaler", &kAutoscalerController, &api::kHorizontalPodAutoscaler},
    {"claim", &kVolumeBindingController, &api::kPersistentVolumeClaim},
    {"volume", &kVolumeBindingController, &api::kPersistentVolume},
    {"provisioner", &kLocalPathController, nullptr},
    {"protection", &kVolumeProtectionController, nullptr},
    {"ephemeral", &kEphemeralVolumeController, &api::kPod},
};

class Stage final : Ages, Metrics, ScalingMemories {
 public:
  std::string run(const std::vector<std::string>& command);

 private:
  using Words = std::vector<std::string_view>;
  Duration since_change(const api::Object& object) const override {
    return age(std::string(object.name()));
  }
  // "silent gone:n1 60", "silent taint:n1/key 300"
  Duration since_gone(std::string_view node) const override { return age(join({"gone:", node})); }
  Duration since_taint(std::string_view node, std::string_view key) const override {
    return age(join({"taint:", node, "/", key}));
  }
  Duration age(const std::string& what) const {
    const auto found = silent_.find(what);
    return found == silent_.end() ? Duration{} : found->second;
  }
  const Row* row(std::string_view word) const {
    for (const Row& each : kRows) {
      if (each.word == word) return &each;
    }
    return nullptr;
  }
  api::Plan plan_of(const Row& row, const api::Key& key);
  std::vector<std::string> tell(const api::Plan& plan);
  bool carry_out(const Row& row, const api::Key& key, std::vector<std::string>& lines);
  bool kubelet(std::string_view mood, std::vector<std::string>& lines);
  bool kubelet_sees(const api::ObjectRef& pod, std::string_view mood, std::string_view& did);

  std::string objects(const std::vector<std::string>& command);
  std::string plan(const Words& words, bool carry);
  std::string converge(const std::vector<std::string>& command);
  std::string set(const Words& words);
  std::string remove(const Words& words);
  std::string show(const Words& words);
  std::string list(const Words& words);
  std::string end(const Words& words);
  std::string refuse(const std::string& line);
  std::string use(const Words& words);
  const PodUsage* of(std::string_view ns, std::string_view pod) override {
    const auto found = usage_.find(join({ns, "/", pod}));
    return found == usage_.end() ? nullptr : &found->second;
  }
  ScalingMemory& of(const api::Key& key) override { return scaling_[key]; }

  Cluster cluster_{Wall{1'700'000'000'000'000'000}};
  Trace trace_;
  std::map<std::string, Duration> silent_;
  std::map<std::pair<std::string_view, api::Key>, Refusal> refusals_;
  int next_ip_ = 1;
  std::map<std::string, PodUsage> usage_;
  std::map<api::Key, ScalingMemory> scaling_;
};

api::Plan Stage::plan_of(const Row& row, const api::Key& key) {
  const auto refusal = refusals_.find({row.word, key});
  const Now now{cluster_,
                cluster_.now,
                *this,
                "PEM",
                refusal == refusals_.end() ? nullptr : &refusal->second,
                {},
                nullptr,
                Mono{cluster_.now.ns},
                this,
                this};
  Result<api::Plan> plan = row.controller->plan(now, key);
  EXPECT_TRUE(plan);
  return plan ? std::move(plan).value() : api::Plan{};
}

std::vector<std::string> Stage::tell(const api::Plan& plan) {
  std::vector<std::string> lines;
  for (const api::Call& call : plan.calls)
    lines.push_back(trace_.call(cluster_, call));
  for (const api::Note& note : plan.notes)
    lines.push_back(Trace::note(note));
  if (plan.again_after)
    lines.push_back("again in " + std::to_string(plan.again_after->ms()) + " ms");
  for (std::string& line : lines)
    line = trace_.masked(std::move(line));
  return lines;
}

// As the runner does it, but at once. True if anything was planned.
bool Stage::carry_out(const Row& row, const api::Key& key, std::vector<std::string>& lines) {
  const api::Plan plan = plan_of(row, key);
  refusals_.erase({row.word, key});
  for (size_t i = 0; i < plan.calls.size(); ++i) {
    lines.push_back(trace_.masked(trace_.call(cluster_, plan.calls[i])));
    const auto answer = cluster_.apply(plan.calls[i]);
    if (answer) {
      for (const api::Note& note : plan.notes) {
        if (note.call == i) lines.push_back(trace_.masked(Trace::note(note)));
      }
      continue;
    }
    lines.push_back(trace_.masked("refused: " + answer.error().message));
    refusals_[{row.word, key}] = {plan.calls[i].verb, answer.error().message};
    if (plan.refused) {
      api::Note note = *plan.refused;
      note.message += answer.error().message;
      lines.push_back(trace_.masked(Trace::note(note)));
    }
    if (plan.slow_start) break;
  }
  return !plan.calls.empty();
}

std::string Stage::plan(const Words& words, bool carry) {
  const Row* found = row(words[1]);
  if (found == nullptr) return "unknown controller\n";
  const bool named = found->kind == nullptr;
  const api::Kind* kind = named ? testing::kind_named(words[2]) : found->kind;
  const api::Key key =
      testing::key_named(*kind, trace_.unmasked(std::string(words[named ? 3 : 2])));
  std::vector<std::string> lines;
  if (carry)
    carry_out(*found, key, lines);
  else
    lines = tell(plan_of(*found, key));
  if (lines.empty()) return "nothing\n";
  return testing::collapse(lines);
}

// As the scheduler would: where required node affinity says, else n1.
std::string_view wanted_node(json::Node pod) {
  const json::Node required =
      pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
  return required["nodeSelectorTerms"].first()["matchFields"].first()["values"].first().string(
      "n1");
}

bool Stage::kubelet_sees(const api::ObjectRef& ref, std::string_view mood, std::string_view& did) {
  if (ref->deleting()) {
    if (mood == "slow") return false;
    json::Tree tree;
    const json::Node pod = ref->parse(tree);
    did = "removes ";
    if (pod["metadata"]["finalizers"].size() > 0) return false;
    cluster_.remove(*ref);
    return true;
  }
  json::Tree tree;
  const json::Node pod = ref->parse(tree);
  if (mood == "broken" || !pod["status"]["podIP"].string().empty()) return false;
  did = "readies ";
  pod.object("spec").set("nodeName", wanted_node(pod));
  pod.object("status").set("phase", "Running");
  pod["status"].set("podIP", "10.42.0." + std::to_string(next_ip_++));
  const json::Node condition = pod["status"].array("conditions").append_object();
  condition.set("type", "Ready");
  condition.set("status", "True");
  condition.set("lastTransitionTime", rfc3339(cluster_.now));
  cluster_.put(api::kPod, pod);
  return true;
}

// Makes new pods ready and lets go of those that are being deleted. "broken": new pods never get
// ready. "slow": pods being deleted stay.
bool Stage::kubelet(std::string_view mood, std::vector<std::string>& lines) {
  bool acted = false;
  for (const api::ObjectRef& object : cluster_.all()) {
    if (&object->kind() != &api::kPod) continue;
    std::string_view did;
    if (!kubelet_sees(object, mood, did)) continue;
    lines.push_back(trace_.masked(join({"kubelet ", did, object->ns(), "/", object->name()})));
    acted = true;
  }
  return acted;
}

// "converge deployment replicaset kubelet": the controllers until none plans anything, then one
// step of the kubelet, and again. The trace shows calls and events.
std::string Stage::converge(const std::vector<std::string>& command) {
  constexpr int kRoundsMax = 200;
  const Words words = split(command[0], ' ');
  std::string_view mood;
  std::vector<std::string> lines;
  for (int round = 0; round < kRoundsMax; ++round) {
    bool acted = false;
    for (const std::string_view word : words) {
      const Row* found = row(word);
      if (found == nullptr) continue;
      for (const api::ObjectRef& object : cluster_.all()) {
        if (found->kind != nullptr && &object->kind() != found->kind) continue;
        const api::Key key{&object->kind(), std::string(object->ns()), std::string(object->name())};
        acted = carry_out(*found, key, lines) || acted;
      }
    }
    if (!refusals_.empty()) return testing::collapse(lines) + "refused\n";
    if (acted) continue;
    if (words.back().starts_with("kubelet")) {
      mood = words.back();
      mood.remove_prefix(std::min(mood.size(), std::string_view("kubelet-").size()));
      if (kubelet(mood, lines)) continue;
    }
    return testing::collapse(lines) + "settled\n";
  }
  return testing::collapse(lines) + "never settles\n";
}

std::string Stage::objects(const std::vector<std::string>& command) {
  std::string out;
  for (size_t i = 1; i < command.size(); ++i) {
    if (!testing::put_line(cluster_, trace_.unmasked(command[i])))
      out += "not understood: " + command[i] + "\n";
  }
  return out.empty() ? "ok\n" : out;
}

// "set deployment d/web spec.replicas=5": as a user's update.
std::string Stage::set(const Words& words) {
  const api::Kind* kind = testing::kind_named(words[1]);
  const api::Key key = testing::key_named(*kind, trace_.unmasked(std::string(words[2])));
  const api::ObjectRef object = cluster_.get(*kind, key.ns, key.name);
  if (!object) return "absent\n";
  json::Tree tree;
  json::Node root = object->parse(tree);
  for (size_t i = 3; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    const std::vector<std::string_view> path = split(words[i].substr(0, equals), '/');
    json::Node at = root;
    for (size_t step = 0; step + 1 < path.size(); ++step) {
      const auto index = parse_unsigned(path[step]);
      at = index && at.is_array() ? at.at(*index)
           : at[path[step]]       ? at[path[step]]
                                  : at.object(path[step]);
    }
    const std::string_view value = words[i].substr(equals + 1);
    json::Tree parsed;
    if (value.empty())
      at.remove(path.back());
    else if (const auto node = parsed.parse(value))
      at.set(path.back(), *node);
    else
      at.set(path.back(), value);
  }
  if (kind->bumps_generation)
    root["metadata"].set("generation", root["metadata"]["generation"].integer() + 1);
  cluster_.put(*kind, root);
  return "ok\n";
}

std::string Stage::remove(const Words& words) {
  const api::Kind* kind = testing::kind_named(words[1]);
  api::Call call;
  call.verb = api::CallVerb::kDelete;
  call.key = testing::key_named(*kind, trace_.unmasked(std::string(words[2])));
  if (words.size() > 3) {
    call.propagation = words[3] == "foreground" ? api::Propagation::kForeground
                       : words[3] == "orphan"   ? api::Propagation::kOrphan
                                                : api::Propagation::kBackground;
  }
  const auto answer = cluster_.apply(call);
  return answer ? "ok\n" : answer.error().message + "\n";
}

// "show deployment d/web status": every leaf below the path, a line each.
std::string Stage::show(const Words& words) {
  const api::Kind* kind = testing::kind_named(words[1]);
  const api::Key key = testing::key_named(*kind, trace_.unmasked(std::string(words[2])));
  const api::ObjectRef object = cluster_.get(*kind, key.ns, key.name);
  if (!object) return "absent\n";
  json::Tree tree;
  json::Node node = object->parse(tree);
  if (words.size() > 3) {
    for (const std::string_view step : split(words[3], '.'))
      node = node[step];
  }
  std::string out;
  for (const auto& [path, value] : testing::flatten(node))
    out += join({path, "=", value, "\n"});
  return out.empty() ? "nothing\n" : trace_.masked(out);
}

std::string Stage::list(const Words& words) {
  std::vector<std::string> lines;
  for (const api::ObjectRef& object : cluster_.all()) {
    if (object->kind().singular != words[1]) continue;
    json::Tree tree;
    const json::Node node = object->parse(tree);
    std::string line = join({object->ns(), object->ns().empty() ? "" : "/", object->name()});
    if (&object->kind() == &api::kReplicaSet) {
      line += " replicas=" + std::to_string(node["spec"]["replicas"].integer());
      for (const json::Node annotation : node["metadata"]["annotations"])
        line += join({" ", annotation.key().substr(annotation.key().find('/') + 1), "=",
                      annotation.string()});
    }
    if (object->deleting()) line += " deleting";
    lines.push_back(trace_.masked(line));
  }
  return lines.empty() ? "none\n" : testing::collapse(lines);
}

// "end d/pi Failed 2 42": the first two pods of that prefix that have not ended do so, by that exit
// code.
std::string Stage::end(const Words& words) {
  int64_t left = words.size() > 3 ? parse_signed(words[3]).value_or(1) : 1;
  std::vector<std::string> lines;
  for (const api::ObjectRef& object : cluster_.all()) {
    const std::string name = join({object->ns(), "/", object->name()});
    if (&object->kind() != &api::kPod || !name.starts_with(words[1])) continue;
    json::Tree tree;
    const json::Node pod = object->parse(tree);
    const std::string_view phase = pod["status"]["phase"].string();
    if (phase == "Succeeded" || phase == "Failed" || left-- <= 0) continue;
    pod.object("status").set("phase", words[2]);
    const json::Node container = pod["status"].array("containerStatuses").append_object();
    container.set("name", "c");
    const json::Node ended = container.object("state").object("terminated");
    ended.set("exitCode", words.size() > 4 ? parse_signed(words[4]).value_or(0) : 0);
    ended.set("finishedAt", rfc3339(cluster_.now));
    cluster_.put(api::kPod, pod);
    lines.push_back(trace_.masked(join({"kubelet ends ", name})));
  }
  return lines.empty() ? "none\n" : testing::collapse(lines);
}

// "refuse pod exceeded quota: q" or "refuse none"
std::string Stage::refuse(const std::string& line) {
  const Words words = split(line, ' ');
  cluster_.refused_kind = testing::kind_named(words[1]);
  cluster_.refused_with = line.substr(std::min(line.size(), words[0].size() + words[1].size() + 2));
  if (cluster_.refused_kind == nullptr) cluster_.refused_with.clear();
  return "ok\n";
}

// "use d/web-1 250 64": so many thousandths of a CPU and MiB; "use d/web-1" forgets.
std::string Stage::use(const Words& words) {
  const std::string pod(words[1]);
  if (words.size() < 4) return usage_.erase(pod) > 0 ? "ok\n" : "absent\n";
  usage_[pod] = {cluster_.now,
                 seconds(15),
                 {{"c", parse_signed(words[2]).value_or(0),
                   parse_signed(words[3]).value_or(0) * 1024 * 1024}}};
  return "ok\n";
}

std::string Stage::run(const std::vector<std::string>& command) {
  const Words words = split(command[0], ' ');
  const std::string_view verb = words[0];
  if (verb == "objects") return objects(command);
  if (verb == "plan") return plan(words, false);
  if (verb == "apply") return plan(words, true);
  if (verb == "converge") return converge(command);
  if (verb == "set") return set(words);
  if (verb == "delete") return remove(words);
  if (verb == "show") return show(words);
  if (verb == "list") return list(words);
  if (verb == "end") return end(words);
  if (verb == "use") return use(words);
  if (verb == "refuse") return refuse(command[0]);
  if (verb == "wait") {
    cluster_.now = cluster_.now + seconds(parse_signed(words[1]).value_or(0));
    return "ok\n";
  }
  if (verb == "silent") {
    silent_[std::string(words[1])] = seconds(parse_signed(words[2]).value_or(0));
    return "ok\n";
  }
  if (verb == "reset") {
    cluster_ = Cluster(Wall{1'700'000'000'000'000'000});
    trace_ = Trace();
    silent_.clear();
    refusals_.clear();
    usage_.clear();
    scaling_.clear();
    next_ip_ = 1;
    return "ok\n";
  }
  return "unknown command\n";
}

class ControllerGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(ControllerGolden, Holds) {
  Stage stage;
  testing::run_golden(GetParam(),
                      [&](const std::vector<std::string>& command) { return stage.run(command); });
}

INSTANTIATE_TEST_SUITE_P(Scripts,
                         ControllerGolden,
                         ::testing::ValuesIn(testing::golden_files("tests/golden/controllers")),
                         [](const auto& script) { return script.param.stem().string(); });

}  // namespace
}  // namespace coracle::controllers
