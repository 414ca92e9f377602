// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/paths.h"

#include "base/bytes.h"

namespace coracle::client {

std::string collection_path(const api::Kind& kind, std::string_view ns) {
  std::string path = kind.group.empty() ? "/api/" : join({"/apis/", kind.group, "/"});
  path += kind.version;
  if (!ns.empty()) path += join({"/namespaces/", ns});
  return path + join({"/", kind.plural});
}

std::string object_path(const api::Key& key, api::Subresource subresource) {
  std::string path = collection_path(*key.kind, key.ns);
  if (!key.name.empty()) path += join({"/", key.name});
  if (subresource != api::Subresource::kNone)
    path += join({"/", api::subresource_name(subresource)});
  return path;
}

}  // namespace coracle::client
