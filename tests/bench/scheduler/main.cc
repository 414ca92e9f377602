// SPDX-License-Identifier: GPL-2.0-or-later
// coracle_sched_bench [--workload W] [--nodes N] [--pods N]: Pods a second of CPU time that the
// scheduler places, with a store that costs nothing; one JSON line a workload. Without arguments
// all of them at 100, 1,000 and 5,000 nodes.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include <malloc.h>
#include <time.h>

#include "base/bytes.h"
#include "base/log.h"
#include "port/sim/world.h"
#include "scheduler/scheduler.h"
#include "tests/bench/scheduler/town.h"

namespace coracle::bench {
namespace {

constexpr size_t kZones = 10;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string node_text(size_t index) {
  const std::string name = "node-" + std::to_string(index);
  return join({R"({"kind":"Node","apiVersion":"v1","metadata":{"name":")", name, R"(","uid":")",
               name, R"(","labels":{"kubernetes.io/hostname":")", name,
               R"(","topology.kubernetes.io/zone":"zone-)", std::to_string(index % kZones),
               R"("}},"status":{"allocatable":{"cpu":"4","memory":"32Gi","pods":"110"}}})"});
}

struct PodSpec {
  std::string app;
  std::string cpu = "100m";
  std::string more = {};  // of the spec, with a comma at its end
  std::string owner = {};
};

std::string pod_text(size_t index, const PodSpec& pod) {
  const std::string name = join({pod.app, "-", std::to_string(index)});
  std::string owner;
  if (!pod.owner.empty()) {
    owner = join({R"(,"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":")",
                  pod.owner, R"(","uid":")", pod.owner, R"(","controller":true}])"});
  }
  return join({R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")", name,
               R"(","namespace":"d","uid":")", name,
               R"(","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"app":")", pod.app,
               R"("})", owner, R"(},"spec":{)", pod.more,
               R"("containers":[{"name":"c","image":"app:1","resources":{"requests":{"cpu":")",
               pod.cpu, R"(","memory":"200Mi"}}}]},"status":{"phase":"Pending"}})"});
}

std::string replica_set_text(const std::string& app) {
  return join({R"({"kind":"ReplicaSet","apiVersion":"apps/v1","metadata":{"name":")", app,
               R"(","namespace":"d","uid":")", app,
               R"("},"spec":{"selector":{"matchLabels":{"app":")", app, R"("}}}})"});
}

std::string app_name(size_t index) {
  return "app" + std::to_string(index);
}

void put_plain(Town& town, size_t pods) {
  for (size_t i = 0; i < pods; ++i)
    town.put(api::kPod, pod_text(i, {"plain"}));
}

// Ten Deployments; each has its ReplicaSet, so that the system's default spreading counts.
void put_owned(Town& town, size_t pods) {
  constexpr size_t kApps = 10;
  for (size_t i = 0; i < kApps; ++i)
    town.put(api::kReplicaSet, replica_set_text(app_name(i)));
  for (size_t i = 0; i < pods; ++i)
    town.put(api::kPod, pod_text(i, {app_name(i % kApps), "100m", "", app_name(i % kApps)}));
}

void put_spread(Town& town, size_t pods) {
  for (size_t i = 0; i < pods; ++i) {
    town.put(api::kPod,
             pod_text(i, {"spread", "100m",
                          R"("topologySpreadConstraints":[{"maxSkew":5,"topologyKey":)"
                          R"("topology.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule",)"
                          R"("labelSelector":{"matchLabels":{"app":"spread"}}}],)"}));
  }
}

// Apps of as many pods as half of the nodes, no two of one app on one node.
void put_apart(Town& town, size_t pods, size_t nodes) {
  const size_t apps = std::max<size_t>(1, 2 * pods / nodes);
  for (size_t i = 0; i < pods; ++i) {
    const std::string app = app_name(i % apps);
    town.put(api::kPod,
             pod_text(i, {app, "100m",
                          join({R"("affinity":{"podAntiAffinity":{)"
                                R"("requiredDuringSchedulingIgnoredDuringExecution":[{)"
                                R"("topologyKey":"kubernetes.io/hostname","labelSelector":{)"
                                R"("matchLabels":{"app":")",
                                app, R"("}}}]}},)"})}));
  }
}

