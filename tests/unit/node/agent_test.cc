// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/node/agent_fixture.h"

namespace coracle::node {
namespace {

TEST_F(AgentTest, RegistersItsNodeAndRenewsItsLease) {
  start();
  run(seconds(2));
  const api::ObjectRef node = cluster_.state().get(api::kNode, "", "gw-1");
  ASSERT_TRUE(node);
  const json::Node root = node->parse(tree_);
  EXPECT_EQ(root["metadata"]["labels"]["kubernetes.io/hostname"].string(), "gw-1");
  EXPECT_EQ(root["spec"]["podCIDR"].string(), "10.42.3.0/24");
  EXPECT_EQ(root["status"]["addresses"].at(0)["address"].string(), "192.168.7.2");
  EXPECT_EQ(root["status"]["conditions"].at(3)["reason"].string(), "KubeletReady");
  EXPECT_EQ(root["status"]["capacity"]["pods"].string(), "4");
  const auto renewed = [&] {
    json::Tree tree;
    return std::string(cluster_.state()
                           .get(api::kLease, "kube-node-lease", "gw-1")
                           ->parse(tree)["spec"]["renewTime"]
                           .string());
  };
  const std::string before = renewed();
  const uint64_t version = node->version();
  run(seconds(11));
  EXPECT_NE(renewed(), before);
  EXPECT_EQ(cluster_.state().get(api::kNode, "", "gw-1")->version(), version) << "nothing changed";
  run(minutes(5));
  EXPECT_GT(cluster_.state().get(api::kNode, "", "gw-1")->version(), version) << "heartbeat";
}

TEST_F(AgentTest, RunsAPodAndDeletesItGracefully) {
  run_web();
  EXPECT_EQ(status()["podIP"].string(), "10.42.3.2");
  EXPECT_EQ(status()["hostIP"].string(), "192.168.7.2");
  EXPECT_TRUE(status()["containerStatuses"].at(0)["ready"].boolean());
  EXPECT_TRUE(container_state()["running"]);
  EXPECT_EQ(links_.links.size(), 1u);
  for (const char* event : {"Pulled: Container image \"busybox\" already present on machine and "
                            "can be accessed by the pod",
                            "Created: Container created", "Started: Container started"})
    EXPECT_TRUE(has_event(event)) << event;
  cluster_.remove(api::kPod, "default", "web", 5);
  settle();
  EXPECT_TRUE(has_order("signal web-0 15"));
  EXPECT_TRUE(has_event("Killing: Stopping container web"));
  EXPECT_FALSE(has_order("kill web-0"));
  run(seconds(5));
  EXPECT_TRUE(has_order("kill web-0"));
  EXPECT_FALSE(status()) << "deleted once its final status was stored";
  EXPECT_EQ(agent_->pods(), 0u);
  EXPECT_TRUE(links_.links.empty());
  EXPECT_TRUE(machine_.disk().list("/data/pods")->empty());
}

constexpr const char* kHooked = R"(
metadata: {name: web, namespace: default, generation: 1}
spec:
  nodeName: gw-1
  terminationGracePeriodSeconds: 5
  containers:
  - name: web
    image: busybox
    imagePullPolicy: IfNotPresent
    lifecycle:
      postStart: {exec: {command: [prepare]}}
      preStop: {exec: {command: [finish]}}
)";

TEST_F(AgentTest, StartedMeansThatItsHookIsDone) {
  start();
  load_busybox();
  cluster_.put(api::kPod, kHooked);
  settle();
  EXPECT_FALSE(container_state()["running"]);
  ASSERT_EQ(sandboxes_.commands.running.size(), 1u);
  const auto& options = sandboxes_.commands.running[0]->options;
  EXPECT_EQ(options.id, "web-0");
  EXPECT_NE(options.process.find(R"("args":["prepare"])"), std::string::npos) << options.process;
  sandboxes_.commands.running[0]->events.on_command_over({true, 0, ""});
  settle();
  EXPECT_TRUE(container_state()["running"]);
  EXPECT_TRUE(status()["containerStatuses"].at(0)["ready"].boolean());
}

TEST_F(AgentTest, AFailedPostStartHookEndsTheContainer) {
  start();
  load_busybox();
  cluster_.put(api::kPod, kHooked);
  settle();
  ASSERT_EQ(sandboxes_.commands.running.size(), 1u);
  sandboxes_.commands.running[0]->events.on_output(false, "no way");
  sandboxes_.commands.running[0]->events.on_command_over({true, 9, ""});
  settle();
  EXPECT_TRUE(has_event("FailedPostStartHook: PostStartHook failed: no way"));
  EXPECT_TRUE(has_event("Killing: FailedPostStartHook"));
  EXPECT_TRUE(has_order("signal web-0 15"));
}

TEST_F(AgentTest, ThePreStopHookComesBeforeTheSignalAndWithinTheGracePeriod) {
  start();
  load_busybox();
  cluster_.put(api::kPod, kHooked);
  settle();
  ASSERT_EQ(sandboxes_.commands.running.size(), 1u);
  sandboxes_.commands.running[0]->events.on_command_over({true, 0, ""});
  settle();
  cluster_.remove(api::kPod, "default", "web", 5);
  settle();
  ASSERT_EQ(sandboxes_.commands.running.size(), 1u);
  run(seconds(4));
  EXPECT_FALSE(has_order("signal web-0 15"));
  run(milliseconds(1100));
  EXPECT_TRUE(has_order("signal web-0 15")) << "the hook took all of it";
  EXPECT_FALSE(has_order("kill web-0"));
  run(seconds(2));
  EXPECT_TRUE(has_order("kill web-0")) << "and left two seconds for the signal";
}

struct Heard : port::CommandEvents {
  void on_output(bool, std::string_view) override {}
  void on_command_over(const port::CommandEnd&) override {}
};

TEST_F(AgentTest, RunsCommandsAsItsContainersDo) {
  run_web();
  Heard heard;
  const api::ObjectRef pod = cluster_.state().get(api::kPod, "default", "web");
  api::PodCommand command;
  command.container = "web";
  command.words = {"ls", "-l"};
  command.terminal = true;
  EXPECT_TRUE(agent_->check(*pod, command));
  auto running = agent_->run(*pod, command, heard);
  ASSERT_TRUE(running) << running.error().message;
  const port::CommandOptions& options = sandboxes_.commands.running[0]->options;
  EXPECT_TRUE(options.terminal);
  for (const char* part : {R"("terminal":true)", R"("args":["ls","-l"])", R"("TERM=xterm")",
                           R"("capabilities")", R"("HOSTNAME=web")"})
    EXPECT_NE(options.process.find(part), std::string::npos) << part << " in " << options.process;
  command.container = "none";
  const auto refused = agent_->check(*pod, command);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "container not found (\"none\")");
}

