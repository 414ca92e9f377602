// SPDX-License-Identifier: GPL-2.0-or-later
// The agent's memory across restarts: one file with the last known objects, so that a device starts
// its Pods after a power cut with no server in reach (ARCHITECTURE D11).
//
//   coracle-memory 1 <crc32c of the rest, hex>\n
//   <apiVersion> <plural> <resourceVersion> <object in normal form>\n ...
#pragma once

#include <string>
#include <vector>

#include "api/client.h"
#include "port/disk.h"

namespace coracle::client {

// kNotFound if there is none; kCorrupt if it is damaged. Objects of unknown kinds are left out.
Result<std::vector<api::ObjectRef>> read_memory(port::Disk& disk, const std::string& path);

std::string memory_text(const api::State& state, const std::vector<const api::Kind*>& kinds);

}  // namespace coracle::client
