// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/damage.h"

#include "base/bytes.h"
#include "base/log.h"
#include "store/database.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

constexpr const char* kCondemned = "/damaged";
constexpr const char* kAside = ".damaged";

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<Joining> read_remains(const std::string& directory, port::Disk& disk) {
  std::string name = kStateFiles[0];
  if (const auto current = disk.read_file(directory + "/" + kCurrentFile, 64)) name = *current;
  const std::string path = directory + "/" + name;
  if (!disk.stat(path)) return fail(Code::kNotFound, "the state is lost");
  const std::unique_ptr<Writer> writer = TRY(Writer::open(path, disk.sqlite_vfs()));
  const auto identity = TRY(writer->identity());
  const auto applied = TRY(writer->applied());
  const std::optional<Roster> roster = applied ? Roster::decode(applied->roster) : std::nullopt;
  if (!identity || !roster) return fail(Code::kCorrupt, "the state does not know its members");
  return Joining{identity->cluster, identity->member, roster->members()};
}

Result<> condemn(const std::string& directory, std::string_view why, port::Disk& disk) {
  return disk.replace_file(directory + kCondemned, why, 0600);
}

Result<> check_condemned(const std::string& directory, port::Disk& disk) {
  if (!disk.stat(directory + kCondemned)) return {};
  const auto why = disk.read_file(directory + kCondemned, 4096);
  return fail(Code::kCorrupt, why ? *why : std::string("the store was found to be damaged"));
}

Result<> set_aside(const std::string& directory, port::Disk& disk) {
  TRY(disk.remove_tree(directory + kAside));
  TRY(disk.rename(directory, directory + kAside));
  return disk.sync_directory(parent_of(directory));
}

bool is_aside(const std::string& directory, port::Disk& disk) {
  return static_cast<bool>(disk.stat(directory + kAside));
}

Result<> forget_aside(const std::string& directory, port::Disk& disk) {
  if (!is_aside(directory, disk)) return {};
  return disk.remove_tree(directory + kAside);
}

void ReplicatedStore::give_up(std::string_view why) {
  class Condemnation : public port::Job {
   public:
    Condemnation(port::Disk& disk, std::string directory, std::string why)
        : disk_(disk),
          directory_(std::move(directory)),
          why_(std::move(why)) {}
    void run() override { static_cast<void>(condemn(directory_, why_, disk_)); }
    void done() override {}

   private:
    port::Disk& disk_;
    std::string directory_;
    std::string why_;
  };
  if (failed_) return;
  damage_ = why;
  LOG(kError, "store: damaged, this member gives up", kv("why", why));
  if (!sole_voter()) {
    parts_.log_lane.submit(
        std::make_unique<Condemnation>(parts_.disk, parts_.options.directory, damage_));
  }
  fail_for_good(fail(Code::kCorrupt, damage_));
}

}  // namespace coracle::store