TEST_F(AgentTest, BacksOffFromAContainerThatCannotStart) {
  sandboxes_.refuse_start = "executable file not found";
  run_web();
  settle();
  EXPECT_EQ(container_state()["waiting"]["reason"].string(), "CrashLoopBackOff");
  EXPECT_EQ(status()["containerStatuses"].at(0)["restartCount"].integer(), 1)
      << "the second attempt is the last one for now";
  const json::Node last = status()["containerStatuses"].at(0)["lastState"]["terminated"];
  EXPECT_EQ(last["reason"].string(), "StartError");
  EXPECT_EQ(last["exitCode"].integer(), 128);
}

TEST_F(AgentTest, BacksOffFromAContainerThatKeepsFailing) {
  run_web();
  sandboxes_.exit("web-0", 1);
  settle();
  EXPECT_EQ(status()["containerStatuses"].at(0)["restartCount"].integer(), 1)
      << "the first restart is immediate";
  sandboxes_.exit("web-1", 1);
  settle();
  EXPECT_EQ(container_state()["waiting"]["reason"].string(), "CrashLoopBackOff");
  EXPECT_TRUE(container_state()["waiting"]["message"].string().starts_with(
      "back-off 10s restarting failed container=web pod=web_default("));
  EXPECT_EQ(status()["containerStatuses"].at(0)["lastState"]["terminated"]["exitCode"].integer(),
            1);
  EXPECT_EQ(status()["phase"].string(), "Running");
  run(seconds(10));
  EXPECT_TRUE(container_state()["running"]);
  sandboxes_.exit("web-2", 1);
  settle();
  run(seconds(18));
  EXPECT_TRUE(container_state()["waiting"]) << "20 s now";
  run(seconds(3));
  EXPECT_TRUE(container_state()["running"]);
  EXPECT_TRUE(has_order("forget web-1"));
}

