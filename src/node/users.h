// SPDX-License-Identifier: GPL-2.0-or-later
// Who a container runs as: the pod's securityContext over the image's USER, names looked up in the
// image's /etc/passwd and /etc/group without mounting it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/tree.h"
#include "node/images.h"
#include "port/disk.h"

namespace coracle::node {

struct ProcessUser {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;  // sorted, without gid
  std::string home = "/";
};

struct AccountFiles {
  std::string passwd;
  std::string group;
};

// From the uppermost layer that has them.
AccountFiles read_accounts(port::Disk& disk, const Images& images, const Image& image);

// The error is the message of CreateContainerConfigError.
Result<ProcessUser> process_user(json::Node pod,
                                 json::Node container,
                                 const Image& image,
                                 const AccountFiles& accounts);

std::optional<uint32_t> fs_group(json::Node pod);

}  // namespace coracle::node