// All nodes are full of what is less important; half a node each.
void put_low(Town& town, size_t nodes) {
  for (size_t i = 0; i < 4 * nodes; ++i)
    town.put(api::kPod, pod_text(i, {"low", "900m", R"("priority":0,)"}));
}
void put_important(Town& town, size_t pods) {
  for (size_t i = 0; i < pods; ++i)
    town.put(api::kPod, pod_text(i, {"high", "3", R"("priority":1000,)"}));
}

struct Task {
  std::string workload;
  size_t nodes = 0;
  size_t pods = 0;
};

void put_pods(Town& town, const Task& task) {
  if (task.workload == "owned") return put_owned(town, task.pods);
  if (task.workload == "spread") return put_spread(town, task.pods);
  if (task.workload == "anti-affinity") return put_apart(town, task.pods, task.nodes);
  if (task.workload == "preemption") return put_important(town, task.pods);
  put_plain(town, task.pods);
}

bool run(const Task& task) {
  port_sim::World world(1);
  port_sim::Machine& machine = world.machine();
  const size_t heap = ::mallinfo2().uordblks;
  auto town = std::make_unique<Town>(machine.clock());
  scheduler::Scheduler scheduler(*town, machine.clock(), machine.random());
  for (size_t i = 0; i < task.nodes; ++i)
    town->put(api::kNode, node_text(i));
  size_t before = 0;
  scheduler.start();
  if (task.workload == "preemption") {
    put_low(*town, task.nodes);
    before = 4 * task.nodes;
    world.run_until([&] { return town->bound() == before; }, seconds(60));
  }
  put_pods(*town, task);
  const double start = cpu_seconds();
  const bool done =
      world.run_until([&] { return town->bound() == before + task.pods; }, seconds(3600));
  const double took = cpu_seconds() - start;
  const double rate = static_cast<double>(town->bound() - before) / took;
  const size_t used = ::mallinfo2().uordblks - heap;
  std::printf(
      "{\"name\":\"sched.%s.n%zu\",\"value\":%.0f,\"unit\":\"/s\",\"operations\":%zu,"
      "\"us_per_pod\":%.2f,\"heap_kib\":%zu,\"victims\":%zu,\"failed\":%d}\n",
      task.workload.c_str(), task.nodes, rate, task.pods, 1e6 / rate, used / 1024, town->ended(),
      done ? 0 : 1);
  std::fflush(stdout);
  return done;
}

int run_all() {
  bool done = true;
  for (const char* workload : {"plain", "owned", "spread", "anti-affinity", "preemption"}) {
    for (const size_t nodes : {100u, 1000u, 5000u}) {
      const bool heavy = workload == std::string_view("preemption");
      const size_t most = heavy ? nodes / 2 : 25 * nodes;
      done = run({workload, nodes, std::min<size_t>(heavy ? 500 : 10'000, most)}) && done;
    }
  }
  return done ? 0 : 1;
}

int main_of(int count, char** words) {
  set_log_sink([](Level, std::string_view) {});
  if (count < 2) return run_all();
  Task task{"plain", 1000, 10'000};
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view flag = words[i];
    if (flag == "--workload") task.workload = words[i + 1];
    if (flag == "--nodes") task.nodes = parse_unsigned(words[i + 1]).value_or(1000);
    if (flag == "--pods") task.pods = parse_unsigned(words[i + 1]).value_or(1000);
  }
  return run(task) ? 0 : 1;
}

}  // namespace
}  // namespace coracle::bench

int main(int count, char** words) {
  return coracle::bench::main_of(count, words);
}
