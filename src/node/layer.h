// SPDX-License-Identifier: GPL-2.0-or-later
// Writes one image layer into a directory, in the form overlayfs wants for a lower layer: ".wh.x"
// becomes a 0/0 character device, ".wh..wh..opq" the attribute trusted.overlay.opaque. The content
// is untrusted: everything goes through a Tree, names with ".." are refused, device nodes are left
// out (containers get a /dev of their own).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/source.h"
#include "port/disk.h"

namespace coracle::node {

struct LayerBounds {
  uint64_t entries_max = 200'000;
};

// Every file is synced. Returns the directories it wrote to, "" for the top, for the caller to sync
// before it puts the whole in place.
Result<std::vector<std::string>> unpack_layer(ByteSource& from,
                                              port::Tree& into,
                                              LayerBounds bounds = {});

}  // namespace coracle::node
