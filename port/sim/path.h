// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the node that a path names. `beneath` keeps the walk below its start, as openat2's
// RESOLVE_BENEATH does: ".." above it and absolute symlinks are refused.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "port/sim/platter.h"

namespace coracle::port_sim {

struct Place {
  Node* directory = nullptr;  // null when the path names the start itself
  std::string name;
  Node* node = nullptr;  // null: there is no such entry
};

enum class LastSymlink : uint8_t { kFollow, kStay };
enum class Reach : uint8_t { kAnywhere, kBeneath };

Result<Place> find_place(Node& start, std::string_view path, LastSymlink last, Reach reach);

}  // namespace coracle::port_sim