TEST_F(AgentTest, SaysWhatAMissingImageMeansAndStartsWhenItIsLoaded) {
  start();
  cluster_.put(api::kPod, kWeb);
  settle();
  EXPECT_EQ(container_state()["waiting"]["reason"].string(), "ErrImagePull");
  EXPECT_TRUE(has_event("Pulling: Pulling image \"busybox\""));
  EXPECT_TRUE(has_event("Failed: Error: ErrImagePull"));
  run(seconds(3));
  EXPECT_EQ(container_state()["waiting"]["reason"].string(), "ImagePullBackOff");
  EXPECT_TRUE(has_event("BackOff: Back-off pulling image \"busybox\""));
  EXPECT_EQ(
      logs({}),
      "container \"web\" in pod \"web\" is waiting to start: trying and failing to pull image");
  load_busybox();
  settle();
  EXPECT_EQ(status()["phase"].string(), "Running");
  agent_->remove_image("busybox", *this, 1);
  EXPECT_EQ(removed_, "image \"busybox\" is used by a Pod");
}

TEST_F(AgentTest, AdoptsRunningPodsAndEndsOrphans) {
  run_web();
  cluster_.put(api::kPod, R"(
metadata: {name: other, namespace: default}
spec: {nodeName: gw-1, containers: [{name: c, image: busybox}]}
)");
  settle();
  ASSERT_EQ(sandboxes_.shims.size(), 2u);
  agent_.reset();
  EXPECT_EQ(links_.links.size(), 2u) << "the daemon never stops pods";
  cluster_.remove(api::kPod, "default", "other", 0);
  start();
  run(seconds(6));
  EXPECT_EQ(agent_->pods(), 1u);
  EXPECT_EQ(links_.links.size(), 1u);
  EXPECT_EQ(status()["containerStatuses"].at(0)["restartCount"].integer(), 0);
  EXPECT_TRUE(container_state()["running"]);
  size_t ended = 0;
  for (const auto& [directory, shim] : sandboxes_.shims) {
    const bool is_over =
        std::find(shim.orders.begin(), shim.orders.end(), "end") != shim.orders.end();
    ended += is_over ? 1 : 0;
    EXPECT_EQ(shim.starts.size(), 1u) << "nothing is started twice";
  }
  EXPECT_EQ(ended, 1u);
}

// A memory that is older than the pods: the state lacks them until a server has spoken.
TEST_F(AgentTest, SparesPodsThatItsMemoryDoesNotNameUntilAServerSpoke) {
  run_web();
  cluster_.put(api::kPod, R"(
metadata: {name: other, namespace: default}
spec: {nodeName: gw-1, containers: [{name: c, image: busybox}]}
)");
  settle();
  agent_.reset();
  const api::ObjectRef web = cluster_.hide(api::kPod, "default", "web");
  const api::ObjectRef other = cluster_.hide(api::kPod, "default", "other");
  confirmed_ = false;
  start();
  run(seconds(20));
  EXPECT_EQ(agent_->pods(), 2u);
  for (const auto& [directory, shim] : sandboxes_.shims)
    EXPECT_TRUE(shim.orders.empty()) << directory << ": " << shim.orders.front();
  cluster_.show(web);
  agent_->confirm();
  run(seconds(6));
  EXPECT_EQ(agent_->pods(), 1u) << "the other one is gone indeed";
  EXPECT_EQ(links_.links.size(), 1u);
  EXPECT_TRUE(container_state()["running"]);
  EXPECT_TRUE(status()["containerStatuses"].at(0)["ready"].boolean());
  EXPECT_EQ(status()["containerStatuses"].at(0)["restartCount"].integer(), 0);
  sandboxes_.exit("web-0", 1);
  settle();
  EXPECT_EQ(status()["containerStatuses"].at(0)["restartCount"].integer(), 1)
      << "and it is looked after as before";
}

TEST_F(AgentTest, NoticesWhatEndedWhileNoDaemonRan) {
  run_web();
  agent_.reset();
  sandboxes_.exit("web-0", 7);
  sandboxes_.deliver();
  start();
  EXPECT_EQ(status()["containerStatuses"].at(0)["lastState"]["terminated"]["exitCode"].integer(),
            7);
  EXPECT_EQ(status()["containerStatuses"].at(0)["restartCount"].integer(), 1);
}

