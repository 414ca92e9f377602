// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/database.h"

#include <string>

#include <sqlite3.h>

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::store {
namespace {

constexpr uint64_t kFormat = 2;
constexpr uint64_t kMetaFormat = 1;  // keys of the table meta, never reused
constexpr uint64_t kMetaApplied = 2;
constexpr uint64_t kMetaIdentity = 3;

constexpr const char* kWriterSettings =
    "PRAGMA page_size=4096;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "PRAGMA mmap_size=0;"
    "PRAGMA cache_size=-512;"
    "PRAGMA wal_autocheckpoint=0;"
    "PRAGMA journal_size_limit=4194304;"
    "PRAGMA temp_store=MEMORY;";
constexpr const char* kFillSettings =
    "PRAGMA page_size=4096;"
    "PRAGMA journal_mode=OFF;"
    "PRAGMA synchronous=OFF;"
    "PRAGMA mmap_size=0;"
    "PRAGMA cache_size=-1024;"
    "PRAGMA temp_store=MEMORY;";
constexpr const char* kReaderSettings =
    "PRAGMA mmap_size=0;"
    "PRAGMA cache_size=-512;"
    "PRAGMA temp_store=MEMORY;";
constexpr const char* kTables =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS object(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    " create_rev INT NOT NULL, mod_rev INT NOT NULL, version INT NOT NULL, flags INT NOT NULL,"
    " crc INT NOT NULL, value BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS meta(k INTEGER PRIMARY KEY, v);"
    "INSERT OR IGNORE INTO meta(k, v) VALUES(1, 2);"
    "COMMIT;";

constexpr const char* kNoRoom = "no space left for the database";

Error sqlite_error(sqlite3* database, std::string_view what) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(database);
  const char* text = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  const int primary = code & 0xFF;
  if (primary == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE)
    return fail(Code::kUnavailable, kNoRoom);
  const bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  return fail(damaged ? Code::kCorrupt : Code::kIo,
              join({what, ": ", text, " (", std::to_string(code), ")"}));
}

Result<SqliteDatabase> open_database(const std::string& path, const char* vfs, int flags) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, vfs);
  SqliteDatabase database(handle);
  if (code != SQLITE_OK) return sqlite_error(handle, "open " + path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 512, 32);
  return database;
}

Result<> run(const SqliteDatabase& database, const char* sql) {
  if (sqlite3_exec(database.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return sqlite_error(database.get(), "prepare the database");
}

Result<> compile(const SqliteDatabase& database, const char* sql, SqliteStatement& statement) {
  sqlite3_stmt* compiled = nullptr;
  const int code =
      sqlite3_prepare_v3(database.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &compiled, nullptr);
  statement.reset(compiled);
  if (code == SQLITE_OK) return {};
  return sqlite_error(database.get(), "prepare the database");
}

// One use of a statement: bound values and read locks end with it.
class Use {
 public:
  explicit Use(const SqliteStatement& statement) : statement_(statement.get()) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { sqlite3_reset(statement_); }

  Use& text(std::string_view value) {
    sqlite3_bind_text64(statement_, ++bound_, data_of(value), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
    return *this;
  }
  Use& blob(std::string_view value) {
    sqlite3_bind_blob64(statement_, ++bound_, data_of(value), value.size(), SQLITE_STATIC);
    return *this;
  }
  Use& number(uint64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, static_cast<sqlite3_int64>(value));
    return *this;
  }
  // False: done.
  Result<bool> step(std::string_view what) {
    if (statement_ == nullptr) return fail(Code::kIo, "the database is closed");
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqlite_error(sqlite3_db_handle(statement_), what);
  }
  Result<> finish(std::string_view what) {
    TRY(step(what));
    return {};
  }
  std::string_view bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string_view()
                           : std::string_view(static_cast<const char*>(data), size);
  }
  uint64_t integer(int column) const {
    return static_cast<uint64_t>(sqlite3_column_int64(statement_, column));
  }

 private:
  // A null pointer would bind NULL instead of the empty string.
  static const char* data_of(std::string_view value) { return value.empty() ? "" : value.data(); }

  sqlite3_stmt* statement_;
  int bound_ = 0;
};

uint32_t checksum(const RowFields& row) {
  std::string numbers;
  put_u64(numbers, row.create_rev);
  put_u64(numbers, row.mod_rev);
  put_u64(numbers, row.revisions);
  put_u32(numbers, row.flags);
  return crc32c(row.value, crc32c(numbers, crc32c(row.key)));
}

#define CORACLE_ROW_COLUMNS "key, create_rev, mod_rev, version, flags, crc, value"

RowFields row_of(const Use& use) {
  RowFields row;
  row.key = use.bytes(0);
  row.create_rev = use.integer(1);
  row.mod_rev = use.integer(2);
  row.revisions = use.integer(3);
  row.flags = static_cast<uint32_t>(use.integer(4));
  row.value = use.bytes(6);
  row.intact = checksum(row) == static_cast<uint32_t>(use.integer(5));
  return row;
}

Result<> feed(Use& use, RowSink& sink, std::string_view what) {
  while (TRY(use.step(what))) {
    if (!sink.on_row(row_of(use))) break;
  }
  return {};
}

}  // namespace

