// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/row_stream.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::store {
namespace {

// u32 crc of the rest, u32 key bytes (0: the end), u32 value bytes, u64 create_rev, u64 mod_rev,
// u64 revisions, u32 flags, key, value. The end: rows as create_rev, sum of all crcs as flags.
constexpr size_t kHeadBytes = 40;
constexpr size_t kKeyBytesMax = 4096;

uint32_t put_row(std::string& out, const RowFields& row) {
  std::string bytes;
  bytes.reserve(kHeadBytes + row.key.size() + row.value.size());
  put_u32(bytes, static_cast<uint32_t>(row.key.size()));
  put_u32(bytes, static_cast<uint32_t>(row.value.size()));
  put_u64(bytes, row.create_rev);
  put_u64(bytes, row.mod_rev);
  put_u64(bytes, row.revisions);
  put_u32(bytes, row.flags);
  bytes += row.key;
  bytes += row.value;
  const uint32_t crc = crc32c(bytes);
  put_u32(out, crc);
  out += bytes;
  return crc;
}

Error broken() {
  return fail(Code::kCorrupt, "the snapshot stream is damaged");
}

}  // namespace

RowStream::RowStream(std::unique_ptr<Reader> reader,
                     const Memtable& memtable,
                     std::shared_ptr<StreamPins> pins)
    : reader_(std::move(reader)),
      memtable_(memtable.copy()),
      view_(memtable_, *reader_),
      pins_(std::move(pins)),
      generation_(pins_->generation),
      after_("/") {
  pins_->streams++;
}

RowStream::~RowStream() {
  pins_->streams--;
}

Result<std::unique_ptr<RowStream>> RowStream::open(const std::string& path,
                                                   const char* vfs,
                                                   const Memtable& memtable,
                                                   std::shared_ptr<StreamPins> pins) {
  std::unique_ptr<Reader> reader = TRY(Reader::open(path, vfs));
  TRY(reader->begin());
  TRY(reader->contains("/"));  // the first read fixes what is seen
  return std::unique_ptr<RowStream>(new RowStream(std::move(reader), memtable, std::move(pins)));
}

Result<> RowStream::fill() {
  static_assert('0' == '/' + 1);
  const Chunk chunk = TRY(view_.chunk(after_, "0"));
  for (const ViewRow& row : chunk.rows) {
    if (!row.intact) {
      return fail(Code::kCorrupt, join({"damaged row ", row.key, ": this state cannot be copied"}));
    }
    const std::string_view text = row.object ? row.object->text() : std::string_view(row.text);
    sum_ += put_row(pending_,
                    {row.key, text, row.create_rev, row.version, row.revisions, row.flags, true});
    rows_++;
  }
  after_ = chunk.reached;
  if (!chunk.last) return {};
  put_row(pending_, {{}, {}, rows_, 0, 0, sum_, true});
  ended_ = true;
  return {};
}

Result<bool> RowStream::next(std::string& chunk) {
  if (generation_ != pins_->generation) return fail(Code::kExpired, "the state was replaced");
  while (pending_.size() < kSnapshotChunkBytesMax && !ended_)
    TRY(fill());
  chunk = pending_.substr(0, kSnapshotChunkBytesMax);
  pending_.erase(0, chunk.size());
  return !chunk.empty();
}

Result<std::unique_ptr<RowLoader>> RowLoader::open(const std::string& path, const char* vfs) {
  std::unique_ptr<RowLoader> loader(new RowLoader());
  loader->writer_ = TRY(Writer::open(path, vfs, Writer::Purpose::kFill));
  TRY(loader->writer_->begin());
  return loader;
}

Result<> RowLoader::add(std::string_view chunk) {
  rest_ += chunk;
  std::string_view bytes = rest_;
  while (TRY(take_one(bytes))) {
  }
  rest_.erase(0, rest_.size() - bytes.size());
  return {};
}

Result<bool> RowLoader::take_one(std::string_view& bytes) {
  if (bytes.empty()) return false;
  if (ended_) return broken();
  if (bytes.size() < kHeadBytes) return false;
  const size_t key_bytes = get_u32(&bytes[4]);
  const size_t value_bytes = get_u32(&bytes[8]);
  if (key_bytes > kKeyBytesMax || value_bytes > limits::kObjectBytesMax) return broken();
  const size_t whole = kHeadBytes + key_bytes + value_bytes;
  if (bytes.size() < whole) return false;
  const uint32_t crc = get_u32(bytes.data());
  if (crc32c(bytes.substr(4, whole - 4)) != crc) return broken();
  RowFields row;
  row.create_rev = get_u64(&bytes[12]);
  row.mod_rev = get_u64(&bytes[20]);
  row.revisions = get_u64(&bytes[28]);
  row.flags = get_u32(&bytes[36]);
  row.key = bytes.substr(kHeadBytes, key_bytes);
  row.value = bytes.substr(kHeadBytes + key_bytes, value_bytes);
  bytes.remove_prefix(whole);
  if (row.key.empty()) {
    ended_ = true;
    if (row.create_rev != rows_ || row.flags != sum_) return broken();
    return true;
  }
  TRY(writer_->put(row));
  rows_++;
  sum_ += crc;
  return true;
}

Result<> RowLoader::finish(const Applied& about, const Identity& identity) {
  if (!ended_ || !rest_.empty()) return broken();
  TRY(writer_->set_identity(identity));
  return writer_->commit(about);
}

Result<> RowLoader::seal(const Applied& applied, const Identity& identity) {
  TRY(writer_->begin());
  TRY(writer_->set_identity(identity));
  TRY(writer_->commit(applied));
  writer_.reset();
  return {};
}

}  // namespace coracle::store