TEST_F(AgentTest, MakesANewSandboxWhenTheOldOneIsLost) {
  run_web();
  sandboxes_.lose(sandboxes_.shims.begin()->first);
  run(seconds(2));
  EXPECT_TRUE(has_event("SandboxChanged: Pod sandbox changed, it will be killed and re-created."));
  EXPECT_TRUE(container_state()["running"]);
  EXPECT_EQ(status()["containerStatuses"].at(0)["restartCount"].integer(), 1);
  EXPECT_EQ(status()["containerStatuses"].at(0)["lastState"]["terminated"]["reason"].string(),
            "ContainerStatusUnknown");
}

TEST_F(AgentTest, WaitsForAConfigMapAndKeepsItsFilesCurrent) {
  start();
  load_busybox();
  cluster_.put(api::kPod, R"(
metadata: {name: web, namespace: default}
spec:
  nodeName: gw-1
  containers: [{name: web, image: busybox, volumeMounts: [{name: page, mountPath: /www}]}]
  volumes: [{name: page, configMap: {name: page}}]
)");
  settle();
  EXPECT_EQ(container_state()["waiting"]["reason"].string(), "ContainerCreating");
  EXPECT_TRUE(has_event(
      "FailedMount: MountVolume.SetUp failed for volume \"page\" : configmap \"page\" not found"));
  cluster_.put(api::kConfigMap,
               "metadata: {name: page, namespace: default}\ndata: {index.html: one}");
  settle();
  EXPECT_EQ(status()["phase"].string(), "Running");
  port::Disk& disk = machine_.disk();
  const std::string uid(cluster_.state().get(api::kPod, "default", "web")->uid());
  const std::string path = "/run/pods/" + uid + "/volumes/page/";
  EXPECT_EQ(*disk.read_file(path + "index.html"), "one");
  cluster_.put(api::kConfigMap,
               "metadata: {name: page, namespace: default}\ndata: {index.html: two, more: x}");
  settle();
  EXPECT_EQ(*disk.read_file(path + "index.html"), "two");
  EXPECT_EQ(*disk.read_file(path + "more"), "x");
  cluster_.put(api::kConfigMap,
               "metadata: {name: page, namespace: default}\ndata: {index.html: two}");
  settle();
  EXPECT_FALSE(disk.stat(path + "more"));
}

TEST_F(AgentTest, NamesAMissingConfigMapOfTheEnvironment) {
  start();
  load_busybox();
  cluster_.put(api::kPod, R"(
metadata: {name: web, namespace: default}
spec:
  nodeName: gw-1
  containers: [{name: web, image: busybox, envFrom: [{configMapRef: {name: settings}}]}]
)");
  settle();
  EXPECT_EQ(container_state()["waiting"]["reason"].string(), "CreateContainerConfigError");
  EXPECT_EQ(container_state()["waiting"]["message"].string(), "configmap \"settings\" not found");
  cluster_.put(api::kConfigMap, "metadata: {name: settings, namespace: default}\ndata: {A: b}");
  settle();
  EXPECT_TRUE(container_state()["running"]);
}

TEST_F(AgentTest, FetchesAndRenewsServiceAccountTokens) {
  start();
  load_busybox();
  cluster_.put(api::kPod, R"(
metadata: {name: web, namespace: default}
spec:
  nodeName: gw-1
  containers: [{name: web, image: busybox}]
  volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 3600}}]}}]
)");
  settle();
  ASSERT_EQ(status()["phase"].string(), "Running");
  port::Disk& disk = machine_.disk();
  const std::string path = "/run/pods/" +
                           std::string(cluster_.state().get(api::kPod, "default", "web")->uid()) +
                           "/volumes/t/token";
  EXPECT_EQ(*disk.read_file(path), "secret-1");
  run(minutes(49));
  EXPECT_EQ(*disk.read_file(path), "secret-2") << "80 % of an hour";
}

