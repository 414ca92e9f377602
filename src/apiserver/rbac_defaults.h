// SPDX-License-Identifier: GPL-2.0-or-later
// The ClusterRoles and ClusterRoleBindings that every cluster starts with, as upstream has them
// (plugin/pkg/auth/authorizer/rbac/bootstrappolicy). Left out: roles for upstream's controllers,
// which are no service accounts here, and those of parts that are not served.
#pragma once

#include <string>
#include <vector>

#include "api/kind.h"

namespace coracle::apiserver {

struct DefaultObject {
  const api::Kind* kind;
  std::string name;
  std::string body;
};
std::vector<DefaultObject> rbac_defaults();

}  // namespace coracle::apiserver
