// SPDX-License-Identifier: GPL-2.0-or-later
// What a container is made of: environment, user, volumes, OCI configuration, files, address.
#include <gtest/gtest.h>

#include "node/addresses.h"
#include "node/bundle.h"
#include "node/environment.h"
#include "node/pod_files.h"
#include "node/probe.h"
#include "node/spec.h"
#include "node/users.h"
#include "node/volumes.h"
#include "port/sim/world.h"
#include "tests/unit/node/fakes.h"

namespace coracle::node {
namespace {

class PartsTest : public ::testing::Test {
 protected:
  json::Node pod(std::string_view yaml) {
    const Result<json::Node> parsed = tree_.parse_yaml(yaml);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return tree_.root();
  }
  std::string variables(std::string_view yaml) {
    const json::Node root = pod(yaml);
    const Result<Variables> all =
        pod_variables(cluster_.state(), root, containers_of(root)[0].node, place_);
    if (!all) return all.error().message;
    std::string text;
    for (const auto& [name, value] : *all)
      text += name + "=" + value + "\n";
    return text;
  }
  VolumeContext volumes(json::Node root) {
    return {root,     cluster_.state(), disk_,   "/data/p",
            "/run/p", place_,           tokens_, Wall{1'000'000'000}};
  }
  std::string config(std::string_view yaml) {
    const json::Node root = pod(yaml);
    const ContainerSpec container = containers_of(root)[0];
    const ProcessUser user{1000, 1000, {5, 6}, "/"};
    const Image image;
    return oci_config({.pod = root,
                       .container = container.node,
                       .image = image,
                       .user = user,
                       .arguments = {"sh"},
                       .environment = {"A=b"},
                       .binds = {{"/src", "/dst", true, "rprivate"}},
                       .sandbox_pid = 7,
                       .cgroup_path = "/coracle/podu/web-0"});
  }

  port_sim::World world_{3};
  port::Disk& disk_ = world_.machine().disk();
  FakeCluster cluster_{world_.machine().clock()};
  Place place_{"gw-1", "192.168.7.2", "10.42.3.2", 2000, int64_t{1} << 30};
  std::vector<TokenText> tokens_;
  json::Tree tree_;
};

TEST_F(PartsTest, EnvironmentTakesServicesMapsSecretsAndItself) {
  cluster_.put(api::kService,
               "metadata: {name: my-db, namespace: default}\nspec: {clusterIP: 10.43.0.7, ports: "
               "[{name: sql, port: 5432, protocol: TCP}]}");
  cluster_.put(api::kConfigMap,
               "metadata: {name: map, namespace: default}\ndata: {ONE: \"1\", TWO: \"2\"}");
  cluster_.put(api::kSecret, "metadata: {name: hidden, namespace: default}\ndata: {key: c2VjcmV0}");
  const std::string text = variables(R"yaml(
metadata: {name: web, namespace: default, labels: {app: x}}
spec:
  containers:
  - name: web
    resources: {limits: {cpu: 1500m}}
    envFrom: [{prefix: M_, configMapRef: {name: map}}]
    env:
    - {name: URL, value: "http://$(MY_DB_SERVICE_HOST):$(MY_DB_SERVICE_PORT_SQL)/$(NOPE)/$$(M_ONE)"}
    - {name: SECRET, valueFrom: {secretKeyRef: {name: hidden, key: key}}}
    - {name: GONE, valueFrom: {configMapKeyRef: {name: none, key: x, optional: true}}}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
)yaml");
  for (const char* line : {"M_ONE=1\n", "M_TWO=2\n", "MY_DB_PORT_5432_TCP=tcp://10.43.0.7:5432\n",
                           "URL=http://10.43.0.7:5432/$(NOPE)/$(M_ONE)\n", "SECRET=secret\n",
                           "IP=10.42.3.2\n", "APP=x\n", "CPU=2\n", "MEM=1024\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  EXPECT_EQ(text.find("GONE"), std::string::npos);
}

TEST_F(PartsTest, EnvironmentNamesWhatIsMissing) {
  cluster_.put(api::kConfigMap, "metadata: {name: map, namespace: default}\ndata: {ONE: \"1\"}");
  const auto with = [](const char* from) {
    return std::string(
               "metadata: {name: web, namespace: default}\nspec: {containers: [{name: web, "
               "env: [{name: A, valueFrom: ") +
           from + "}]}]}";
  };
  EXPECT_EQ(variables(with("{configMapKeyRef: {name: map, key: nope}}")),
            "couldn't find key nope in ConfigMap default/map");
  EXPECT_EQ(variables(with("{secretKeyRef: {name: nope, key: x}}")), "secret \"nope\" not found");
}

TEST_F(PartsTest, ArgumentsFollowKubernetesRules) {
  Image image;
  image.entrypoint = {"/entry"};
  image.command = {"default"};
  const Variables variables = {{"X", "y"}};
  const auto run = [&](std::string_view yaml) {
    return process_arguments(image, pod(yaml), variables);
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(run("{}"), (Words{"/entry", "default"}));
  EXPECT_EQ(run("args: [a, $(X)]"), (Words{"/entry", "a", "y"}));
  EXPECT_EQ(run("command: [c]"), (Words{"c"}));
  EXPECT_EQ(run("{command: [c], args: [a]}"), (Words{"c", "a"}));
}

TEST_F(PartsTest, UsersAreLookedUpAndRootIsRefusedWhenAsked) {
  const AccountFiles accounts{"root:x:0:0:root:/root:/bin/sh\nwww:x:33:44::/srv:/bin/false\n",
                              "extra:x:99:root,www\n"};
  Image image;
  image.user = "www";
  const auto user = [&](std::string_view yaml) {
    const json::Node root = pod(yaml);
    return process_user(root, containers_of(root)[0].node, image, accounts);
  };
  const Result<ProcessUser> named = user(
      "spec: {containers: [{name: c}], securityContext: {fsGroup: 7, supplementalGroups: "
      "[8]}}");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->uid, 33u);
  EXPECT_EQ(named->gid, 44u);
  EXPECT_EQ(named->groups, (std::vector<uint32_t>{7, 8, 99}));
  EXPECT_EQ(named->home, "/srv");
  EXPECT_EQ(
      user("spec: {containers: [{name: c, securityContext: {runAsUser: 1234, runAsGroup: 5}}]}")
          ->gid,
      5u);
  const Result<ProcessUser> unverified = user(
      "metadata: {name: p, namespace: ns, uid: u}\nspec: {containers: [{name: c, "
      "securityContext: {runAsNonRoot: true}}]}");
  ASSERT_FALSE(unverified);
  EXPECT_EQ(unverified.error().message,
            "container has runAsNonRoot and image has non-numeric user (www), cannot verify "
            "user is non-root (pod: \"p_ns(u)\", container: c)");
  image.user.clear();
  EXPECT_FALSE(user("spec: {containers: [{name: c, securityContext: {runAsNonRoot: true}}]}"));
  image.user = "nobody-knows";
  EXPECT_FALSE(user("spec: {containers: [{name: c}]}"));
}

TEST_F(PartsTest, ConfigurationCarriesLimitsCapabilitiesAndMounts) {
  json::Tree out;
  const json::Node root = *out.parse(config(R"(
spec:
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: web
    resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: 250m}}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
)"));
  EXPECT_TRUE(root["process"]["noNewPrivileges"].boolean());
  EXPECT_TRUE(root["root"]["readonly"].boolean());
  EXPECT_EQ(json::write(root["process"]["capabilities"]["bounding"]),
            R"(["CAP_NET_BIND_SERVICE"])");
  const json::Node resources = root["linux"]["resources"];
  EXPECT_EQ(resources["memory"]["limit"].integer(), 64 * 1024 * 1024);
  EXPECT_EQ(resources["cpu"]["quota"].integer(), 50'000);
  EXPECT_EQ(resources["cpu"]["shares"].integer(), 256);
  EXPECT_EQ(resources["pids"]["limit"].integer(), 1024);
  EXPECT_EQ(root["linux"]["seccomp"]["defaultAction"].string(), "SCMP_ACT_ALLOW");
  EXPECT_GT(root["linux"]["maskedPaths"].size(), 5u);
  EXPECT_EQ(json::write(root["linux"]["namespaces"]), R"([{"type":"mount"},{"type":"pid"}])")
      << "the others are the shim's";
  const json::Node bind = root["mounts"].at(root["mounts"].size() - 1);
  EXPECT_EQ(json::write(bind["options"]), R"(["rbind","rprivate","ro"])");
}

TEST_F(PartsTest, PrivilegedContainersGetAllThatTheDaemonHas) {
  json::Tree out;
  const json::Node root = *out.parse(config(
      "spec: {hostPID: true, containers: [{name: web, securityContext: {privileged: true}}]}"));
  EXPECT_EQ(root["process"]["capabilities"]["effective"].size(), 41u);
  EXPECT_FALSE(root["linux"]["maskedPaths"]);
  EXPECT_EQ(json::write(root["linux"]["namespaces"]), R"([{"type":"mount"}])");
}

TEST_F(PartsTest, OomScoresFollowTheClassAndNeverGoBelowTheDaemon) {
  const auto score = [&](std::string_view resources, int64_t own) {
    const json::Node root = pod(std::string("spec: {containers: [{name: c, resources: ") +
                                std::string(resources) + "}]}");
    return oom_score_adjust(root, containers_of(root)[0].node, int64_t{1} << 30, own);
  };
  EXPECT_EQ(score("{}", 0), 1000);
  EXPECT_EQ(score("{limits: {cpu: \"1\", memory: 1Gi}}", -999), -997);
  EXPECT_EQ(score("{limits: {cpu: \"1\", memory: 1Gi}}", 0), 0);
  EXPECT_EQ(score("{requests: {memory: 512Mi}}", 0), 500);
}

TEST_F(PartsTest, UnsafeSysctlsAreNamed) {
  EXPECT_EQ(forbidden_sysctl(pod("spec: {securityContext: {sysctls: [{name: "
                                 "net.ipv4.tcp_syncookies, value: \"1\"}]}}")),
            "");
  EXPECT_EQ(forbidden_sysctl(
                pod("spec: {securityContext: {sysctls: [{name: kernel.msgmax, value: \"1\"}]}}")),
            "forbidden sysctl: \"kernel.msgmax\" not allowlisted");
}

TEST_F(PartsTest, VolumesHaveModesItemsAndGroups) {
  cluster_.put(api::kSecret,
               "metadata: {name: hidden, namespace: default}\ndata: {a: YQ==, b: Yg==}");
  const json::Node root = pod(R"(
metadata: {name: web, namespace: default, labels: {k: v}}
spec:
  securityContext: {fsGroup: 70}
  containers: [{name: c}]
  volumes:
  - name: s
    secret:
      secretName: hidden
      defaultMode: 256
      items: [{key: a, path: deep/er/a}, {key: b, path: b, mode: 384}]
  - {name: d, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
  - {name: e, emptyDir: {}}
  - {name: m, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
)");
  const Result<> prepared = prepare_volumes(volumes(root));
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(*disk_.read_file("/run/p/volumes/s/deep/er/a"), "a");
  EXPECT_EQ(disk_.stat("/run/p/volumes/s/deep/er/a")->mode, 0440u);
  EXPECT_EQ(disk_.stat("/run/p/volumes/s/b")->mode, 0640u);
  EXPECT_EQ(disk_.stat("/run/p/volumes/s/b")->gid, 70u);
  EXPECT_EQ(*disk_.read_file("/run/p/volumes/d/labels"), "k=\"v\"");
  EXPECT_EQ(disk_.stat("/data/p/volumes/e")->gid, 70u);
  const auto mounts = memory_volumes(volumes(root));
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].options, "mode=2777,gid=70,size=1048576");
}

TEST_F(PartsTest, SubPathsStayInTheVolume) {
  const auto mount = [&](std::string_view sub_path) {
    const json::Node root =
        pod(std::string("metadata: {name: web, namespace: default}\nspec: {containers: [{name: "
                        "c, volumeMounts: [{name: e, mountPath: /m, subPath: ") +
            std::string(sub_path) + "}]}], volumes: [{name: e, emptyDir: {}}]}");
    EXPECT_TRUE(prepare_volumes(volumes(root)));
    const Result<std::vector<BindMount>> mounts =
        container_volumes(volumes(root), containers_of(root)[0].node, {});
    if (!mounts) return "refused: " + mounts.error().message;
    const BindMount& first = mounts->front();
    return first.source + " : " + first.sub_path + (first.is_file ? " (file)" : "");
  };
  EXPECT_EQ(mount("a/b"), "/data/p/volumes/e : a/b");
  ASSERT_TRUE(disk_.write_file("/data/p/volumes/e/a/f", "x", 0600));
  EXPECT_EQ(mount("a/./f"), "/data/p/volumes/e : a/f (file)");
  EXPECT_TRUE(disk_.stat("/data/p/volumes/e/a/b"));
  Result<std::unique_ptr<port::Tree>> tree = disk_.tree("/data/p/volumes/e");
  ASSERT_TRUE((*tree)->make_symlink("/etc", "out"));
  EXPECT_TRUE(mount("out").starts_with("refused: ")) << mount("out");
  EXPECT_TRUE(mount("out/x").starts_with("refused: "));
  EXPECT_TRUE(mount("../x").starts_with("refused: "));
}

TEST_F(PartsTest, HostPathsAreOfTheTypeThatIsAsked) {
  ASSERT_TRUE(disk_.make_directories("/there", 0755));
  const auto prepare = [&](std::string_view path, std::string_view type) {
    const Result<> prepared = prepare_volumes(
        volumes(pod("spec: {volumes: [{name: h, hostPath: {path: " + std::string(path) +
                    ", type: " + std::string(type) + "}}]}")));
    return prepared ? std::string("ok") : prepared.error().message;
  };
  EXPECT_EQ(prepare("/there", "Directory"), "ok");
  EXPECT_EQ(prepare("/there", "File"),
            "MountVolume.SetUp failed for volume \"h\" : hostPath type check failed: /there is "
            "not a file");
  EXPECT_EQ(prepare("/new/one", "DirectoryOrCreate"), "ok");
  EXPECT_TRUE(disk_.stat("/new/one"));
}

TEST_F(PartsTest, HostsAndResolverFiles) {
  const json::Node root =
      pod("metadata: {name: web, namespace: shop}\nspec: {subdomain: inner, hostAliases: [{ip: "
          "1.2.3.4, hostnames: [a, b]}], dnsConfig: {options: [{name: ndots, value: \"2\"}]}}");
  const std::string hosts = hosts_file(root, "10.42.3.2", "", "cluster.local");
  EXPECT_NE(hosts.find("10.42.3.2\tweb.inner.shop.svc.cluster.local\tweb\n"), std::string::npos);
  EXPECT_NE(hosts.find("1.2.3.4\ta\tb\n"), std::string::npos);
  EXPECT_EQ(resolv_file(root, "nameserver 9.9.9.9\nsearch home\n", {"10.43.0.10", "cluster.local"}),
            "search shop.svc.cluster.local svc.cluster.local cluster.local home\nnameserver "
            "10.43.0.10\noptions ndots:2\n");
  EXPECT_EQ(resolv_file(root, "nameserver 9.9.9.9\n", {"", "cluster.local"}),
            "nameserver 9.9.9.9\noptions ndots:2\n");
}

TEST(Addresses, GoRoundAndEnd) {
  Addresses pool(*parse_cidr4("10.42.3.0/29"));
  EXPECT_EQ(pool.gateway().text(), "10.42.3.1");
  EXPECT_EQ(pool.take()->text(), "10.42.3.2");
  EXPECT_EQ(pool.take()->text(), "10.42.3.3");
  pool.release(*parse_ip4("10.42.3.2"));
  EXPECT_EQ(pool.take()->text(), "10.42.3.4") << "an address rests before it is used again";
  for (const char* last : {"10.42.3.5", "10.42.3.6", "10.42.3.2"})
    EXPECT_EQ(pool.take()->text(), last);
  EXPECT_FALSE(pool.take());
  Addresses again(*parse_cidr4("10.42.3.0/29"));
  again.claim(*parse_ip4("10.42.3.6"));
  EXPECT_EQ(again.take()->text(), "10.42.3.2");
}

class ProbeTest : public ::testing::Test,
                  protected ProbeListener,
                  protected CommandRunner,
                  protected port::Acceptor,
                  protected port::StreamEvents {
 protected:
  void on_probe(size_t, ProbeType, bool healthy) override { verdicts_ += healthy ? '+' : '-'; }
  void on_probe_failure(size_t, ProbeType, std::string_view why) override { why_ = why; }
  void on_accept(std::unique_ptr<port::Stream> stream) override {
    stream_ = std::move(stream);
    stream_->listen_to(*this);
  }
  void on_bytes(std::string_view bytes) override {
    request_ += bytes;
    if (request_.ends_with("\r\n\r\n") || grpc_) stream_->send(answer_);
  }
  void on_closed(std::string_view) override { request_.clear(); }

  Result<std::unique_ptr<port::Command>> run_in(size_t,
                                                const std::vector<std::string>& words,
                                                port::CommandEvents& events) override {
    words_ = words;
    return commands_.run({}, events);
  }
  AttemptPlace place() {
    CommandRunner& runner = *this;
    return {machine_.network(), machine_.clock(), machine_.random(), runner, 0};
  }

  port_sim::World world_{5};
  port_sim::Machine& machine_ = world_.machine();
  FakeCommands commands_;
  std::vector<std::string> words_;
  std::unique_ptr<port::Stream> stream_;
  std::string request_;
  std::string answer_ = "HTTP/1.1 200 OK\r\n\r\n";
  std::string verdicts_;
  std::string why_;
  bool grpc_ = false;
};

TEST_F(ProbeTest, TurnsByItsThresholds) {
  json::Tree tree;
  const json::Node container = *tree.parse_yaml(
      "{ports: [{name: http, containerPort: 80}], readinessProbe: {httpGet: {path: /ok, port: "
      "http}, periodSeconds: 1, failureThreshold: 2}}");
  ProbeListener& listener = *this;
  Probe probe(container, {place(), ProbeType::kReadiness, machine_.address()}, listener);
  world_.run_for(milliseconds(1500));
  EXPECT_EQ(verdicts_, "-") << "nobody listens: " << why_;
  const auto open = machine_.network().listen({machine_.address(), 80}, *this);
  ASSERT_TRUE(open);
  world_.run_for(seconds(1));
  EXPECT_EQ(verdicts_, "-+");
  answer_ = "HTTP/1.1 503 Not now\r\n\r\n";
  world_.run_for(seconds(1));
  EXPECT_EQ(verdicts_, "-+") << "once is not enough";
  EXPECT_EQ(why_, "HTTP probe failed with statuscode: 503");
  world_.run_for(seconds(1));
  EXPECT_EQ(verdicts_, "-+-");
  answer_.clear();
  world_.run_for(seconds(2));
  EXPECT_NE(why_.find("context deadline exceeded"), std::string::npos) << why_;
}

TEST_F(ProbeTest, RunsACommandAndKeepsToItsTime) {
  json::Tree tree;
  const json::Node container = *tree.parse_yaml(
      "{readinessProbe: {exec: {command: [cat, /ok]}, periodSeconds: 3, failureThreshold: 1}}");
  ProbeListener& listener = *this;
  Probe probe(container, {place(), ProbeType::kReadiness, "10.0.0.1"}, listener);
  world_.run_for(milliseconds(500));
  ASSERT_EQ(commands_.running.size(), 1u);
  EXPECT_EQ(words_, (std::vector<std::string>{"cat", "/ok"}));
  commands_.running[0]->events.on_output(true, "cat: no such file\n");
  commands_.running[0]->events.on_command_over({true, 1, ""});
  world_.run_for(milliseconds(10));
  EXPECT_EQ(verdicts_, "-");
  EXPECT_EQ(why_, "cat: no such file\n");
  world_.run_for(seconds(3));
  ASSERT_EQ(commands_.running.size(), 1u);
  commands_.running[0]->events.on_command_over({true, 0, ""});
  world_.run_for(milliseconds(10));
  EXPECT_EQ(verdicts_, "-+");
  world_.run_for(milliseconds(4500));
  EXPECT_EQ(commands_.running.size(), 0u) << "given up after a second";
  EXPECT_EQ(verdicts_, "-+-");
  EXPECT_EQ(why_, "command \"cat /ok\" timed out");
}

// Frames of RFC 9113: SETTINGS, then the answer of grpc.health.v1 in DATA.
TEST_F(ProbeTest, AsksAGrpcHealthService) {
  json::Tree tree;
  const json::Node container = *tree.parse_yaml(
      "{readinessProbe: {grpc: {port: 5000, service: shop}, periodSeconds: 1, failureThreshold: "
      "1}}");
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  const auto answer = [&](char status) {
    std::string data("\0\0\7\0\0\0\0\0\1\0\0\0\0\2\x08", 15);
    return settings + data + status;
  };
  grpc_ = true;
  answer_ = answer(1);
  const auto open = machine_.network().listen({machine_.address(), 5000}, *this);
  ASSERT_TRUE(open);
  ProbeListener& listener = *this;
  Probe probe(container, {place(), ProbeType::kReadiness, machine_.address()}, listener);
  world_.run_for(milliseconds(900));
  EXPECT_EQ(verdicts_, "+") << why_;
  EXPECT_TRUE(request_.empty() || request_.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  answer_ = answer(2);
  world_.run_for(seconds(1));
  EXPECT_EQ(verdicts_, "+-");
  EXPECT_EQ(why_, "service unhealthy (responded with \"NOT_SERVING\")");
  answer_ = settings + std::string("\0\0\1\1\5\0\0\0\1\x88", 10);  // HEADERS that end all
  world_.run_for(seconds(1));
  EXPECT_NE(why_.find("does not implement"), std::string::npos) << why_;
  answer_ = settings;
  world_.run_for(seconds(2));
  EXPECT_EQ(why_, "timeout: health rpc did not complete within 1s");
}

}  // namespace
}  // namespace coracle::node
