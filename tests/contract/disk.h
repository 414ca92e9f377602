// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "tests/contract/port.h"

namespace coracle::contract {

using port::OpenMode;

template <class Port>
class DiskContract : public ::testing::Test {
 protected:
  std::string path(const std::string& name) { return scratch_ + "/" + name; }
  std::unique_ptr<port::File> open(const std::string& name, OpenMode mode) {
    auto file = port_.disk().open(path(name), mode, 0600);
    return file ? std::move(*file) : nullptr;
  }
  Port port_;
  std::string scratch_ = port_.scratch();
};
TYPED_TEST_SUITE_P(DiskContract);

TYPED_TEST_P(DiskContract, FileReadsBackWhatWasWritten) {
  auto file = this->open("a", OpenMode::kCreate);
  ASSERT_NE(file, nullptr);
  ASSERT_TRUE(file->write_at(4, "data"));
  ASSERT_TRUE(file->append("!"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(*file->size(), 9u);
  char buffer[16];
  EXPECT_EQ(*file->read_at(0, buffer, sizeof buffer), 9u);
  EXPECT_EQ(std::string(buffer, 9), std::string("\0\0\0\0data!", 9));
  EXPECT_EQ(*file->read_at(9, buffer, 4), 0u);
  ASSERT_TRUE(file->truncate(5));
  EXPECT_EQ(*this->port_.disk().read_file(this->path("a"), 100), std::string("\0\0\0\0d", 5));
}

TYPED_TEST_P(DiskContract, OpenModesDoWhatTheySay) {
  port::Disk& disk = this->port_.disk();
  auto missing = disk.open(this->path("no"), OpenMode::kRead);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  ASSERT_TRUE(disk.write_file(this->path("f"), "old", 0600));
  auto exists = disk.open(this->path("f"), OpenMode::kCreateNew);
  ASSERT_FALSE(exists);
  EXPECT_EQ(exists.error().code, Code::kAlreadyExists);
  ASSERT_TRUE(this->open("f", OpenMode::kCreate)->append("er"));
  EXPECT_EQ(*disk.read_file(this->path("f"), 100), "older");
  ASSERT_TRUE(this->open("f", OpenMode::kAppend)->append("!"));
  EXPECT_EQ(*disk.read_file(this->path("f"), 100), "older!");
  ASSERT_TRUE(this->open("f", OpenMode::kTruncate)->append("new"));
  EXPECT_EQ(*disk.read_file(this->path("f"), 100), "new");
}

TYPED_TEST_P(DiskContract, ReplaceFileReplacesAndLeavesNothingBeside) {
  port::Disk& disk = this->port_.disk();
  ASSERT_TRUE(disk.replace_file(this->path("f"), "one", 0640));
  ASSERT_TRUE(disk.replace_file(this->path("f"), "two", 0640));
  EXPECT_EQ(*disk.read_file(this->path("f"), 100), "two");
  EXPECT_EQ(disk.stat(this->path("f"))->mode, 0640u);
  EXPECT_EQ(*disk.list(this->scratch_), (std::vector<std::string>{"f"}));
}

TYPED_TEST_P(DiskContract, ReadFileRefusesMoreThanItsLimit) {
  port::Disk& disk = this->port_.disk();
  ASSERT_TRUE(disk.write_file(this->path("big"), std::string(5000, 'b'), 0600));
  EXPECT_EQ(disk.read_file(this->path("big"), 5000)->size(), 5000u);
  auto refused = disk.read_file(this->path("big"), 4999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTooLarge);
}

TYPED_TEST_P(DiskContract, DirectoriesAreMadeListedAndRemoved) {
  port::Disk& disk = this->port_.disk();
  ASSERT_TRUE(disk.make_directories(this->path("x/y/z")));
  ASSERT_TRUE(disk.make_directories(this->path("x/y/z")));
  ASSERT_TRUE(disk.write_file(this->path("x/b"), "", 0600));
  EXPECT_EQ(*disk.list(this->path("x")), (std::vector<std::string>{"b", "y"}));
  EXPECT_EQ(disk.stat(this->path("x/y"))->type, port::FileType::kDirectory);
  EXPECT_FALSE(disk.remove_directory(this->path("x")));
  EXPECT_TRUE(disk.remove_directory(this->path("x/y/z")));
  EXPECT_TRUE(disk.remove_directory(this->path("x/y/z")));
  EXPECT_TRUE(disk.remove_tree(this->path("x")));
  EXPECT_TRUE(disk.remove_tree(this->path("x")));
  EXPECT_EQ(disk.stat(this->path("x")).error().code, Code::kNotFound);
  EXPECT_TRUE(disk.remove(this->path("x")));
}

TYPED_TEST_P(DiskContract, RenameReplacesItsTarget) {
  port::Disk& disk = this->port_.disk();
  ASSERT_TRUE(disk.write_file(this->path("a"), "A", 0600));
  ASSERT_TRUE(disk.write_file(this->path("b"), "B", 0600));
  ASSERT_TRUE(disk.rename(this->path("a"), this->path("b")));
  ASSERT_TRUE(disk.sync_directory(this->scratch_));
  EXPECT_EQ(*disk.read_file(this->path("b"), 10), "A");
  EXPECT_FALSE(disk.rename(this->path("a"), this->path("c")));
}

struct Step : port::Job {
  Step(std::vector<int>& ran_in, std::vector<int>& done_in, int name_in)
      : ran_list(ran_in),
        done_list(done_in),
        name(name_in) {}
  void run() override { ran_list.push_back(name); }
  void done() override { done_list.push_back(name); }
  std::vector<int>& ran_list;
  std::vector<int>& done_list;
  int name;
};

TYPED_TEST_P(DiskContract, LaneRunsJobsInOrderAndReportsOnTheLoop) {
  std::vector<int> ran;
  std::vector<int> done;
  auto lane = this->port_.lane();
  for (int i = 0; i < 5; i++)
    lane->submit(std::make_unique<Step>(ran, done, i));
  EXPECT_EQ(lane->waiting(), 5u);
  EXPECT_TRUE(done.empty());
  ASSERT_TRUE(this->port_.run_until([&] { return done.size() == 5; }, kSoon));
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(done, ran);
  EXPECT_EQ(lane->waiting(), 0u);
}

TYPED_TEST_P(DiskContract, DrainFinishesEverythingSubmitted) {
  std::vector<int> ran;
  std::vector<int> done;
  auto lane = this->port_.lane();
  for (int i = 0; i < 5; i++)
    lane->submit(std::make_unique<Step>(ran, done, i));
  lane->drain();
  EXPECT_EQ(done, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(lane->waiting(), 0u);
}

REGISTER_TYPED_TEST_SUITE_P(DiskContract,
                            FileReadsBackWhatWasWritten,
                            OpenModesDoWhatTheySay,
                            ReplaceFileReplacesAndLeavesNothingBeside,
                            ReadFileRefusesMoreThanItsLimit,
                            DirectoriesAreMadeListedAndRemoved,
                            RenameReplacesItsTarget,
                            LaneRunsJobsInOrderAndReportsOnTheLoop,
                            DrainFinishesEverythingSubmitted);

}  // namespace coracle::contract
