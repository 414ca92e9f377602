// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/surroundings.h"

#include <memory>
#include <utility>

#include "base/log.h"

namespace coracle::node {

namespace {

class RemoveJob final : public port::Job {
 public:
  RemoveJob(port::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  void run() override { removed_ = disk_.remove_tree(path_); }
  void done() override {
    if (!removed_) LOG(kWarn, "node: directory not removed", kv("why", removed_.error().message));
  }

 private:
  port::Disk& disk_;
  std::string path_;
  Result<> removed_;
};

}  // namespace

void remove_later(port::Lane& lane, port::Disk& disk, std::string path) {
  lane.submit(std::make_unique<RemoveJob>(disk, std::move(path)));
}

}  // namespace coracle::node
