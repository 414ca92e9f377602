// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/view.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/log.h"

namespace coracle::store {
namespace {

struct OneRow : RowSink {
  bool on_row(const RowFields& row) override {
    intact = row.intact;
    create_rev = row.create_rev;
    mod_rev = row.mod_rev;
    revisions = row.revisions;
    if (intact) text = row.value;
    return false;
  }
  std::string text;
  uint64_t create_rev = 0;
  uint64_t mod_rev = 0;
  uint64_t revisions = 0;
  bool intact = false;
};

struct SomeRows : RowSink {
  bool on_row(const RowFields& row) override {
    ViewRow& added = rows.emplace_back();
    added.key = row.key;
    added.text = row.value;
    added.version = row.mod_rev;
    added.intact = row.intact;
    added.create_rev = row.create_rev;
    added.revisions = row.revisions;
    added.flags = row.flags;
    bytes += row.key.size() + row.value.size();
    full = bytes >= limits::kListChunkBytes || rows.size() >= kChunkRowsMax;
    return !full;
  }
  std::vector<ViewRow> rows;
  size_t bytes = 0;
  bool full = false;
};

Error corrupt(std::string_view key) {
  return fail(Code::kCorrupt,
              join({"stored object ", key, " is damaged: its checksum does not match"}));
}

}  // namespace

std::string prefix_end(const std::string& prefix) {
  std::string end = prefix;
  ASSERT(!end.empty());
  end.back() = static_cast<char>(end.back() + 1);
  return end;
}

Result<std::optional<Stored>> View::find(std::string_view key) const {
  if (const MemoryRow* row = memtable_.find(key)) {
    if (!row->stored.object) return std::optional<Stored>();
    return std::optional<Stored>(row->stored);
  }
  OneRow row;
  if (!TRY(reader_.get(key, row))) return std::optional<Stored>();
  const api::StoredName name = api::parse_storage_key(key);
  if (!row.intact || name.kind == nullptr) return corrupt(key);
  auto object = api::make_object(*name.kind, std::move(row.text), row.mod_rev);
  if (!object) return corrupt(key);
  return std::optional<Stored>(Stored{std::move(*object), row.create_rev, row.revisions});
}

// Rows of SQLite up to some key, then the memtable's rows up to the same key over them.
Result<Chunk> View::chunk(const std::string& after, const std::string& end) const {
  SomeRows stored;
  TRY(reader_.scan(after, end, stored));
  Chunk chunk;
  chunk.last = !stored.full;
  chunk.reached = stored.full ? stored.rows.back().key : end;
  const std::string bound = stored.full ? chunk.reached + '\0' : end;
  chunk.rows.reserve(stored.rows.size());
  size_t next = 0;
  memtable_.for_each(after, bound, [&](const std::string& key, const MemoryRow& row) {
    while (next < stored.rows.size() && stored.rows[next].key < key) {
      chunk.rows.push_back(std::move(stored.rows[next++]));
    }
    if (next < stored.rows.size() && stored.rows[next].key == key) next++;
    if (!row.stored.object) return;
    chunk.rows.push_back({key,
                          row.stored.object,
                          {},
                          row.mod_rev,
                          true,
                          row.stored.create_rev,
                          row.stored.revisions,
                          row.has_owners ? kHasOwners : 0u});
  });
  std::move(stored.rows.begin() + static_cast<ptrdiff_t>(next), stored.rows.end(),
            std::back_inserter(chunk.rows));
  return chunk;
}

Result<uint64_t> View::count(const std::string& after, const std::string& end) const {
  TRY(reader_.begin());
  Result<uint64_t> count = reader_.count(after, end);
  memtable_.for_each(after, end, [&](const std::string& key, const MemoryRow& row) {
    if (!count) return;
    const Result<bool> below = reader_.contains(key);
    if (!below) {
      count = fail(below.error().code, below.error().message);
    } else {
      count = *count + (row.stored.object ? 1u : 0u) - (*below ? 1u : 0u);
    }
  });
  reader_.end();
  return count;
}

}  // namespace coracle::store
