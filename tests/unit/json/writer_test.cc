// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/writer.h"

#include <gtest/gtest.h>

namespace coracle::json {
namespace {

TEST(Writer, PlacesCommas) {
  std::string out;
  Writer writer(out);
  writer.begin_object();
  writer.member("kind", "List");
  writer.member("n", 3);
  writer.member("big", int64_t{-9007199254740992});
  writer.member("yes", true);
  writer.key("items");
  writer.begin_array();
  writer.raw("{\"a\":1}");
  writer.begin_object();
  writer.end_object();
  writer.null();
  writer.begin_array();
  writer.end_array();
  writer.value("x");
  writer.end_array();
  writer.key("last");
  writer.begin_object();
  writer.member("k", std::string("v\n"));
  writer.end_object();
  writer.end_object();
  EXPECT_EQ(
      out,
      R"({"kind":"List","n":3,"big":-9007199254740992,"yes":true,"items":[{"a":1},{},null,[],"x"],)"
      R"("last":{"k":"v\n"}})");
}

}  // namespace
}  // namespace coracle::json
