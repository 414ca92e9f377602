// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/frame.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "peer/bounds.h"
#include "peer/hello.h"

namespace coracle::peer {
namespace {

TEST(Frame, ComesOutAsItWentInHoweverItIsCut) {
  std::string bytes;
  put_frame(bytes, FrameType::kMessage, "first");
  put_frame(bytes, FrameType::kPing, "");
  put_frame(bytes, FrameType::kPart, std::string(kPartBytes, 'x'));
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{1000}, bytes.size()}) {
    FrameReader reader;
    reader.trust();
    std::string got;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      reader.feed(std::string_view(bytes).substr(at, piece));
      for (auto frame = reader.next(); frame->has_value(); frame = reader.next())
        put_frame(got, (*frame)->type, (*frame)->payload);
    }
    EXPECT_EQ(got, bytes) << piece;
    EXPECT_EQ(reader.buffered(), 0u);
  }
}

TEST(Frame, OfImpossibleSizeIsRefusedBeforeItComes) {
  for (const auto& [type, size] :
       {std::pair{FrameType::kHello, 513u}, std::pair{FrameType::kHello, 5u},
        std::pair{FrameType::kRefusal, 1025u}}) {
    FrameReader reader;
    std::string header;
    put_u32(header, size);
    header.push_back(static_cast<char>(type));
    reader.feed(header);
    EXPECT_FALSE(reader.next()) << size;
  }
}

TEST(Hello, ComesOutAsItWentIn) {
  Hello hello;
  hello.cluster = 7;
  hello.from = 1;
  hello.to = 2;
  hello.instance = 3;
  hello.port = 6444;
  hello.build = "0.1.0";
  const auto read = decode_hello(encode(hello));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read), encode(hello));
  Hello own;
  own.cluster = 7;
  own.from = 2;
  EXPECT_EQ(objection(*read, {7, 1}, own), "");
  EXPECT_FALSE(decode_hello(encode(hello) + std::string(100, 'x')));
  EXPECT_FALSE(decode_hello(encode(hello) + "\n"));
  EXPECT_FALSE(decode_hello(encode(hello).substr(0, 20)));
  EXPECT_FALSE(decode_hello("SSH-2.0"));
}

}  // namespace
}  // namespace coracle::peer
