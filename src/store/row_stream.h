// SPDX-License-Identifier: GPL-2.0-or-later
// The state as a stream of bytes, for a member that the log can no longer bring up to date: rows in
// key order, each with its checksum, then how many there were. Chunks cut the stream anywhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/applied.h"
#include "store/database.h"
#include "store/memtable.h"
#include "store/transport.h"
#include "store/view.h"

namespace coracle::store {

// What streams and the store know of each other; outlives both.
struct StreamPins {
  size_t streams = 0;       // checkpoints cannot complete while there are any
  uint64_t generation = 0;  // of the database file: streams of an older one end
};

class RowStream final : public SnapshotSource {
 public:
  // A consistent state: that of the file with the memtable's rows as of now.
  static Result<std::unique_ptr<RowStream>> open(const std::string& path,
                                                 const char* vfs,
                                                 const Memtable& memtable,
                                                 std::shared_ptr<StreamPins> pins);
  ~RowStream() override;
  Result<bool> next(std::string& chunk) override;

 private:
  RowStream(std::unique_ptr<Reader> reader,
            const Memtable& memtable,
            std::shared_ptr<StreamPins> pins);
  Result<> fill();

  std::unique_ptr<Reader> reader_;
  Memtable memtable_;
  View view_;
  std::shared_ptr<StreamPins> pins_;
  uint64_t generation_;
  std::string after_;
  std::string pending_;
  uint64_t rows_ = 0;
  uint32_t sum_ = 0;
  bool ended_ = false;
};

// Fills a new database file from such a stream. Nothing of it counts before the store takes it.
class RowLoader {
 public:
  static Result<std::unique_ptr<RowLoader>> open(const std::string& path, const char* vfs);
  Result<> add(std::string_view chunk);
  // Everything has come. What needs room on the disk happens here: the stream may still fail.
  Result<> finish(const Applied& about, const Identity& identity);
  // Makes the file complete, but not yet durable.
  Result<> seal(const Applied& applied, const Identity& identity);

  raft::EntryId at;  // which state it is

 private:
  RowLoader() = default;
  Result<bool> take_one(std::string_view& bytes);

  std::unique_ptr<Writer> writer_;
  std::string rest_;
  uint64_t rows_ = 0;
  uint32_t sum_ = 0;
  bool ended_ = false;
};

}  // namespace coracle::store
