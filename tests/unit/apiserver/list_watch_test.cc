// SPDX-License-Identifier: GPL-2.0-or-later
// Lists in pages and chunks; watches from every kind of start; both under a client that does not
// read.
#include <gtest/gtest.h>

#include "apiserver/list.h"
#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

struct Event {
  std::string type;
  std::string name;
  std::string version;
  std::string text;
};

std::vector<Event> events_of(const Answer& answer) {
  std::vector<Event> events;
  for (const std::string_view line : split(answer.body, '\n')) {
    if (line.empty()) continue;
    json::Tree tree;
    auto parsed = tree.parse(line);
    EXPECT_TRUE(parsed.has_value()) << line;
    if (!parsed) continue;
    const json::Node metadata = (*parsed)["object"]["metadata"];
    events.push_back({std::string((*parsed)["type"].string()),
                      std::string(metadata["name"].string()),
                      std::string(metadata["resourceVersion"].string()), std::string(line)});
  }
  return events;
}

std::string types_of(const Answer& answer) {
  std::string text;
  for (const Event& event : events_of(answer))
    text += join({event.type, " ", event.name, ";"});
  return text;
}

void fill(Bench& bench, int count, std::string_view value = "1") {
  for (int at = 0; at < count; ++at) {
    const std::string name = join({"m", at < 10 ? "0" : "", std::to_string(at)});
    bench.create(kMaps, config_map(name, value, at % 2 == 0 ? R"({"odd":"no"})" : "{}"));
  }
}

TEST(List, PagesAreCutAtOneVersion) {
  Bench bench;
  fill(bench, 5);
  auto first = bench.get(join({kMaps, "?limit=2"}));
  EXPECT_EQ(first->json()["items"].size(), 2u);
  EXPECT_EQ(first->json()["metadata"]["remainingItemCount"].integer(), 3);
  const std::string token(first->json()["metadata"]["continue"].string());
  const std::string version(first->json()["metadata"]["resourceVersion"].string());
  bench.create(kMaps, config_map("m02x"));
  auto second = bench.get(join({kMaps, "?limit=2&continue=", token}));
  EXPECT_EQ(second->json()["metadata"]["resourceVersion"].string(), version);
  EXPECT_EQ(second->json()["items"].at(0)["metadata"]["name"].string(), "m02");
  EXPECT_EQ(second->json()["items"].at(1)["metadata"]["name"].string(), "m03");
  auto bad = bench.get(join({kMaps, "?limit=2&continue=nonsense"}));
  EXPECT_EQ(bad->status, 400);
}

TEST(List, TheContinueTokenSurvivesItsCoding) {
  const ContinueToken token{42, "default/web"};
  auto decoded = decode_continue(encode_continue(token));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->version, 42);
  EXPECT_EQ(decoded->after, "default/web");
  for (const char* bad : {"", "e30", "bnVsbA", "!!", "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ"}) {
    EXPECT_FALSE(decode_continue(bad).has_value()) << bad;
  }
}

TEST(List, SelectorsChooseAndABadOneIsRefused) {
  Bench bench;
  fill(bench, 4);
  EXPECT_EQ(bench.get(join({kMaps, "?labelSelector=odd"}))->json()["items"].size(), 2u);
  EXPECT_EQ(bench.get(join({kMaps, "?fieldSelector=metadata.name%3Dm01"}))->json()["items"].size(),
            1u);
  EXPECT_EQ(
      bench.get("/api/v1/configmaps?fieldSelector=metadata.name%3Dm01")->json()["items"].size(),
      1u);
  EXPECT_EQ(bench.get(join({kMaps, "?labelSelector=a%3D%3D%3D"}))->status, 400);
  EXPECT_EQ(bench.get(join({kMaps, "?fieldSelector=data.v%3D1"}))->status, 400);
}

