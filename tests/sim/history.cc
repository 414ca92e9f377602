// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/history.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::sim {
namespace {

History::Objects read_all(const store::Store& store, Findings& findings) {
  History::Objects objects;
  for (const api::Kind* kind : api::all_kinds()) {
    auto rows = store.rows(api::storage_prefix(*kind), "", 0);
    if (!rows) findings.add("list: " + rows.error().message);
    if (!rows) continue;
    for (store::Rows::Row row;;) {
      const auto more = (*rows)->next(row);
      if (!more) findings.add("list: " + more.error().message);
      if (!more || !*more) break;
      auto object = api::make_object(*kind, std::string(row.text), row.version);
      if (!object) findings.add(join({row.key, ": ", object.error().message}));
      if (object) objects[std::string(row.key)] = *object;
    }
  }
  return objects;
}

}  // namespace

void History::resume(const store::Store& store) {
  const uint64_t version = store.version();
  if (version < last_) {
    findings_.add(join(
        {"told of version ", std::to_string(last_), ", recovered only ", std::to_string(version)}));
  }
  auto position = store.position_after(last_);
  if (version > last_ && !position) {
    start_over(store);
  } else if (version > last_) {
    api::Change change;
    while (store.read(*position, change) == store::RingRead::kChange)
      on_change(change);
  }
  last_ = std::max(last_, version);  // a new leader's first entry changes nothing
  compare(store);
}

void History::start_over(const store::Store& store) {
  base_ = objects_ = read_all(store, findings_);
  changes_.clear();
  floor_ = last_ = store.version();
}

void History::compare(const store::Store& store) {
  const Objects stored = read_all(store, findings_);
  for (const auto& [key, object] : objects_) {
    const auto found = stored.find(key);
    if (found == stored.end()) {
      findings_.add(key + " is missing after a restart");
    } else if (found->second->version() != object->version() ||
               found->second->text() != object->text()) {
      findings_.add(key + " has changed over a restart");
    }
  }
  for (const auto& [key, object] : stored) {
    if (!objects_.contains(key)) findings_.add(key + " came back over a restart");
  }
}

void History::apply(Objects& objects, const api::Change& change) {
  if (change.type == api::ChangeType::kDeleted) {
    objects.erase(change.after->key());
  } else {
    objects[change.after->key()] = change.after;
  }
}

void History::on_change(const api::Change& change) {
  if (change.version <= last_) {
    findings_.add(
        join({"version ", std::to_string(change.version), " follows ", std::to_string(last_)}));
  }
  const bool there = objects_.contains(change.after->key());
  if (there == (change.type == api::ChangeType::kAdded))
    findings_.add(join({change.after->key(), ": a change of the wrong type"}));
  last_ = change.version;
  changes_.push_back(change);
  apply(objects_, change);
  trace(join({std::to_string(change.version), change.after->key(), change.after->text()}));
}

size_t History::index_after(uint64_t version) const {
  const auto found = std::partition_point(
      changes_.begin(), changes_.end(),
      [version](const api::Change& change) { return change.version <= version; });
  return static_cast<size_t>(found - changes_.begin());
}

const api::Change* History::next(const api::Kind& kind,
                                 std::string_view ns,
                                 uint64_t version) const {
  for (size_t i = index_after(version); i < changes_.size(); ++i) {
    const api::Object& object = *changes_[i].after;
    if (&object.kind() == &kind && (ns.empty() || object.ns() == ns)) return &changes_[i];
  }
  return nullptr;
}

const api::Change* History::at(uint64_t version) const {
  const size_t index = index_after(version - 1);
  if (index == changes_.size() || changes_[index].version != version) return nullptr;
  return &changes_[index];
}

History::Objects History::objects_at(uint64_t version) const {
  Objects objects = base_;
  for (const api::Change& change : changes_) {
    if (change.version > version) break;
    apply(objects, change);
  }
  return objects;
}

void History::trace(std::string_view what) {
  const auto mix = [this](uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3u; };
  for (uint64_t now = static_cast<uint64_t>(clock_.now().ns); now != 0; now >>= 8)
    mix(static_cast<uint8_t>(now));
  for (const char c : what)
    mix(static_cast<uint8_t>(c));
}

}  // namespace coracle::sim
