// SPDX-License-Identifier: GPL-2.0-or-later
// After a snapshot: two states side by side, in key order, and what became of each key.
#include <utility>

#include "base/log.h"
#include "store/state_machine.h"

namespace coracle::store {
namespace {

constexpr const char* kFirst = "/";
constexpr const char* kEnd = "0";  // behind all keys that start with kFirst

// The rows of a view one after another.
class Walk {
 public:
  explicit Walk(const View& view) : view_(view) {}
  // Null at the end, or when it cannot be read any further.
  const ViewRow* row() {
    while (at_ == chunk_.rows.size() && !chunk_.last) {
      Result<Chunk> next = view_.chunk(after_, kEnd);
      if (!next) {
        LOG(kError, "store: old state not readable", kv("error", next.error().message));
        chunk_ = {};
        chunk_.last = true;
      } else {
        chunk_ = std::move(*next);
      }
      after_ = chunk_.reached;
      at_ = 0;
    }
    return at_ == chunk_.rows.size() ? nullptr : &chunk_.rows[at_];
  }
  void next() { at_++; }

 private:
  const View& view_;
  std::string after_ = kFirst;
  Chunk chunk_;
  size_t at_ = 0;
};

Result<api::ObjectRef> object_in(const api::Kind& kind, const ViewRow& row, uint64_t version) {
  if (row.object && row.object->version() == version) return row.object;
  const std::string_view text = row.object ? row.object->text() : std::string_view(row.text);
  return api::make_object(kind, std::string(text), version);
}

}  // namespace

Result<> StateMachine::tell(const ViewRow* was, const ViewRow* is) {
  const api::StoredName name = api::parse_storage_key(is != nullptr ? is->key : was->key);
  if (name.kind == nullptr) return {};
  if ((was != nullptr && !was->intact) || (is != nullptr && !is->intact)) return {};
  api::Change change;
  change.version = applied_;
  if (was != nullptr) change.before = TRY(object_in(*name.kind, *was, was->version));
  change.type = was == nullptr  ? api::ChangeType::kAdded
                : is == nullptr ? api::ChangeType::kDeleted
                                : api::ChangeType::kModified;
  change.after = is != nullptr ? TRY(object_in(*name.kind, *is, is->version))
                               : TRY(object_in(*name.kind, *was, applied_));
  fresh_.push_back(std::move(change));
  deliver_changes();
  return {};
}

void StateMachine::tell_differences(const View& old) {
  if (feeds_.empty()) return;
  Walk before(old);
  Walk after(view_);
  for (;;) {
    const ViewRow* was = before.row();
    const ViewRow* is = after.row();
    if (was == nullptr && is == nullptr) return;
    const bool gone = is == nullptr || (was != nullptr && was->key < is->key);
    const bool fresh = was == nullptr || (is != nullptr && is->key < was->key);
    const bool same = !gone && !fresh && was->version == is->version;
    if (!same) {
      const Result<> told = tell(fresh ? nullptr : was, gone ? nullptr : is);
      if (!told) LOG(kError, "store: change not told", kv("error", told.error().message));
    }
    if (!fresh) before.next();
    if (!gone) after.next();
  }
}

}  // namespace coracle::store