bool is_full(const Error& error) {
  return error.code == Code::kUnavailable;
}

Result<std::unique_ptr<Writer>> Writer::open(const std::string& path,
                                             const char* vfs,
                                             Purpose purpose) {
  std::unique_ptr<Writer> writer(new Writer());
  writer->database_ = TRY(open_database(path, vfs, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  TRY(run(writer->database_, purpose == Purpose::kFill ? kFillSettings : kWriterSettings));
  TRY(writer->prepare());
  return writer;
}

Result<> Writer::prepare() {
  // Writing the tables only when they are missing: a full disk must not keep the store from
  // opening.
  if (!compile(database_, "SELECT v FROM meta WHERE k = ?1", get_meta_)) {
    TRY(run(database_, kTables));
    TRY(compile(database_, "SELECT v FROM meta WHERE k = ?1", get_meta_));
  }
  TRY(compile(database_, "BEGIN IMMEDIATE", begin_));
  TRY(compile(database_, "COMMIT", commit_));
  TRY(compile(database_,
              "INSERT INTO object(" CORACLE_ROW_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
              " ON CONFLICT(key) DO UPDATE SET create_rev=?2, mod_rev=?3, version=?4, flags=?5,"
              " crc=?6, value=?7",
              put_));
  TRY(compile(database_, "DELETE FROM object WHERE key = ?1", remove_));
  TRY(compile(database_, "INSERT OR REPLACE INTO meta(k, v) VALUES(?1, ?2)", set_meta_));
  TRY(compile(database_, "PRAGMA page_count", page_count_));
  TRY(compile(database_, "PRAGMA freelist_count", free_count_));
  Use use(get_meta_);
  const bool found = TRY(use.number(kMetaFormat).step("read the database's format"));
  if (!found || use.integer(0) != kFormat) {
    return fail(Code::kCorrupt,
                "the database is of another format: this version cannot read it; start with an "
                "empty directory or with the version that wrote it");
  }
  return measure();
}

Result<std::optional<Applied>> Writer::applied() {
  Use use(get_meta_);
  if (!TRY(use.number(kMetaApplied).step("read the applied point")))
    return std::optional<Applied>();
  std::optional<Applied> applied = Applied::decode(use.bytes(0));
  if (!applied) return fail(Code::kCorrupt, "the applied point in the database is damaged");
  return applied;
}

Result<std::optional<Identity>> Writer::identity() {
  Use use(get_meta_);
  if (!TRY(use.number(kMetaIdentity).step("read the identity"))) return std::optional<Identity>();
  const std::string_view bytes = use.bytes(0);
  if (bytes.size() != 20 || get_u32(bytes.data()) != crc32c(bytes.substr(4)))
    return fail(Code::kCorrupt, "the identity in the database is damaged");
  return std::optional<Identity>({get_u64(&bytes[4]), get_u64(&bytes[12])});
}

Result<> Writer::set_identity(const Identity& identity) {
  std::string numbers;
  put_u64(numbers, identity.cluster);
  put_u64(numbers, identity.member);
  std::string bytes;
  put_u32(bytes, crc32c(numbers));
  return set_meta(kMetaIdentity, bytes + numbers);
}

Result<> Writer::set_meta(uint64_t key, std::string_view value) {
  return Use(set_meta_).number(key).blob(value).finish("write about itself");
}

Result<> Writer::begin() {
  return Use(begin_).finish("begin");
}

Result<> Writer::put(const RowFields& row) {
  Use use(put_);
  use.text(row.key).number(row.create_rev).number(row.mod_rev).number(row.revisions);
  return use.number(row.flags).number(checksum(row)).blob(row.value).finish("write a row");
}

Result<> Writer::remove(std::string_view key) {
  return Use(remove_).text(key).finish("delete a row");
}

Result<> Writer::commit(const Applied& applied) {
  TRY(set_meta(kMetaApplied, applied.encode()));
  int pages_before = 0;
  int ignored = 0;
  sqlite3_db_status(database_.get(), SQLITE_DBSTATUS_CACHE_WRITE, &pages_before, &ignored, 1);
  TRY(Use(commit_).finish("commit"));
  int pages = 0;
  sqlite3_db_status(database_.get(), SQLITE_DBSTATUS_CACHE_WRITE, &pages, &ignored, 1);
  wal_pages_ += static_cast<uint64_t>(pages);
  return measure();
}

void Writer::roll_back() {
  if (sqlite3_get_autocommit(database_.get()) != 0) return;
  sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<> Writer::sync_commits(bool sync) {
  return run(database_, sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

Result<bool> Writer::checkpoint() {
  int in_wal = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &in_wal, &moved);
  if (code == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) return sqlite_error(database_.get(), "checkpoint");
  if (in_wal != moved) return false;
  wal_pages_ = 0;
  return true;
}

Result<> Writer::measure() {
  Use pages(page_count_);
  TRY(pages.step("count pages"));
  Use free_pages(free_count_);
  TRY(free_pages.step("count free pages"));
  const uint64_t total = pages.integer(0);
  const uint64_t unused = free_pages.integer(0);
  bytes_used_ = (total > unused ? total - unused : 0) * 4096;
  return {};
}

void Writer::release_memory() {
  sqlite3_db_release_memory(database_.get());
}

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path, const char* vfs) {
  std::unique_ptr<Reader> reader(new Reader());
  reader->vfs_ = vfs;
  TRY(reader->reopen(path));
  return reader;
}

void Reader::close() {
  for (SqliteStatement* statement : {&begin_, &end_, &get_, &scan_, &owned_, &count_, &contains_}) {
    statement->reset();
  }
  database_.reset();
}

Result<> Reader::reopen(const std::string& path) {
  close();
  database_ = TRY(open_database(path, vfs_, SQLITE_OPEN_READWRITE));
  TRY(run(database_, kReaderSettings));
  return prepare();
}

Result<> Reader::prepare() {
  TRY(compile(database_, "BEGIN", begin_));
  TRY(compile(database_, "COMMIT", end_));
  TRY(compile(database_, "SELECT " CORACLE_ROW_COLUMNS " FROM object WHERE key = ?1", get_));
  TRY(compile(database_,
              "SELECT " CORACLE_ROW_COLUMNS " FROM object WHERE key > ?1 AND key < ?2 ORDER BY key",
              scan_));
  TRY(compile(database_, "SELECT " CORACLE_ROW_COLUMNS " FROM object WHERE flags & 1", owned_));
  TRY(compile(database_, "SELECT count(*) FROM object WHERE key > ?1 AND key < ?2", count_));
  return compile(database_, "SELECT 1 FROM object WHERE key = ?1", contains_);
}

Result<bool> Reader::get(std::string_view key, RowSink& sink) const {
  Use use(get_);
  if (!TRY(use.text(key).step("read a row"))) return false;
  sink.on_row(row_of(use));
  return true;
}

Result<> Reader::scan(std::string_view after, std::string_view end, RowSink& sink) const {
  Use use(scan_);
  return feed(use.text(after).text(end), sink, "list rows");
}

Result<> Reader::scan_owned(RowSink& sink) const {
  Use use(owned_);
  return feed(use, sink, "list rows");
}

Result<uint64_t> Reader::count(std::string_view after, std::string_view end) const {
  Use use(count_);
  TRY(use.text(after).text(end).step("count rows"));
  return use.integer(0);
}

Result<bool> Reader::contains(std::string_view key) const {
  return Use(contains_).text(key).step("look for a row");
}

Result<> Reader::begin() const {
  return Use(begin_).finish("begin to read");
}

void Reader::end() const {
  static_cast<void>(Use(end_).finish("end reading"));
}

}  // namespace coracle::store
