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

constexpr const char* kOwnScripts[] = {
    "async_crash.txt",
    "empty_heartbeat.txt",
    "figure_8.txt",
    "read_index.txt",
};

std::string read_file(const std::string& path) {
  std::string text;
  FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) return text;
  char block[4096];
  for (size_t got; (got = std::fread(block, 1, sizeof block, file)) > 0;)
    text.append(block, got);
  std::fclose(file);
  return text;
}

std::string oracle(const std::string& name) {
  const char* folder = std::getenv("CORACLE_ORACLE");
  return read_file(std::string(folder ? folder : "../shared/oracle") + "/etcd-raft/" + name);
}

void rewrite(const std::string& path, const std::string& text) {
  std::unique_ptr<Interpreter> interpreter = interaction_interpreter();
  std::string fresh = rewrite_script(text, *interpreter);
  FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(std::fwrite(fresh.data(), 1, fresh.size(), file), fresh.size());
  std::fclose(file);
}

void expect_same(const char* name, const std::string& text, Interpreter& interpreter) {
  Mismatch mismatch = run_script(text, interpreter);
  EXPECT_EQ(mismatch.line, 0) << name << ":" << mismatch.line << ": " << mismatch.command;
  EXPECT_EQ(mismatch.expected, mismatch.actual);
}

std::unique_ptr<Interpreter> interpreter_for(std::string_view name) {
  if (name.starts_with("quorum/")) return quorum_interpreter();
  if (name.starts_with("confchange/")) return conf_change_interpreter();
  return interaction_interpreter();
}

class RaftGolden : public testing::TestWithParam<const char*> {};

TEST_P(RaftGolden, SaysTheSame) {
  std::string text = oracle(GetParam());
  if (text.empty()) GTEST_SKIP() << "skipped: no oracle";
  std::unique_ptr<Interpreter> interpreter = interpreter_for(GetParam());
  expect_same(GetParam(), text, *interpreter);
}

class RaftOwnGolden : public testing::TestWithParam<const char*> {};

TEST_P(RaftOwnGolden, SaysTheSame) {
  std::string path = std::string("tests/golden/raft/") + GetParam();
  std::string text = read_file(path);
  ASSERT_FALSE(text.empty()) << path;
  if (std::getenv("CORACLE_REWRITE")) rewrite(path, text);
  std::unique_ptr<Interpreter> interpreter = interaction_interpreter();
  expect_same(GetParam(), read_file(path), *interpreter);
}

std::string test_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  if (name.starts_with("testdata/")) name = "interaction/" + name;
  if (size_t slash = name.find('/'); slash != std::string::npos) {
    name = name.substr(0, slash) + "_" + name.substr(name.rfind('/') + 1);
  }
  name.resize(name.size() - 4);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Oracle, RaftGolden, testing::ValuesIn(kScripts), test_name);
INSTANTIATE_TEST_SUITE_P(Own, RaftOwnGolden, testing::ValuesIn(kOwnScripts), test_name);

}  // namespace

}  // namespace coracle::raft
