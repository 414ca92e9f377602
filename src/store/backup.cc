// SPDX-License-Identifier: GPL-2.0-or-later
// Backup files: a head, then the same stream of rows that members send each other.
//
// Head: "CoracleB", u32 format 1, u32 crc of the rest of the head, u64 index, u64 term, u64
// cluster.
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

constexpr std::string_view kMagic = "CoracleB";
constexpr uint32_t kBackupFormat = 1;
constexpr size_t kHeadBytes = 8 + 4 + 4 + 24;
// Far more than a cluster writes between a backup and the day it is needed.
constexpr uint64_t kVersionJump = uint64_t{1} << 32;

std::string head_of(raft::EntryId at, uint64_t cluster) {
  std::string numbers;
  put_u64(numbers, at.index);
  put_u64(numbers, at.term);
  put_u64(numbers, cluster);
  std::string head(kMagic);
  put_u32(head, kBackupFormat);
  put_u32(head, crc32c(numbers));
  return head + numbers;
}

Result<raft::EntryId> parse_head(std::string_view head) {
  if (head.size() < kHeadBytes || head.substr(0, 8) != kMagic)
    return fail(Code::kCorrupt, "the file is not a backup");
  if (get_u32(&head[8]) != kBackupFormat)
    return fail(Code::kCorrupt, "the backup is of another format: use the version that wrote it");
  if (get_u32(&head[12]) != crc32c(head.substr(16, 24)))
    return fail(Code::kCorrupt, "the backup is damaged");
  return raft::EntryId{get_u64(&head[24]), get_u64(&head[16])};
}

class BackupSource final : public SnapshotSource {
 public:
  BackupSource(std::string head, std::unique_ptr<RowStream> rows)
      : head_(std::move(head)),
        rows_(std::move(rows)) {}
  Result<bool> next(std::string& chunk) override {
    if (head_.empty()) return rows_->next(chunk);
    chunk = std::exchange(head_, {});
    return true;
  }

 private:
  std::string head_;
  std::unique_ptr<RowStream> rows_;
};

Result<> load(port::File& file, RowLoader& loader) {
  std::string chunk(kSnapshotChunkBytesMax, '\0');
  for (uint64_t at = kHeadBytes;;) {
    const size_t got = TRY(file.read_at(at, chunk.data(), chunk.size()));
    if (got == 0) return loader.finish({}, {});
    TRY(loader.add(std::string_view(chunk).substr(0, got)));
    at += got;
  }
}

}  // namespace

Result<std::unique_ptr<SnapshotSource>> ReplicatedStore::backup() {
  if (installing_) return fail(Code::kUnavailable, "the state is being replaced: try again");
  auto rows = TRY(RowStream::open(parts_.path, parts_.disk.sqlite_vfs(), state_.memtable(), pins_));
  return std::unique_ptr<SnapshotSource>(std::make_unique<BackupSource>(
      head_of(last_applied_, parts_.identity.cluster), std::move(rows)));
}

// Nothing counts before the last step: a state without an applied point is none.
Result<> restore_store(const StoreOptions& options, port::Disk& disk, const std::string& file) {
  const std::string path = options.directory + "/" + kStateFiles[0];
  TRY(disk.make_directories(options.directory));
  if (!TRY(disk.list(options.directory)).empty()) {
    return fail(Code::kConflict,
                join({options.directory, " is not empty: restore into a new directory"}));
  }
  const std::unique_ptr<port::File> in = TRY(disk.open(file, port::OpenMode::kRead));
  std::string head(kHeadBytes, '\0');
  head.resize(TRY(in->read_at(0, head.data(), head.size())));
  const raft::EntryId at = TRY(parse_head(head));
  auto loader = TRY(RowLoader::open(path, disk.sqlite_vfs()));
  Result<> loaded = load(*in, *loader);
  const Identity identity{cluster_id(options.entropy), kFounder};
  Member founder = options.self;
  founder.id = kFounder;
  Applied applied;
  applied.last = {at.term + 1, at.index + kVersionJump};
  applied.point.next_index = applied.last.index + 1;
  applied.point.term = applied.last.term;
  applied.roster = Roster::founded(identity.cluster, std::move(founder)).encode();
  if (loaded) loaded = loader->seal(applied, identity);
  loader.reset();
  if (loaded) loaded = TRY(disk.open(path, port::OpenMode::kReadWrite))->sync();
  if (loaded) loaded = disk.sync_directory(options.directory);
  if (!loaded) static_cast<void>(remove_database(disk, path));
  return loaded;
}

}  // namespace coracle::store
