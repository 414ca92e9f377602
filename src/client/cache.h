// SPDX-License-Identifier: GPL-2.0-or-later
// What an agent knows of the cluster: objects by kind and key, as State for the reactors. Versions
// only rise: an older text of an object never replaces a newer one.
#pragma once

#include <map>
#include <string>

#include "api/client.h"

namespace coracle::client {

class Cache final : public api::State {
 public:
  api::ObjectRef get(const api::Kind& kind,
                     std::string_view ns,
                     std::string_view name) const override;
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const override;
  void list_owned_by(std::string_view uid, api::Visitor& visitor) const override;
  uint64_t version() const override { return version_; }

  // The change that it makes; nullopt if the cache holds this version or a newer one.
  std::optional<api::Change> put(const api::ObjectRef& object);
  // Unless it is newer than `version`; 0: whatever it is.
  std::optional<api::Change> remove(const api::Key& key, uint64_t version);

 private:
  using Name = std::pair<std::string, std::string>;  // namespace, name
  using Objects = std::map<Name, api::ObjectRef>;
  const Objects* of(const api::Kind& kind) const;

  std::map<std::string, Objects> kinds_;  // by group and plural: an order that is always the same
  uint64_t version_ = 0;
};

}  // namespace coracle::client
