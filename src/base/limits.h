// SPDX-License-Identifier: GPL-2.0-or-later
// Every bound in Coracle and what happens when it is reached. Nothing in src/ is unbounded.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace coracle::limits {

// --- HTTP (reached: 413, 431, 414, connection closed, 429)
inline constexpr size_t kBodyBytesMax = 3 * 1024 * 1024;  // 413 RequestEntityTooLarge
inline constexpr size_t kHeaderBytesMax = 32 * 1024;      // 431
inline constexpr size_t kRequestLineBytesMax = 8 * 1024;  // 414
inline constexpr size_t kConnectionsMax = 512;            // refused before TLS
inline constexpr size_t kConnectionsPerAddressMax = 128;  // refused before TLS
inline constexpr size_t kStrangersMax = 64;               // nobody known yet: the oldest is dropped
inline constexpr size_t kHandshakesMax = 8;               // concurrent; others wait
inline constexpr size_t kStreamsPerConnectionMax = 100;   // HTTP/2 REFUSED_STREAM
inline constexpr Duration kHeaderReadTimeout = seconds(10);  // closed
inline constexpr Duration kIdleTimeout = seconds(90);        // closed
inline constexpr Duration kRequestTimeout = seconds(60);     // 504 Timeout
inline constexpr size_t kReadsInFlightMax = 64;              // 429 + Retry-After
inline constexpr size_t kWritesInFlightMax = 32 + 64;        // 429 + Retry-After
inline constexpr size_t kSendBufferBytesMax = 64 * 1024;     // producer is paused until drained

// --- JSON and YAML (reached: 400 BadRequest)
inline constexpr size_t kJsonDepthMax = 64;
inline constexpr size_t kJsonKeysMax = 10'000;    // per object
inline constexpr size_t kJsonNodesMax = 262'144;  // per document
inline constexpr size_t kJsonBytesMax =
    16 * 1024 * 1024;  // a reader of its own lists; bodies: kBodyBytesMax
inline constexpr size_t kPatchOperationsMax = 10'000;  // 413

// --- Objects (reached: 422 Invalid, 413)
inline constexpr size_t kObjectBytesMax = 1536 * 1024;
inline constexpr size_t kAnnotationsBytesMax = 256 * 1024;
inline constexpr size_t kConfigMapBytesMax = 1024 * 1024;

// --- Store (reached: 503 + Retry-After; 410 Expired)
inline constexpr size_t kRingBytesMax = 2 * 1024 * 1024;  // watch history; older: 410 Expired
inline constexpr size_t kRingChangesMax = 16'384;
inline constexpr Duration kRingAgeMin = minutes(5);
inline constexpr size_t kMemtableRowsMax = 256;  // then written to SQLite
inline constexpr size_t kMemtableBytesMax = 1024 * 1024;
inline constexpr Duration kMemtableAgeMax = seconds(60);
inline constexpr size_t kSegmentBytes = 2 * 1024 * 1024;
inline constexpr size_t kSegments = 4;
inline constexpr size_t kDatabaseBytesMax = 64 * 1024 * 1024;  // 503, deletes still served
inline constexpr size_t kProposalsMax = 1024;                  // waiting for commit: 429
inline constexpr Duration kLazyWriteDelayMax = seconds(1);     // lazy class shares one fdatasync

// --- Watches and lists
inline constexpr size_t kWatchersMax = 2048;  // 429
inline constexpr size_t kListChunkBytes = 64 * 1024;
inline constexpr Duration kBookmarkInterval = minutes(1);

// --- Node
inline constexpr int64_t kPodsPerNodeMax = 64;
inline constexpr size_t kLogBytesMax = 10 * 1024 * 1024;  // rotated
inline constexpr size_t kLogFilesMax = 3;
// Versions of custom resources that one process has ever met; further ones are refused.
inline constexpr size_t kCustomKindsMax = 1024;
inline constexpr size_t kPidsPerPodMax = 1024;

}  // namespace coracle::limits
