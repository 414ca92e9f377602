// SPDX-License-Identifier: GPL-2.0-or-later
// Applied state: SQLite with the memtable laid over it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "store/database.h"
#include "store/memtable.h"

namespace coracle::store {

inline constexpr size_t kChunkRowsMax = 128;

// Everything that starts with `prefix`: keys > prefix and < end.
std::string prefix_end(const std::string& prefix);

// A bounded piece of a list, in key order. A row is an object (from the memtable) or text (from
// SQLite).
struct ViewRow {
  std::string key;
  api::ObjectRef object;
  std::string text;
  uint64_t version = 0;
  bool intact = true;
  uint64_t create_rev = 0;
  uint64_t revisions = 0;
  uint32_t flags = 0;
};
struct Chunk {
  std::vector<ViewRow> rows;
  std::string reached;  // all keys up to here are in
  bool last = false;    // nothing follows
};

class View {
 public:
  View(const Memtable& memtable, const Reader& reader) : memtable_(memtable), reader_(reader) {}

  // Nothing: no such object. kCorrupt: its checksum or form is wrong.
  Result<std::optional<Stored>> find(std::string_view key) const;
  Result<Chunk> chunk(const std::string& after, const std::string& end) const;
  Result<uint64_t> count(const std::string& after, const std::string& end) const;

 private:
  const Memtable& memtable_;
  const Reader& reader_;
};

}  // namespace coracle::store
