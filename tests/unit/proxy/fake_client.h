// SPDX-License-Identifier: GPL-2.0-or-later
// A cluster of objects in memory that can be changed.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "api/client.h"
#include "base/assert.h"
#include "json/tree.h"

namespace coracle::proxy {

class FakeClient final : public api::Client, api::State {
 public:
  void put(const api::Kind& kind, std::string_view text) {
    json::Tree tree;
    const json::Node root = tree.parse(text).value();
    api::Change change;
    change.version = ++version_;
    change.after = api::seal(kind, root, version_).value();
    api::ObjectRef& place = objects_[key_of(kind, change.after->ns(), change.after->name())];
    change.type = place ? api::ChangeType::kModified : api::ChangeType::kAdded;
    change.before = place;
    place = change.after;
    tell(change);
  }
  void remove(const api::Kind& kind, std::string_view ns, std::string_view name) {
    const auto found = objects_.find(key_of(kind, ns, name));
    ASSERT(found != objects_.end());
    api::Change change{api::ChangeType::kDeleted, ++version_, found->second, found->second};
    objects_.erase(found);
    tell(change);
  }

  const api::State& state() const override { return *this; }
  void subscribe(api::Feed& feed) override { feeds_.push_back(&feed); }
  void unsubscribe(api::Feed& feed) override { std::erase(feeds_, &feed); }
  void submit(api::Call, api::Caller&, uint64_t) override { ASSERT(false); }
  void forget(api::Caller&) override {}

 private:
  using Key = std::tuple<const api::Kind*, std::string, std::string>;
  static Key key_of(const api::Kind& kind, std::string_view ns, std::string_view name) {
    return {&kind, std::string(ns), std::string(name)};
  }
  void tell(const api::Change& change) {
    for (api::Feed* feed : feeds_)
      feed->on_change(change);
  }
  api::ObjectRef get(const api::Kind& kind,
                     std::string_view ns,
                     std::string_view name) const override {
    const auto found = objects_.find(key_of(kind, ns, name));
    return found == objects_.end() ? api::ObjectRef() : found->second;
  }
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const override {
    for (const auto& [key, object] : objects_) {
      if (std::get<0>(key) != &kind || (!ns.empty() && std::get<1>(key) != ns)) continue;
      if (!visitor.visit(object)) return;
    }
  }
  void list_owned_by(std::string_view, api::Visitor&) const override {}
  uint64_t version() const override { return version_; }

  std::map<Key, api::ObjectRef> objects_;
  std::vector<api::Feed*> feeds_;
  uint64_t version_ = 0;
};

}  // namespace coracle::proxy
