// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/volume_owner.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "node/users.h"

namespace coracle::node {

namespace {

constexpr uint32_t kReadWrite = 0660;
constexpr uint32_t kDirectory = 02110;  // enter, and inherit the group
constexpr size_t kDepthMax = 64;

Result<> give(port::Tree& tree, const std::string& path, uint32_t group) {
  const port::FileStat found = TRY(tree.stat(path));
  TRY(tree.set_owner(path, found.uid, group));
  if (found.type == port::FileType::kSymlink) return {};
  const bool directory = found.type == port::FileType::kDirectory;
  return tree.set_mode(path, found.mode | kReadWrite | (directory ? kDirectory : 0));
}

Result<> give_all(port::Tree& tree, const std::string& path, uint32_t group, size_t depth) {
  if (depth > kDepthMax)
    return fail(Code::kTooLarge, "directories lie too deep to be given to fsGroup");
  for (const std::string& name : TRY(tree.list(path))) {
    const std::string inside = join({path, "/", name});
    const port::FileStat found = TRY(tree.stat(inside));
    if (found.type == port::FileType::kDirectory)
      TRY(give_all(tree, inside, group, depth + 1));
    else
      TRY(give(tree, inside, group));
  }
  return give(tree, path, group);  // last: whoever finds it done finds all below done
}

// fsGroupChangePolicy OnRootMismatch: what the top directory shows holds for all of it.
bool is_given(port::Tree& tree, uint32_t group) {
  const Result<port::FileStat> found = tree.stat(".");
  const uint32_t wanted = kReadWrite | kDirectory;
  return found && found->gid == group && (found->mode & wanted) == wanted;
}

}  // namespace

class VolumeOwner::Walk final : public BoundJob {
 public:
  Walk(VolumeOwner& owner, GroupVolume volume, uint32_t group, bool on_mismatch)
      : BoundJob(owner.jobs_),
        owner_(owner),
        disk_(owner.disk_),
        volume_(std::move(volume)),
        group_(group),
        on_mismatch_(on_mismatch) {}
  void run() override { outcome_ = walk(); }

 private:
  Result<> walk() {
    const std::unique_ptr<port::Tree> tree = TRY(disk_.tree(volume_.path));
    if (on_mismatch_ && is_given(*tree, group_)) return {};
    return give_all(*tree, ".", group_, 0);
  }
  void finished() override {
    std::erase(owner_.under_way_, volume_.name);
    if (outcome_) owner_.done_.push_back(volume_.name);
    owner_.listener_.on_owned(volume_.name, outcome_);
  }

  VolumeOwner& owner_;
  port::Disk& disk_;
  GroupVolume volume_;
  uint32_t group_;
  bool on_mismatch_;
  Result<> outcome_;
};

bool VolumeOwner::ensure(const VolumeContext& context) {
  const auto group = fs_group(context.pod);
  const bool on_mismatch =
      context.pod["spec"]["securityContext"]["fsGroupChangePolicy"].string() == "OnRootMismatch";
  bool all = true;
  for (GroupVolume& volume : group_volumes(context)) {
    const auto among = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), volume.name) != names.end();
    };
    if (!group || among(done_)) continue;
    all = false;
    if (among(under_way_)) continue;
    under_way_.push_back(volume.name);
    lane_.submit(std::make_unique<Walk>(*this, std::move(volume), *group, on_mismatch));
  }
  return all;
}

}  // namespace coracle::node
