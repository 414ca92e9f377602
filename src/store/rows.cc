// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rows.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"

namespace coracle::store {
namespace {

Error expired() {
  return fail(Code::kExpired,
              "the history of changes no longer reaches back to this list's version");
}

}  // namespace

RowsAt::RowsAt(const View& view, const Ring& ring, From from)
    : view_(view),
      ring_(ring),
      end_(prefix_end(from.prefix)),
      cursor_(std::move(from.after)),
      version_(from.version),
      ring_next_(ring.sequence_after(from.version)) {}

Result<bool> RowsAt::next(Row& row) {
  while (in_chunk_ == chunk_.rows.size()) {
    if (chunk_.last) return false;
    TRY(read_chunk());
  }
  const ViewRow& found = chunk_.rows[in_chunk_++];
  if (!found.intact) {
    return fail(Code::kCorrupt,
                join({"stored object ", found.key, " is damaged: its checksum does not match"}));
  }
  row.key = found.key;
  row.text = found.object ? found.object->text() : std::string_view(found.text);
  row.version = found.version;
  return true;
}

Result<> RowsAt::catch_up() {
  if (ring_next_ < ring_.begin()) return expired();
  for (; ring_next_ < ring_.end(); ++ring_next_) {
    const api::Change& change = ring_.at(ring_next_);
    std::string key = change.after->key();
    if (key <= cursor_ || key >= end_) continue;
    const bool is_new = before_.emplace(std::move(key), change.before).second;
    if (is_new && change.before) before_bytes_ += change.before->bytes();
  }
  return before_bytes_ > limits::kRingBytesMax ? Result<>(expired()) : Result<>();
}

Result<> RowsAt::read_chunk() {
  TRY(catch_up());
  chunk_ = TRY(view_.chunk(cursor_, end_));
  in_chunk_ = 0;
  cursor_ = chunk_.reached;
  if (!before_.empty()) correct(chunk_);
  return {};
}

void RowsAt::correct(Chunk& chunk) {
  std::vector<ViewRow> rows;
  rows.reserve(chunk.rows.size());
  auto next = chunk.rows.begin();
  while (!before_.empty() && before_.begin()->first <= chunk.reached) {
    auto& [key, object] = *before_.begin();
    while (next != chunk.rows.end() && next->key < key)
      rows.push_back(std::move(*next++));
    if (next != chunk.rows.end() && next->key == key) ++next;
    if (object) {
      before_bytes_ -= object->bytes();
      rows.push_back({key, object, {}, object->version(), true, 0, 0, 0});
    }
    before_.erase(before_.begin());
  }
  std::move(next, chunk.rows.end(), std::back_inserter(rows));
  chunk.rows = std::move(rows);
}

}  // namespace coracle::store
