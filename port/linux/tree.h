// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "port/disk.h"

namespace coracle::port_linux {

Result<std::unique_ptr<port::Tree>> open_tree_at(const std::string& path);

}  // namespace coracle::port_linux
