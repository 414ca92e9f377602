// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "api/bodies.h"
#include "api/processing.h"
#include "base/bytes.h"
#include "tests/unit/api/oracle.h"

namespace coracle::api {
namespace {

// Upstream's golden pairs "group.version.Kind.pb" and ".json" (api/testdata/HEAD).
void expect_twin(std::string_view group,
                 std::string_view version,
                 std::string_view kind,
                 const Message& message) {
  const std::string name =
      join({"api-testdata/", group.empty() ? "core" : group, ".", version, ".", kind});
  const std::optional<std::string> body = read_oracle(name + ".pb");
  const std::optional<std::string> twin = read_oracle(name + ".json");
  ASSERT_TRUE(body && twin) << name;
  const auto envelope = open_protobuf(*body);
  ASSERT_TRUE(envelope) << name << ": " << envelope.error().message;
  EXPECT_EQ(envelope->kind, kind);
  json::Tree tree;
  const json::Node decoded = tree.make_object();
  decoded.set("kind", envelope->kind);
  decoded.set("apiVersion", envelope->api_version);
  const auto done = decode_protobuf(message, envelope->raw, decoded);
  ASSERT_TRUE(done) << name << ": " << done.error().message;
  json::Tree expected;
  ASSERT_TRUE(expected.parse(*twin));
  EXPECT_TRUE(json::equal(decoded, expected.root())) << name << "\n"
                                                     << json::write(decoded) << "\n"
                                                     << json::write(expected.root());
}

TEST(Protobuf, DecodesUpstreamsVectorsToTheirJson) {
  if (!read_oracle("api-testdata/core.v1.Pod.pb")) GTEST_SKIP() << "skipped: no oracle";
  for (const Kind* kind : all_kinds()) {
    if (kind == &kCustomResourceDefinition) continue;  // JSON only: upstream has no vector of it
    expect_twin(kind->group, kind->version, kind->name, *kind->message);
  }
  for (const Kind* kind : twin_kinds())
    expect_twin(kind->group, kind->version, kind->name, *kind->message);
  for (const Body& body : all_bodies())
    expect_twin(body.group, body.version, body.kind, *body.message);
  expect_twin("", "v1", "DeleteOptions", kDeleteOptions);
}

TEST(Protobuf, SurvivesEveryTruncationAndBitFlip) {
  const std::optional<std::string> body = read_oracle("api-testdata/core.v1.Pod.pb");
  if (!body) GTEST_SKIP() << "skipped: no oracle";
  const auto try_decode = [](const std::string& bad) {
    json::Tree tree;
    const auto envelope = open_protobuf(bad);
    if (!envelope) {
      EXPECT_EQ(envelope.error().code, Code::kBadRequest);
      return;
    }
    const auto done = decode_protobuf(*kPod.message, envelope->raw, tree.make_object());
    if (!done) {
      EXPECT_EQ(done.error().code, Code::kBadRequest);
      return;
    }
    // What is accepted must be text that the strict parser takes.
    json::Tree again;
    EXPECT_TRUE(again.parse(json::write(tree.root())));
  };
  for (size_t size = 0; size < body->size(); size += 61)
    try_decode(body->substr(0, size));
  for (size_t i = 0; i < body->size(); i += 29) {
    std::string bad = *body;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    try_decode(bad);
  }
}

constexpr Field kLeafFields[] = {text("name", 1), int32("zero", 2).or_zero(), int32("pointer", 3)};
constexpr Message kLeaf{"test.Leaf", kLeafFields};
constexpr Field kTreeFields[] = {
    text("name", 1).within(2),
    list_of("numbers", 3, Type::kInt32),
    map_of("labels", 4, Type::kString),
    object("leaf", 5, kLeaf),
    int64("big", 6),
    quantity("size", 7),
    int_or_string("port", 8),
    time("at", 9),
};
constexpr Message kTree{"test.Tree", kTreeFields};

std::string decoded(std::string_view raw) {
  json::Tree tree;
  const auto done = decode_protobuf(kTree, raw, tree.make_object());
  return done ? json::write(tree.root()) : done.error().message;
}

TEST(Protobuf, ReadsPackedAndUnpackedNumbers) {
  EXPECT_EQ(decoded(std::string_view("\x1a\x03\x01\x02\x03", 5)), R"({"numbers":[1,2,3]})");
  EXPECT_EQ(decoded(std::string_view("\x18\x01\x18\x02", 4)), R"({"numbers":[1,2]})");
  EXPECT_EQ(decoded(std::string_view("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)),
            R"({"numbers":[-1]})");
}

TEST(Protobuf, FlattensEmbeddedStructs) {
  EXPECT_EQ(decoded(std::string_view("\x12\x03\x0a\x01x", 5)), R"({"name":"x"})");
}

TEST(Protobuf, LeavesOutZerosThatGoHoldsByValue) {
  EXPECT_EQ(decoded(std::string_view("\x2a\x06\x0a\x00\x10\x00\x18\x00", 8)),
            R"({"leaf":{"pointer":0}})");
  EXPECT_EQ(decoded(std::string_view("\x4a\x00", 2)), "{}");
}

TEST(Protobuf, SkipsUnknownFields) {
  EXPECT_EQ(decoded(std::string_view("\xa2\x06\x01x\xa8\x06\x05", 7)), "{}");
}

TEST(Protobuf, KeepsTheLastOfEqualMapKeys) {
  EXPECT_EQ(decoded(std::string_view("\x22\x06\x0a\x01k\x12\x01v\x22\x06\x0a\x01k\x12\x01w", 16)),
            R"({"labels":{"k":"w"}})");
  EXPECT_EQ(decoded(std::string_view("\x22\x03\x0a\x01k", 5)), R"({"labels":{"k":""}})");
}

TEST(Protobuf, RefusesWhatJsonCannotSay) {
  const std::string prefix = "unable to decode protobuf body: ";
  EXPECT_EQ(decoded(std::string_view("\x30\xff\xff\xff\xff\xff\xff\xff\x7f", 9)),
            prefix + "integer is beyond 2^53");
  EXPECT_EQ(decoded(std::string_view("\x22\x06\x0a\x01k\x12\x01\xff", 8)),
            prefix + "string is not UTF-8 or has a NUL");
  EXPECT_EQ(decoded(std::string_view("\x22\x06\x0a\x01\0\x12\x01v", 8)),
            prefix + "map key is not UTF-8");
  EXPECT_EQ(decoded(std::string_view("\x22\x08\x0a\x01k\x12\x03\xed\xa0\x80", 10)),
            prefix + "string is not UTF-8 or has a NUL");
  EXPECT_EQ(decoded(std::string_view("\x2a\x05\x0a", 3)), prefix + "unexpected end or bad tag");
  EXPECT_EQ(decoded(std::string_view("\x0b", 1)), prefix + "unexpected end or bad tag");
  EXPECT_EQ(decoded(std::string_view("\x28\x01", 2)), prefix + "wrong wire type");
}

TEST(Protobuf, BoundsTheNumberOfValues) {
  std::string many;
  for (int i = 0; i < 300'000; i++)
    many += std::string_view("\x18\x01", 2);
  EXPECT_EQ(decoded(many), "unable to decode protobuf body: too many values");
}

TEST(Protobuf, RefusesBodiesWithoutTheMagic) {
  EXPECT_FALSE(open_protobuf(""));
  EXPECT_FALSE(open_protobuf("k8s"));
  EXPECT_FALSE(open_protobuf("{}"));
  EXPECT_TRUE(open_protobuf(std::string_view("k8s\0", 4)));
}

}  // namespace
}  // namespace coracle::api