TEST(List, OptionRulesAreUpstreams) {
  Bench bench;
  auto match = bench.get(join({kMaps, "?resourceVersionMatch=Exact"}));
  EXPECT_EQ(match->status, 422);
  EXPECT_NE(match->message().find("resourceVersionMatch is forbidden unless resourceVersion"),
            std::string_view::npos);
  EXPECT_EQ(bench.get(join({kMaps, "?sendInitialEvents=true"}))->status, 422);
  EXPECT_EQ(bench.get(join({kMaps, "?resourceVersion=-1"}))->status, 400);
  auto future = bench.get(join({kMaps, "?resourceVersion=999999"}));
  EXPECT_EQ(future->status, 504);
  EXPECT_EQ(future->json()["details"]["causes"].at(0)["reason"].string(),
            "ResourceVersionTooLarge");
  EXPECT_EQ(future->header("retry-after"), "1");
}

TEST(List, ALongOneIsSentInChunksAsTheClientReads) {
  Bench bench;
  fill(bench, 40, std::string(10'000, 'x'));
  auto answer = std::make_unique<Answer>();
  answer->stuck = true;
  bench.begin({.path = kMaps}, *answer);
  int rounds = 0;
  for (; !answer->finished && rounds < 100; ++rounds) {
    bench.settle();
    bench.drain(*answer);
  }
  EXPECT_GT(rounds, 3);
  EXPECT_LT(answer->most_unsent, 2 * limits::kListChunkBytes + 20'000);
  EXPECT_EQ(answer->json()["items"].size(), 40u);
}

TEST(List, TablesAndMetadataByAccept) {
  Bench bench;
  fill(bench, 2);
  auto table = bench.call(
      {.path = kMaps, .accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"});
  EXPECT_EQ(table->json()["kind"].string(), "Table");
  EXPECT_EQ(table->json()["columnDefinitions"].at(0)["name"].string(), "Name");
  EXPECT_EQ(table->json()["rows"].at(1)["cells"].at(0).string(), "m01");
  EXPECT_EQ(table->json()["rows"].at(1)["object"]["kind"].string(), "PartialObjectMetadata");
  auto partial =
      bench.call({.path = kMaps,
                  .accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"});
  EXPECT_EQ(partial->json()["kind"].string(), "PartialObjectMetadataList");
  EXPECT_FALSE(partial->json()["items"].at(0)["data"]);
  EXPECT_FALSE(partial->json()["items"].at(0)["metadata"]["resourceVersion"].string().empty());
  auto refused = bench.call({.path = kMaps, .accept = "application/vnd.kubernetes.protobuf"});
  EXPECT_EQ(refused->status, 406);
  EXPECT_EQ(refused->reason(), "NotAcceptable");
}

TEST(Watch, FromNowhereStartsWithWhatIsThere) {
  Bench bench;
  fill(bench, 2);
  auto watch = bench.begin({.path = join({kMaps, "?watch=true"})});
  EXPECT_EQ(watch->status, 200);
  bench.merge(join({kMaps, "/m00"}), R"({"data":{"v":"2"}})");
  bench.remove(join({kMaps, "/m01"}));
  EXPECT_EQ(types_of(*watch), "ADDED m00;ADDED m01;MODIFIED m00;DELETED m01;");
  bench.server->on_gone(*watch);
  EXPECT_EQ(bench.server->figures().watches, 0u);
}

TEST(Watch, FromAVersionTellsWhatCameAfter) {
  Bench bench;
  auto made = bench.create(kMaps, config_map("a"));
  const std::string version(made->json()["metadata"]["resourceVersion"].string());
  bench.create(kMaps, config_map("b"));
  bench.create("/api/v1/namespaces/kube-system/configmaps", config_map("elsewhere"));
  auto watch = bench.begin({.path = join({kMaps, "?watch=1&resourceVersion=", version})});
  EXPECT_EQ(types_of(*watch), "ADDED b;");
  bench.create(kMaps, config_map("c"));
  EXPECT_EQ(types_of(*watch), "ADDED b;ADDED c;");
  auto deleted = bench.remove(join({kMaps, "/a"}));
  const std::vector<Event> events = events_of(*watch);
  EXPECT_EQ(events.back().type, "DELETED");
  EXPECT_GT(parse_unsigned(events.back().version).value_or(0), parse_unsigned(version).value_or(0));
  bench.server->on_gone(*watch);
}

TEST(Watch, InitialEventsEndWithABookmark) {
  Bench bench;
  fill(bench, 1);
  auto watch =
      bench.begin({.path = join({kMaps,
                                 "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
                                 "&resourceVersionMatch=NotOlderThan"})});
  const std::vector<Event> events = events_of(*watch);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].type, "ADDED");
  EXPECT_EQ(events[1].type, "BOOKMARK");
  EXPECT_NE(events[1].text.find(R"("k8s.io/initial-events-end":"true")"), std::string::npos);
  bench.world.run_for(minutes(3));
  EXPECT_GE(events_of(*watch).size(), 4u);  // one more about every minute
  EXPECT_EQ(events_of(*watch).back().type, "BOOKMARK");
  bench.server->on_gone(*watch);
}

TEST(Watch, LeavingASelectionIsADeletionAndEnteringAnAddition) {
  Bench bench;
  bench.create(kMaps, config_map("a"));
  auto watch = bench.begin({.path = join({kMaps, "?watch=true&labelSelector=on%3Dyes"})});
  bench.merge(join({kMaps, "/a"}), R"({"metadata":{"labels":{"on":"yes"}}})");
  bench.merge(join({kMaps, "/a"}), R"({"data":{"v":"2"}})");
  bench.merge(join({kMaps, "/a"}), R"({"metadata":{"labels":{"on":"no"}}})");
  bench.remove(join({kMaps, "/a"}));
  EXPECT_EQ(types_of(*watch), "ADDED a;MODIFIED a;DELETED a;");
  bench.server->on_gone(*watch);
}

TEST(Watch, TooOldIsAnErrorEventBehind200) {
  Bench bench;
  for (int at = 0; at < 40; ++at) {  // more than the ring holds
    bench.create(kMaps, config_map("big" + std::to_string(at), std::string(60'000, 'x')));
  }
  auto watch = bench.begin({.path = join({kMaps, "?watch=true&resourceVersion=1"})});
  EXPECT_EQ(watch->status, 200);
  EXPECT_TRUE(watch->finished);
  EXPECT_EQ(events_of(*watch).at(0).type, "ERROR");
  EXPECT_NE(watch->body.find("\"code\":410"), std::string::npos);
  EXPECT_NE(watch->body.find("too old resource version: 1 ("), std::string::npos);
}

TEST(Watch, OneThatDoesNotReadIsHeldAndCatchesUp) {
  Bench bench;
  auto watch = std::make_unique<Answer>();
  watch->stuck = true;
  bench.begin({.path = join({kMaps, "?watch=true"})}, *watch);
  for (int at = 0; at < 10; ++at) {
    bench.create(kMaps, config_map("n" + std::to_string(at), std::string(20'000, 'x')));
  }
  EXPECT_LT(watch->most_unsent, limits::kSendBufferBytesMax + 30'000);
  for (int round = 0; round < 6; ++round)
    bench.drain(*watch);
  EXPECT_EQ(events_of(*watch).size(), 10u);
  bench.server->on_gone(*watch);
}

TEST(Watch, EndsWhenItsTimeIsOver) {
  Bench bench;
  auto watch = bench.begin({.path = join({kMaps, "?watch=true&timeoutSeconds=5"})});
  bench.world.run_for(seconds(4));
  EXPECT_FALSE(watch->finished);
  bench.world.run_for(seconds(2));
  EXPECT_TRUE(watch->finished);
  EXPECT_EQ(bench.server->figures().watches, 0u);
}

TEST(Watch, TablesCarryTheirColumnsOnce) {
  Bench bench;
  auto watch = bench.begin({.path = join({kMaps, "?watch=true"}),
                            .accept = "application/json;as=Table;v=v1;g=meta.k8s.io"});
  fill(bench, 2);
  const std::vector<Event> events = events_of(*watch);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_NE(events[0].text.find("\"columnDefinitions\":["), std::string::npos);
  EXPECT_NE(events[1].text.find("\"columnDefinitions\":null"), std::string::npos);
  bench.server->on_gone(*watch);
}

TEST(Watch, MatchNeedsInitialEvents) {
  Bench bench;
  EXPECT_EQ(bench.get(join({kMaps, "?watch=true&resourceVersionMatch=NotOlderThan"}))->status, 422);
  EXPECT_EQ(bench.get(join({kMaps, "?watch=true&sendInitialEvents=true"}))->status, 422);
}

}  // namespace
}  // namespace coracle::apiserver
