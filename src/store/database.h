// SPDX-License-Identifier: GPL-2.0-or-later
// The state in SQLite: what the log says up to an applied point. Two connections to one file: the
// Writer belongs to the state lane, the Reader to the loop. Each row carries a checksum that is
// checked at every read; SQLite itself does not notice rot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/owned.h"
#include "base/result.h"
#include "store/applied.h"

struct sqlite3;
struct sqlite3_stmt;
extern "C" int sqlite3_close_v2(sqlite3*);
extern "C" int sqlite3_finalize(sqlite3_stmt*);

namespace coracle::store {

using SqliteDatabase = Owned<sqlite3, sqlite3_close_v2>;
using SqliteStatement = Owned<sqlite3_stmt, sqlite3_finalize>;

enum RowFlag : uint32_t { kHasOwners = 1 };  // bits on disk, never reused

struct RowFields {
  std::string_view key;
  std::string_view value;
  uint64_t create_rev = 0;
  uint64_t mod_rev = 0;
  uint64_t revisions = 0;  // writes since the object was created
  uint32_t flags = 0;
  bool intact = true;  // the checksum is right
};

// Views in RowFields are valid during the call. False: enough.
class RowSink {
 public:
  virtual bool on_row(const RowFields& row) = 0;

 protected:
  ~RowSink() = default;
};

class Writer {
 public:
  enum class Purpose : uint8_t {
    kState,  // WAL; commits are durable with the next checkpoint
    kFill,   // a new file that is worth nothing until sync() and close()
  };
  // Creates the file and its tables if absent.
  static Result<std::unique_ptr<Writer>> open(const std::string& path,
                                              const char* vfs,
                                              Purpose purpose = Purpose::kState);

  Result<std::optional<Applied>> applied();    // nothing: a new database
  Result<std::optional<Identity>> identity();  // likewise
  Result<> set_identity(const Identity& identity);

  // Between begin and commit.
  Result<> begin();
  Result<> put(const RowFields& row);
  Result<> remove(std::string_view key);
  Result<> commit(const Applied& applied);
  void roll_back();

  // The next commits are durable when they return, and so is everything before them.
  Result<> sync_commits(bool sync);
  // True: everything committed is in the database file and synced.
  Result<bool> checkpoint();
  uint64_t wal_pages() const { return wal_pages_; }
  uint64_t bytes_used() const { return bytes_used_; }  // after the last commit, without free pages
  Result<> measure();
  void release_memory();

 private:
  Writer() = default;
  Result<> prepare();
  Result<> set_meta(uint64_t key, std::string_view value);
  SqliteDatabase database_;
  SqliteStatement begin_, commit_, put_, remove_, set_meta_, get_meta_, page_count_, free_count_;
  uint64_t wal_pages_ = 0;
  uint64_t bytes_used_ = 0;
};

class Reader {
 public:
  static Result<std::unique_ptr<Reader>> open(const std::string& path, const char* vfs);

  Result<> reopen(const std::string& path);  // another file

  // False: no such row.
  Result<bool> get(std::string_view key, RowSink& sink) const;
  // In key order, after `after` (exclusive) and before `end`.
  Result<> scan(std::string_view after, std::string_view end, RowSink& sink) const;
  Result<> scan_owned(RowSink& sink) const;  // rows with kHasOwners, in no order
  Result<uint64_t> count(std::string_view after, std::string_view end) const;
  Result<bool> contains(std::string_view key) const;
  // Between the two, all reads see one state.
  Result<> begin() const;
  void end() const;

 private:
  Reader() = default;
  Result<> prepare();
  void close();
  const char* vfs_ = nullptr;
  SqliteDatabase database_;
  SqliteStatement begin_, end_, get_, scan_, owned_, count_, contains_;
};

// The error of a write for which there was no room: it may be tried again later.
bool is_full(const Error& error);

}  // namespace coracle::store
