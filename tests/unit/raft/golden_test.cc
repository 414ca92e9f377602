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
  return conf_change_interpreter();
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
  name = name.substr(0, name.find('/')) + "_" + name.substr(name.rfind('/') + 1);
  name.resize(name.size() - 4);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Oracle, RaftGolden, testing::ValuesIn(kScripts), test_name);

}  // namespace

}  // namespace coracle::raft
