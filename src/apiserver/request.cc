// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/request.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::apiserver {

std::string_view verb_name(Verb verb) {
  constexpr std::string_view kNames[] = {"get",    "list",  "watch",  "create",
                                         "update", "patch", "delete", "deletecollection"};
  return kNames[static_cast<size_t>(verb)];
}

bool User::in(std::string_view group) const {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::string_view User::node() const {
  constexpr std::string_view kPrefix = "system:node:";
  const std::string_view text = name;
  if (!text.starts_with(kPrefix) || !in("system:nodes")) return {};
  return text.substr(kPrefix.size());
}

std::string qualified_resource(std::string_view group, std::string_view resource) {
  return group.empty() ? std::string(resource) : join({resource, ".", group});
}

Error not_found(std::string_view group_resource, std::string_view name) {
  return fail(Code::kNotFound, join({group_resource, " \"", name, "\" not found"}));
}

Error conflict(std::string_view group_resource, std::string_view name, std::string_view why) {
  return fail(Code::kConflict, join({"Operation cannot be fulfilled on ", group_resource, " \"",
                                     name, "\": ", why}));
}

}  // namespace coracle::apiserver
