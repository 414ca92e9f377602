// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon and the shim say to each other (README.md). A record is a 32-bit little-endian
// count of bytes and then fields, each ended by a NUL; the first field is the verb.
#pragma once

namespace coracle::shim {

constexpr unsigned kRecordBytesMax = 64 * 1024;
constexpr unsigned kContainersMax = 64;
constexpr unsigned kIdBytesMax = 80;
constexpr unsigned kMessageBytesMax = 1024;
constexpr int kListenFd = 3;  // inherited from the daemon

// Values of the phase field; the same order as port::ContainerPhase.
enum class Phase : unsigned char { kStarting, kRunning, kExited, kFailedToStart };

}  // namespace coracle::shim
