// SPDX-License-Identifier: GPL-2.0-or-later
// Every script of etcd's raft, one test each, text for text. The scripts are not part of this tree:
// CORACLE_ORACLE names the folder that has them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/unit/raft/interpreters.h"

namespace coracle::raft {

namespace {

constexpr const char* kScripts[] = {
    "quorum/testdata/joint_commit.txt",
    "quorum/testdata/joint_vote.txt",
    "quorum/testdata/majority_commit.txt",
    "quorum/testdata/majority_vote.txt",
    "confchange/testdata/joint_autoleave.txt",
    "confchange/testdata/joint_idempotency.txt",
    "confchange/testdata/joint_learners_next.txt",
    "confchange/testdata/joint_safety.txt",
    "confchange/testdata/simple_idempotency.txt",
    "confchange/testdata/simple_promote_demote.txt",
    "confchange/testdata/simple_safety.txt",
    "confchange/testdata/update.txt",
    "confchange/testdata/zero.txt",
    "testdata/async_storage_writes.txt",
    "testdata/async_storage_writes_append_aba_race.txt",
    "testdata/campaign.txt",
    "testdata/campaign_learner_must_vote.txt",
    "testdata/checkquorum.txt",
    "testdata/confchange_disable_validation.txt",
    "testdata/confchange_v1_add_single.txt",
    "testdata/confchange_v1_remove_leader.txt",
    "testdata/confchange_v1_remove_leader_stepdown.txt",
    "testdata/confchange_v2_add_double_auto.txt",
    "testdata/confchange_v2_add_double_implicit.txt",
    "testdata/confchange_v2_add_single_auto.txt",
    "testdata/confchange_v2_add_single_explicit.txt",
    "testdata/confchange_v2_replace_leader.txt",
    "testdata/confchange_v2_replace_leader_stepdown.txt",
    "testdata/forget_leader.txt",
    "testdata/forget_leader_prevote_checkquorum.txt",
    "testdata/forget_leader_read_only_lease_based.txt",
    "testdata/heartbeat_resp_recovers_from_probing.txt",
    "testdata/lagging_commit.txt",
    "testdata/prevote.txt",
    "testdata/prevote_checkquorum.txt",
    "testdata/probe_and_replicate.txt",
    "testdata/replicate_pause.txt",
    "testdata/single_node.txt",
    "testdata/slow_follower_after_compaction.txt",
    "testdata/snapshot_succeed_via_app_resp.txt",
    "testdata/snapshot_succeed_via_app_resp_behind.txt",
};

std::string read_script(const std::string& name) {
  const char* folder = std::getenv("CORACLE_ORACLE");
  std::string path = std::string(folder ? folder : "../shared/oracle") + "/etcd-raft/" + name;
  std::string text;
  FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) return text;
  char block[4096];
  for (size_t got; (got = std::fread(block, 1, sizeof block, file)) > 0;)
    text.append(block, got);
  std::fclose(file);
  return text;
}

std::unique_ptr<Interpreter> interpreter_for(std::string_view name) {
  if (name.starts_with("quorum/")) return quorum_interpreter();
  if (name.starts_with("confchange/")) return conf_change_interpreter();
  return interaction_interpreter();
}

class RaftGolden : public testing::TestWithParam<const char*> {};

TEST_P(RaftGolden, SaysTheSame) {
  std::string text = read_script(GetParam());
  if (text.empty()) GTEST_SKIP() << "skipped: no oracle";
  std::unique_ptr<Interpreter> interpreter = interpreter_for(GetParam());
  Mismatch mismatch = run_script(text, *interpreter);
  EXPECT_EQ(mismatch.line, 0) << GetParam() << ":" << mismatch.line << ": " << mismatch.command;
  EXPECT_EQ(mismatch.expected, mismatch.actual);
}

std::string test_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  if (name.starts_with("testdata/")) name = "interaction/" + name;
  name = name.substr(0, name.find('/')) + "_" + name.substr(name.rfind('/') + 1);
  name.resize(name.size() - 4);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Oracle, RaftGolden, testing::ValuesIn(kScripts), test_name);

}  // namespace

}  // namespace coracle::raft
