// SPDX-License-Identifier: GPL-2.0-or-later
// Logs: which container, and a stream that goes no faster than its reader.
#include <gtest/gtest.h>

#include "api/pod_logs.h"
#include "tests/unit/apiserver/bench.h"

namespace coracle::apiserver {
namespace {

struct Agent final : api::PodLogs {
  struct Log final : api::LogStream {
    explicit Log(Agent& agent) : agent_(agent) { ++agent_.open_logs; }
    ~Log() override { --agent_.open_logs; }
    void pause(bool paused) override { agent_.paused = paused; }
    Agent& agent_;
  };
  Result<std::unique_ptr<api::LogStream>> open(const api::Object&,
                                               const api::LogOptions& given,
                                               api::LogSink& to) override {
    options = given;
    sink = &to;
    if (refuse) return fail(Code::kBadRequest, "container \"c\" in pod \"p\" is waiting to start");
    return std::unique_ptr<api::LogStream>(std::make_unique<Log>(*this));
  }
  api::LogOptions options;
  api::LogSink* sink = nullptr;
  bool refuse = false;
  bool paused = false;
  int open_logs = 0;
};

constexpr std::string_view kLog = "/api/v1/namespaces/default/pods/p/log";

TEST(PodLog, IsStreamedAtTheReadersPace) {
  Bench bench;
  Agent agent;
  bench.server->use_pod_logs(&agent);
  bench.create(kPods, pod("p", R"(,"nodeName":"n1")"));
  auto answer = std::make_unique<Answer>();
  answer->stuck = true;
  bench.begin({.path = join({kLog, "?follow=true&tailLines=5&timestamps=true&sinceSeconds=60"})},
              *answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(agent.options.container, "c");
  EXPECT_EQ(agent.options.tail_lines, 5);
  EXPECT_TRUE(agent.options.follow && agent.options.timestamps && agent.options.since);
  agent.sink->on_log("one\n");
  EXPECT_EQ(answer->body, "one\n");
  agent.sink->on_log(std::string(limits::kSendBufferBytesMax, 'x'));
  EXPECT_TRUE(agent.paused);
  bench.drain(*answer);
  EXPECT_FALSE(agent.paused);
  agent.sink->on_log_end();
  EXPECT_TRUE(answer->finished);
  EXPECT_EQ(agent.open_logs, 0);
}

TEST(PodLog, EndsWithItsReader) {
  Bench bench;
  Agent agent;
  bench.server->use_pod_logs(&agent);
  bench.create(kPods, pod("p", R"(,"nodeName":"n1")"));
  auto answer = bench.begin({.path = join({kLog, "?follow=true"})});
  EXPECT_EQ(agent.open_logs, 1);
  bench.server->on_gone(*answer);
  EXPECT_EQ(agent.open_logs, 0);
}

TEST(PodLog, WrongQuestionsAreRefused) {
  Bench bench;
  Agent agent;
  EXPECT_EQ(bench.get(kLog)->status, 404);
  bench.create(kPods, R"({"metadata":{"name":"p"},"spec":{"nodeName":"n1","containers":[
      {"name":"a","image":"i"},{"name":"b","image":"i"}]}})");
  EXPECT_EQ(bench.get(join({kLog, "?container=a"}))->status, 503);
  bench.server->use_pod_logs(&agent);
  EXPECT_EQ(bench.get(kLog)->message(),
            "a container name must be specified for pod p, choose one of: [a b]");
  EXPECT_EQ(bench.get(join({kLog, "?container=z"}))->message(),
            "container z is not valid for pod p");
  EXPECT_EQ(bench.get(join({kLog, "?container=a&tailLines=-1"}))->status, 422);
  EXPECT_EQ(bench.get(join({kLog, "?container=a&tailLines=x"}))->status, 400);
  agent.refuse = true;
  EXPECT_EQ(bench.get(join({kLog, "?container=a"}))->status, 400);
}

}  // namespace
}  // namespace coracle::apiserver