TEST_F(AgentTest, ServesLogsOfThisAndTheLastRun) {
  run_web();
  port::Disk& disk = machine_.disk();
  const std::string base = "/data/pods/" +
                           std::string(cluster_.state().get(api::kPod, "default", "web")->uid()) +
                           "/logs/web/";
  ASSERT_TRUE(
      disk.write_file(base + "0.log.1", "2026-01-01T00:00:00.000000001Z stdout F old\n", 0600));
  ASSERT_TRUE(
      disk.write_file(base + "0.log",
                      "2026-01-01T00:00:01.000000001Z stdout P par\n2026-01-01T00:00:01.000000002Z "
                      "stdout F tial\n2026-01-01T00:00:02.5Z stderr F last\n",
                      0600));
  sandboxes_.exit("web-0", 1);
  settle();
  ASSERT_TRUE(disk.write_file(base + "1.log", "2026-01-01T00:00:05Z stdout F now\n", 0600));
  EXPECT_EQ(logs({}), "now\n");
  api::LogOptions options;
  options.previous = true;
  EXPECT_EQ(logs(options), "old\npartial\nlast\n");
  options.tail_lines = 1;
  EXPECT_EQ(logs(options), "last\n");
  options.tail_lines = 4;
  EXPECT_EQ(logs(options), "old\npartial\nlast\n");
  options.tail_lines = 0;
  EXPECT_EQ(logs(options), "");
  options.tail_lines.reset();
  options.limit_bytes = 5;
  EXPECT_EQ(logs(options), "old\np");
  options.limit_bytes.reset();
  options.since = parse_rfc3339("2026-01-01T00:00:02Z");
  options.timestamps = true;
  EXPECT_EQ(logs(options), "2026-01-01T00:00:02.5Z last\n");
}

TEST_F(AgentTest, FollowsALogAcrossARotationUntilTheContainerEnds) {
  run_web();
  port::Disk& disk = machine_.disk();
  const std::string path = "/data/pods/" +
                           std::string(cluster_.state().get(api::kPod, "default", "web")->uid()) +
                           "/logs/web/0.log";
  ASSERT_TRUE(disk.write_file(path, "2026-01-01T00:00:01Z stdout F one\n", 0600));
  api::LogOptions options;
  options.container = "web";
  options.follow = true;
  const auto stream =
      agent_->open(*cluster_.state().get(api::kPod, "default", "web"), options, *this);
  ASSERT_TRUE(stream);
  run(seconds(1));
  EXPECT_EQ(log_, "one\n");
  ASSERT_TRUE(disk.rename(path, path + ".1"));
  ASSERT_TRUE(disk.write_file(path, "2026-01-01T00:00:02Z stdout F after the rotation\n", 0600));
  run(seconds(1));
  EXPECT_EQ(log_, "one\nafter the rotation\n");
  EXPECT_FALSE(log_ended_);
  sandboxes_.exit("web-0", 0);
  run(seconds(1));
  EXPECT_TRUE(log_ended_);
}

TEST_F(AgentTest, RefusesMorePodsThanTheNodeTakes) {
  start();
  load_busybox();
  for (const char* name : {"a", "b", "c", "d"})
    cluster_.put(api::kPod, std::string("metadata: {name: ") + name +
                                ", namespace: default}\nspec: {nodeName: gw-1, containers: [{name: "
                                "c, image: busybox}]}");
  cluster_.put(api::kPod, kWeb);
  run(seconds(1));
  EXPECT_EQ(status()["phase"].string(), "Failed");
  EXPECT_EQ(status()["reason"].string(), "OutOfpods");
}

TEST_F(AgentTest, WritesAnUnchangedStatusOnlyOnce) {
  run_web();
  const size_t before = cluster_.statuses_written;
  run(minutes(2));
  EXPECT_EQ(cluster_.statuses_written, before);
}

TEST_F(AgentTest, ReportsWhatTheRuntimeSaidWhenAStartFails) {
  start();
  load_busybox();
  sandboxes_.refuse_start = "executable file `nope` not found in $PATH";
  cluster_.put(api::kPod, kWeb);
  settle();
  EXPECT_TRUE(has_event("Failed: Error: executable file `nope` not found in $PATH"));
  const json::Node last = status()["containerStatuses"].at(0)["lastState"]["terminated"];
  EXPECT_EQ(last["reason"].string(), "StartError");
  EXPECT_EQ(last["exitCode"].integer(), 128);
}

}  // namespace
}  // namespace coracle::node
