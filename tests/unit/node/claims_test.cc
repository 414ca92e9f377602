// SPDX-License-Identifier: GPL-2.0-or-later
// Pods with claims: what they wait for, where their volumes lie, and how those go.
#include <gtest/gtest.h>

#include "tests/unit/node/agent_fixture.h"

namespace coracle::node {
namespace {

constexpr const char* kClaiming = R"(
metadata: {name: web, namespace: default}
spec:
  nodeName: gw-1
  terminationGracePeriodSeconds: 1
  securityContext: {fsGroup: 3000}
  containers: [{name: web, image: busybox, volumeMounts: [{name: d, mountPath: /d}]}]
  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
)";
constexpr const char* kClaim = R"(
metadata: {name: data, namespace: default, uid: c1}
spec: {volumeName: pv-1}
status: {phase: Bound}
)";
constexpr const char* kVolume = R"(
metadata:
  name: pv-1
  annotations: {pv.kubernetes.io/provisioned-by: coracle.io/local-path}
  finalizers: [kubernetes.io/pv-protection, coracle.io/local-path]
spec:
  local: {path: /data/storage/pv-1}
  persistentVolumeReclaimPolicy: Delete
  claimRef: {namespace: default, name: data, uid: c1}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [
    {key: kubernetes.io/hostname, operator: In, values: [gw-1]}]}]}}
status: {phase: Bound}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

class ClaimsTest : public AgentTest {
 protected:
  void begin() {
    start();
    load_busybox();
    run(seconds(1));
    cluster_.put(api::kPod, kClaiming);
    settle();
  }
  std::string config() {
    const auto& starts = sandboxes_.only().starts;
    port::Disk& disk = machine_.disk();
    return starts.empty() ? std::string() : *disk.read_file(starts.back().bundle + "/config.json");
  }
  bool phase_becomes(std::string_view phase) {
    for (int i = 0; i < 20 && status()["phase"].string() != phase; ++i)
      run(seconds(1));
    return status()["phase"].string() == phase;
  }
};

constexpr const char* kUnmounted =
    "FailedMount: Unable to attach or mount volumes: unmounted volumes=[d], unattached volumes=[], "
    "failed to process volumes=[d]: error processing PVC default/data: ";

TEST_F(ClaimsTest, APodWaitsUntilItsClaimIsBoundAndThenHasItsDirectory) {
  begin();
  EXPECT_TRUE(has_event(std::string(kUnmounted) +
                        "failed to fetch PVC from API server: persistentvolumeclaims \"data\" not "
                        "found"));
  cluster_.put(api::kPersistentVolumeClaim, replaced(kClaim, "Bound", "Pending"));
  settle();
  EXPECT_TRUE(has_event(std::string(kUnmounted) + "PVC is not bound"));
  EXPECT_EQ(status()["phase"].string(), "Pending");
  cluster_.put(api::kPersistentVolumeClaim, kClaim);
  settle();
  EXPECT_TRUE(has_event(std::string(kUnmounted) +
                        "failed to fetch PV pv-1 from API server: persistentvolumes \"pv-1\" not "
                        "found"));
  cluster_.put(api::kPersistentVolume, kVolume);
  ASSERT_TRUE(phase_becomes("Running"));
  const Result<port::FileStat> made = machine_.disk().stat("/data/storage/pv-1");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->gid, 3000u) << "fsGroup owns it";
  EXPECT_EQ(made->mode & 02770, 02770u);
  EXPECT_NE(config().find("\"source\":\"/data/storage/pv-1\""), std::string::npos) << config();
}

TEST_F(ClaimsTest, AClaimBoundToAVolumeOfAnotherNodeOrClaimIsRefused) {
  start();
  load_busybox();
  run(seconds(1));
  cluster_.put(api::kPersistentVolumeClaim, kClaim);
  cluster_.put(api::kPersistentVolume, replaced(kVolume, "values: [gw-1]", "values: [gw-2]"));
  cluster_.put(api::kPod, kClaiming);
  settle();
  EXPECT_TRUE(
      has_event("FailedMount: MountVolume.NodeAffinity check failed for volume \"pv-1\" : "
                "no matching NodeSelectorTerms"));
  cluster_.put(api::kPersistentVolume, replaced(kVolume, "uid: c1", "uid: c2"));
  settle();
  EXPECT_TRUE(has_event(std::string(kUnmounted) +
                        "found PV object pv-1 with an incorrect pv.Spec.ClaimRef.UID that does not "
                        "match PVC UID c1"));
  EXPECT_FALSE(machine_.disk().stat("/data/storage/pv-1"));
  EXPECT_TRUE(sandboxes_.shims.empty());
}

