// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "tests/contract/port.h"

namespace coracle::contract {

template <class Port>
class TreeContract : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(port_.disk().make_directories(scratch_ + "/tree"));
    ASSERT_TRUE(port_.disk().make_directories(scratch_ + "/outside"));
    ASSERT_TRUE(port_.disk().write_file(scratch_ + "/outside/secret", "s", 0600));
    auto tree = port_.disk().tree(scratch_ + "/tree");
    ASSERT_TRUE(tree);
    tree_ = std::move(*tree);
  }
  bool writes(const std::string& path) {
    auto file = tree_->open(path, port::OpenMode::kCreate, 0644);
    return file && (*file)->write_at(0, "x");
  }
  Port port_;
  std::string scratch_ = port_.scratch();
  std::unique_ptr<port::Tree> tree_;
};
TYPED_TEST_SUITE_P(TreeContract);

TYPED_TEST_P(TreeContract, HoldsFilesDirectoriesAndLinks) {
  port::Tree& tree = *this->tree_;
  ASSERT_TRUE(tree.make_directory("d", 0755));
  ASSERT_TRUE(tree.make_directory("d", 0755));
  ASSERT_TRUE(this->writes("d/f"));
  ASSERT_TRUE(tree.make_symlink("f", "d/link"));
  ASSERT_TRUE(tree.make_hard_link("d/f", "d/hard"));
  EXPECT_EQ(*tree.read_link("d/link"), "f");
  EXPECT_EQ(tree.stat("d/link")->type, port::FileType::kSymlink);
  EXPECT_EQ(tree.stat("d/hard")->size, 1u);
  EXPECT_EQ(*tree.list("d"), (std::vector<std::string>{"f", "hard", "link"}));
  EXPECT_EQ(*tree.list(""), (std::vector<std::string>{"d"}));
  ASSERT_TRUE(tree.set_mode("d/f", 0751));
  EXPECT_EQ(tree.stat("d/f")->mode, 0751u);
  ASSERT_TRUE(tree.set_modified("d/f", Wall{1'600'000'000'000'000'000}));
  EXPECT_EQ(tree.stat("d/f")->modified.seconds(), 1'600'000'000);
  ASSERT_TRUE(tree.rename("d/f", "g"));
  EXPECT_EQ(tree.stat("d/f").error().code, Code::kNotFound);
  ASSERT_TRUE(tree.remove("d"));
  ASSERT_TRUE(tree.remove("d"));
  ASSERT_TRUE(tree.remove("no/such/parent"));
  EXPECT_EQ(*tree.list(""), (std::vector<std::string>{"g"}));
}

TYPED_TEST_P(TreeContract, RefusesEveryWayOut) {
  port::Tree& tree = *this->tree_;
  ASSERT_TRUE(tree.make_symlink("../outside", "up"));
  ASSERT_TRUE(tree.make_symlink(this->scratch_ + "/outside", "away"));
  ASSERT_TRUE(tree.make_symlink("../outside/secret", "secret"));
  for (const char* path : {"../outside/new", "up/new", "away/new", "x/../../outside/new"})
    EXPECT_FALSE(this->writes(path)) << path;
  EXPECT_FALSE(tree.open("secret", port::OpenMode::kRead, 0));
  EXPECT_FALSE(tree.open(this->scratch_ + "/outside/secret", port::OpenMode::kRead, 0));
  EXPECT_FALSE(tree.make_directory("up/d", 0755));
  EXPECT_FALSE(tree.make_hard_link("up/secret", "stolen"));
  EXPECT_FALSE(tree.rename("secret", "up/secret2"));
  EXPECT_FALSE(tree.make_directory("..", 0755));
  EXPECT_FALSE(tree.remove(".."));
  EXPECT_FALSE(tree.remove("up/secret"));
  EXPECT_FALSE(tree.list("up"));
  EXPECT_EQ(*this->port_.disk().list(this->scratch_ + "/outside"),
            (std::vector<std::string>{"secret"}));
}

TYPED_TEST_P(TreeContract, RemovingNeverFollowsSymlinks) {
  ASSERT_TRUE(this->tree_->make_directory("d", 0755));
  ASSERT_TRUE(this->tree_->make_symlink("../../outside", "d/up"));
  ASSERT_TRUE(this->tree_->remove("d"));
  EXPECT_TRUE(this->port_.disk().stat(this->scratch_ + "/outside/secret"));
}

TYPED_TEST_P(TreeContract, RemovesDirectoriesOfAnyDepth) {
  std::string path;
  for (int i = 0; i < 150; i++) {
    path += path.empty() ? "d" : "/d";
    ASSERT_TRUE(this->tree_->make_directory(path, 0755));
  }
  ASSERT_TRUE(this->writes(path + "/leaf"));
  auto removed = this->tree_->remove("d");
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(this->tree_->list("")->empty());
}

REGISTER_TYPED_TEST_SUITE_P(TreeContract,
                            HoldsFilesDirectoriesAndLinks,
                            RefusesEveryWayOut,
                            RemovingNeverFollowsSymlinks,
                            RemovesDirectoriesOfAnyDepth);

}  // namespace coracle::contract
