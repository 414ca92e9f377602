// SPDX-License-Identifier: GPL-2.0-or-later
// Every bound of the peer protocol and what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace coracle::peer {

inline constexpr size_t kPartBytes = 32 * 1024;       // long messages travel in parts of this
inline constexpr size_t kFrameBytesMax = 128 * 1024;  // whatever its type: see frame.cc
inline constexpr size_t kMessageBytesMax = 4 * 1024 * 1024;  // dropped; from a peer: it is cut
inline constexpr size_t kQueueBytesMax = 8 * 1024 * 1024;    // to one member; dropped, unreachable
inline constexpr size_t kQueueMessagesMax = 4096;            // the same
inline constexpr size_t kWindowBytes = 256 * 1024;  // parts and chunks on their way: sender waits
inline constexpr size_t kFeedBytes = 64 * 1024;     // handed to the socket at a time
inline constexpr size_t kUnsentBytesMax = 1024 * 1024;  // not even taken by the kernel: it is cut
inline constexpr size_t kGreetersMax = 16;              // connections not open yet: the oldest goes
inline constexpr size_t kLinksMax = 64;                 // open or opening: more are not accepted
inline constexpr size_t kRemovedMax = 64;  // ids remembered as removed: the oldest goes

inline constexpr size_t kFencedMax = 64;         // copies remembered: the oldest goes
inline constexpr size_t kKindsOfTroubleMax = 8;  // told in kSayAgain: more are only counted

inline constexpr Duration kGreetingTime = seconds(5);  // from connect to open, else cut
inline constexpr Duration kSilenceIdle = seconds(30);  // nothing heard: ping
inline constexpr Duration kSilenceAsked = seconds(3);  // nothing heard since we spoke: ping
inline constexpr Duration kPongTime = seconds(3);      // no answer to the ping: cut
inline constexpr Duration kContestTime = seconds(2);   // two instances of a member: who answers?
inline constexpr Duration kFarewellTime = seconds(2);  // for the last words to be read
inline constexpr Duration kPatience =
    milliseconds(100);  // the higher id waits for the lower's call
inline constexpr Duration kRetryFirst = milliseconds(50);
inline constexpr Duration kRetryMost = seconds(5);
inline constexpr Duration kRefusedFirst = seconds(2);  // the same, after being refused
inline constexpr Duration kRefusedMost = seconds(30);
inline constexpr Duration kHintPatience = seconds(1);  // a call so old gives way to a hint
inline constexpr Duration kSteady = seconds(10);       // open so long: the next failure is a first
inline constexpr Duration kSayAgain = seconds(60);     // one line of a kind of trouble in so long

}  // namespace coracle::peer