TEST_F(ClaimsTest, ALocalVolumeThatNobodyProvisionedMustExist) {
  start();
  load_busybox();
  run(seconds(1));
  cluster_.put(api::kPersistentVolumeClaim, kClaim);
  cluster_.put(api::kPersistentVolume,
               replaced(kVolume, "pv.kubernetes.io/provisioned-by", "somebody.else"));
  cluster_.put(api::kPod, kClaiming);
  settle();
  EXPECT_TRUE(
      has_event("FailedMount: MountVolume.SetUp failed for volume \"pv-1\" : path "
                "\"/data/storage/pv-1\" does not exist"));
  ASSERT_TRUE(machine_.disk().make_directories("/data/storage/pv-1/old", 0700));
  ASSERT_TRUE(phase_becomes("Running"));
  EXPECT_EQ(machine_.disk().stat("/data/storage/pv-1/old")->gid, 3000u) << "with all that is in it";
}

TEST_F(ClaimsTest, AnEphemeralVolumeBelongsToItsPodAlone) {
  start();
  load_busybox();
  run(seconds(1));
  cluster_.put(api::kPersistentVolumeClaim, replaced(kClaim, "name: data", "name: web-d"));
  cluster_.put(api::kPersistentVolume, replaced(kVolume, "name: data", "name: web-d"));
  cluster_.put(api::kPod, replaced(replaced(kClaiming, "default}", "default, uid: p1}"),
                                   "persistentVolumeClaim: {claimName: data}", "ephemeral: {}"));
  settle();
  EXPECT_TRUE(
      has_event("FailedMount: Unable to attach or mount volumes: unmounted volumes=[d], "
                "unattached volumes=[], failed to process volumes=[d]: error processing "
                "PVC default/web-d: PVC default/web-d was not created for pod default/web "
                "(pod is not owner)"));
  cluster_.put(api::kPersistentVolumeClaim,
               replaced(kClaim, "name: data, namespace: default, uid: c1",
                        "name: web-d, namespace: default, uid: c1, "
                        "ownerReferences: [{kind: Pod, name: web, uid: p1, controller: true}]"));
  EXPECT_TRUE(phase_becomes("Running"));
}

TEST_F(ClaimsTest, ADeletedVolumeLosesItsDirectoryAndThenItsFinalizer) {
  begin();
  cluster_.put(api::kPersistentVolumeClaim, kClaim);
  cluster_.put(api::kPersistentVolume, kVolume);
  ASSERT_TRUE(phase_becomes("Running"));
  ASSERT_TRUE(machine_.disk().write_file("/data/storage/pv-1/file", "x", 0600));
  const auto finalizers = [this] {
    json::Tree tree;
    return json::write(cluster_.state()
                           .get(api::kPersistentVolume, "", "pv-1")
                           ->parse(tree)["metadata"]["finalizers"]);
  };
  cluster_.remove(api::kPersistentVolume, "", "pv-1", 1);
  run(seconds(1));
  EXPECT_TRUE(machine_.disk().stat("/data/storage/pv-1/file")) << "it is bound still";
  const std::string going =
      replaced(kVolume, "name: pv-1", "name: pv-1\n  deletionTimestamp: '2026-01-01T00:00:00Z'");
  const std::string released = replaced(going, "{phase: Bound}", "{phase: Released}");
  cluster_.put(api::kPersistentVolume, replaced(released, "/data/storage/pv-1", "/data/pods"));
  run(seconds(1));
  EXPECT_TRUE(machine_.disk().stat("/data/pods"));
  EXPECT_TRUE(
      has_event("VolumeFailedDelete: \"/data/pods\" does not lie in /data/storage of node "
                "gw-1 under the volume's name"));
  cluster_.put(api::kPersistentVolume, released);
  run(seconds(1));
  EXPECT_FALSE(machine_.disk().stat("/data/storage/pv-1"));
  EXPECT_EQ(finalizers(), R"(["kubernetes.io/pv-protection"])");
}

}  // namespace
}  // namespace coracle::node
