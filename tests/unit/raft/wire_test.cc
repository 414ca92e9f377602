// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/wire.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace coracle::raft {
namespace {

Message full() {
  Message message{.type = MessageType::kAppend, .to = 2, .from = 1, .term = 7};
  message.log_term = 6;
  message.index = 1'000'000;
  message.commit = 999'999;
  message.reject_hint = UINT64_MAX;
  message.read_number = 128;
  message.request = 127;
  message.entries.push_back({6, 1'000'001, EntryType::kNormal, Payload("first")});
  message.entries.push_back({7, 1'000'002, EntryType::kConfChangeV2, Payload()});
  message.entries.push_back({7, 1'000'003, EntryType::kConfChange, Payload(std::string(300, 'x'))});
  return message;
}

Message snapshot() {
  Message message{.type = MessageType::kSnapshot, .to = 3, .from = 1, .term = 9};
  message.snapshot.index = 500;
  message.snapshot.term = 8;
  message.snapshot.conf_state = {{1, 2, 3}, {1, 2}, {UINT64_MAX - 2}, {3}, true};
  message.snapshot.data = Payload("data");
  return message;
}

TEST(Wire, WhatWasEncodedDecodesToTheSame) {
  const std::string bytes = encode(full());
  ASSERT_LE(bytes.size(), wire_size_max(full()));
  const auto message = decode_message(bytes);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(encode(*message), bytes);
  EXPECT_EQ(message->type, MessageType::kAppend);
  EXPECT_EQ(message->index, 1'000'000u);
  EXPECT_EQ(message->reject_hint, UINT64_MAX);
  EXPECT_EQ(message->read_number, 128u);
  EXPECT_FALSE(message->reject);
  ASSERT_EQ(message->entries.size(), 3u);
  EXPECT_EQ(message->entries[0].data.view(), "first");
  EXPECT_EQ(message->entries[1].type, EntryType::kConfChangeV2);
  EXPECT_EQ(message->entries[2].data.size(), 300u);
  EXPECT_TRUE(message->snapshot.empty());
}

TEST(Wire, SnapshotsCarryTheirConfiguration) {
  const std::string bytes = encode(snapshot());
  ASSERT_LE(bytes.size(), wire_size_max(snapshot()));
  const auto message = decode_message(bytes);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->snapshot.index, 500u);
  EXPECT_EQ(message->snapshot.conf_state, snapshot().snapshot.conf_state);
  EXPECT_EQ(message->snapshot.data.view(), "data");
  EXPECT_EQ(encode(*message), bytes);
}

// A heartbeat goes out several times a second to every member.
TEST(Wire, SmallMessagesAreSmall) {
  Message beat{.type = MessageType::kHeartbeat, .to = 2, .from = 1, .term = 3};
  beat.commit = 100'000;
  EXPECT_LE(encode(beat).size(), 16u);
  for (const bool reject : {false, true}) {
    beat.type = MessageType::kHeartbeatReply;
    beat.reject = reject;
    beat.transfer = !reject;
    const auto message = decode_message(encode(beat));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->reject, reject);
    EXPECT_EQ(message->transfer, !reject);
  }
}

TEST(Wire, EveryTypeThatMayTravelDoesAndNoOther) {
  for (int type = 0; type < 256; type++) {
    std::string bytes = encode({.type = MessageType::kVote, .to = 2, .from = 1, .term = 1});
    bytes[1] = static_cast<char>(type);
    const bool known = type <= static_cast<int>(MessageType::kForgetLeader);
    const bool may = known && !is_local(static_cast<MessageType>(type));
    EXPECT_EQ(decode_message(bytes).has_value(), may) << type;
  }
}

TEST(Wire, NothingCutShortOrFollowedByMoreIsAccepted) {
  for (const Message& message : {full(), snapshot()}) {
    const std::string bytes = encode(message);
    for (size_t size = 0; size < bytes.size(); size++)
      EXPECT_FALSE(decode_message(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_FALSE(decode_message(bytes + '\0'));
  }
}

// Whatever single byte is spoiled: refused, or another message that has just these bytes.
TEST(Wire, SpoiledBytesAreRefusedOrMeanThemselves) {
  for (const Message& message : {full(), snapshot()}) {
    const std::string sound = encode(message);
    for (size_t at = 0; at < sound.size(); at++) {
      for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
        std::string bytes = sound;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        const auto decoded = decode_message(bytes);
        EXPECT_EQ(decoded ? encode(*decoded) : bytes, bytes);
      }
    }
  }
}

TEST(Wire, CountsAndSizesAreCheckedAgainstWhatIsThere) {
  const std::string head("\x01\x03\x00\x02\x01\x01\x01\x01\x01\x00\x00\x00\x00", 13);
  ASSERT_TRUE(decode_message(head + '\0'));
  const std::string huge("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
  EXPECT_FALSE(decode_message(head + huge)) << "2^64-1 entries";
  EXPECT_FALSE(decode_message(head + "\xff\xff\x03" + std::string(65'535, '\0')));
  EXPECT_FALSE(decode_message(head + std::string("\x01\x01\x01\x00", 4) + huge))
      << "an entry of 2^64-1 bytes";
  EXPECT_FALSE(decode_message(head + std::string("\x01\x01\x01\x03\x00", 5))) << "entry type";
  ASSERT_TRUE(decode_message(head + std::string("\x01\x01\x01\x02\x00", 5)));
}

TEST(Wire, LongFormsOfNumbersAreRefused) {
  std::string bytes = encode({.type = MessageType::kVote, .to = 2, .from = 1, .term = 1});
  ASSERT_EQ(bytes[3], 2);
  EXPECT_FALSE(decode_message(bytes.substr(0, 3) + std::string("\x82\x00", 2) + bytes.substr(4)));
  EXPECT_FALSE(decode_message(bytes.substr(0, 3) + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02" +
                              bytes.substr(4)))
      << "more than 64 bits";
}

TEST(Wire, ListsOfMembersAreBounded) {
  Message message = snapshot();
  message.snapshot.conf_state.learners.assign(kWireMembersMax, 9);
  EXPECT_TRUE(decode_message(encode(message)));
  message.snapshot.conf_state.learners.push_back(9);
  EXPECT_FALSE(decode_message(encode(message)));
}

}  // namespace
}  // namespace coracle::raft
