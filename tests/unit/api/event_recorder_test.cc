// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/event_recorder.h"

#include <cstring>

#include <gtest/gtest.h>

#include "api/processing.h"

namespace coracle::api {
namespace {

class StillClock final : public port::Clock {
 public:
  Mono now() const override { return now_; }
  Wall wall() const override { return {1'700'000'000'000'000'000 + now_.ns}; }
  std::unique_ptr<port::Timer> timer(port::Alarm&) override { return nullptr; }
  void at_turn_end(port::TurnEnd&) override {}
  void cancel_turn_end(port::TurnEnd&) override {}
  void advance(Duration by) { now_ = now_ + by; }

 private:
  Mono now_;
};

class CountingRandom final : public port::Random {
 public:
  void fill(char* out, size_t bytes) override {
    std::memset(out, 0, bytes);
    out[0] = static_cast<char>(++count_);
  }

 private:
  int count_ = 0;
};

class NoState final : public State {
 public:
  ObjectRef get(const Kind&, std::string_view, std::string_view) const override { return {}; }
  void list(const Kind&, std::string_view, Visitor&) const override {}
  void list_owned_by(std::string_view, Visitor&) const override {}
  uint64_t version() const override { return 0; }
};

// Keeps calls until the test answers them.
class Notebook final : public Client {
 public:
  struct Note {
    Call call;
    Caller* caller;
    uint64_t token;
  };
  const State& state() const override { return state_; }
  void subscribe(Feed&) override {}
  void unsubscribe(Feed&) override {}
  void submit(Call call, Caller& caller, uint64_t token) override {
    notes.push_back({std::move(call), &caller, token});
  }
  void forget(Caller&) override { forgotten = true; }
  void answer(Result<ObjectRef> result = ObjectRef()) {
    const Note note = std::move(notes.front());
    notes.erase(notes.begin());
    note.caller->on_answer(note.token, std::move(result));
  }
  std::vector<Note> notes;
  bool forgotten = false;

 private:
  NoState state_;
};

struct Scene {
  Scene() {
    pod = *make_object(
        kPod,
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"d","uid":"u-1"}})",
        5);
  }
  StillClock clock;
  CountingRandom random;
  Notebook client;
  ObjectRef pod;
  EventRecorder recorder{client, clock, random, {"kubelet", "node-1"}};
};

TEST(EventRecorder, CreatesWhatUpstreamsRecorderCreates) {
  Scene scene;
  scene.recorder.warning(*scene.pod, "BackOff", "Back-off \"x\"", "spec.containers{web}");
  ASSERT_EQ(scene.client.notes.size(), 1U);
  const Call& call = scene.client.notes[0].call;
  EXPECT_EQ(call.verb, CallVerb::kCreate);
  EXPECT_EQ(call.key.kind, &kEvent);
  EXPECT_EQ(call.key.ns, "d");
  json::Tree tree;
  const auto event = tree.parse(call.body);
  ASSERT_TRUE(event) << call.body;
  EXPECT_EQ((*event)["metadata"]["name"].string(), call.key.name);
  EXPECT_TRUE(call.key.name.starts_with("web."));
  EXPECT_EQ(
      json::write((*event)["involvedObject"]),
      R"({"kind":"Pod","namespace":"d","name":"web","uid":"u-1","apiVersion":"v1","resourceVersion":"5",)"
      R"("fieldPath":"spec.containers{web}"})");
  EXPECT_EQ((*event)["type"].string(), "Warning");
  EXPECT_EQ((*event)["count"].integer(), 1);
  EXPECT_EQ((*event)["source"]["host"].string(), "node-1");
  EXPECT_EQ((*event)["firstTimestamp"].string(), "2023-11-14T22:13:20Z");
  EXPECT_EQ(check_fields(*kEvent.message, *event)->size(), 0U);
  apply_defaults(kEvent, *event);
  const Result<> valid = validate_create(kEvent, *event);
  EXPECT_TRUE(valid) << valid.error().message;
}

TEST(EventRecorder, CountsEqualEventsUpWithOneCallAtATime) {
  Scene scene;
  for (int i = 0; i < 3; i++)
    scene.recorder.normal(*scene.pod, "Pulled", "again");
  ASSERT_EQ(scene.client.notes.size(), 1U);
  const std::string name = scene.client.notes[0].call.key.name;
  scene.clock.advance(seconds(1));
  scene.client.answer();
  ASSERT_EQ(scene.client.notes.size(), 1U);
  EXPECT_EQ(scene.client.notes[0].call.verb, CallVerb::kMergePatch);
  EXPECT_EQ(scene.client.notes[0].call.key.name, name);
  EXPECT_EQ(scene.client.notes[0].call.body,
            R"({"count":3,"lastTimestamp":"2023-11-14T22:13:20Z"})");
  scene.client.answer();
  EXPECT_TRUE(scene.client.notes.empty());
}

TEST(EventRecorder, CreatesAgainWhatHasExpired) {
  Scene scene;
  scene.recorder.normal(*scene.pod, "Pulled", "again");
  const std::string first = scene.client.notes[0].call.key.name;
  scene.client.answer();
  scene.recorder.normal(*scene.pod, "Pulled", "again");
  scene.client.answer(fail(Code::kNotFound, "gone"));
  ASSERT_EQ(scene.client.notes.size(), 1U);
  EXPECT_EQ(scene.client.notes[0].call.verb, CallVerb::kCreate);
  EXPECT_NE(scene.client.notes[0].call.key.name, first);
  EXPECT_TRUE(scene.client.notes[0].call.key.name.starts_with("web."));
}

TEST(EventRecorder, NamesSortAsEventsHappened) {
  Scene scene;
  std::string last;
  for (int i = 0; i < 20; i++) {
    scene.recorder.normal(*scene.pod, "R", std::to_string(i));
    if (i % 3 == 0) scene.clock.advance(minutes(5));
    const std::string name = scene.client.notes.back().call.key.name;
    EXPECT_GT(name, last);
    last = name;
  }
}

TEST(EventRecorder, ForgetsWhatWasRefused) {
  Scene scene;
  scene.recorder.normal(*scene.pod, "Pulled", "x");
  scene.client.answer(fail(Code::kForbidden, "terminating"));
  EXPECT_TRUE(scene.client.notes.empty());
  scene.recorder.normal(*scene.pod, "Pulled", "x");
  ASSERT_EQ(scene.client.notes.size(), 1U);
  EXPECT_EQ(scene.client.notes[0].call.verb, CallVerb::kCreate);
}

TEST(EventRecorder, IsSilentAfterTwentyFiveAndSpeaksEveryFiveMinutes) {
  Scene scene;
  for (int i = 0; i < 100; i++)
    scene.recorder.normal(*scene.pod, "R", std::to_string(i));
  EXPECT_EQ(scene.client.notes.size(), 25U);
  scene.clock.advance(minutes(4));
  scene.recorder.normal(*scene.pod, "R", "early");
  EXPECT_EQ(scene.client.notes.size(), 25U);
  scene.clock.advance(minutes(1));
  for (int i = 0; i < 10; i++)
    scene.recorder.normal(*scene.pod, "R", "late " + std::to_string(i));
  EXPECT_EQ(scene.client.notes.size(), 26U);
}

TEST(EventRecorder, IsBoundedOverManyObjects) {
  Scene scene;
  for (int i = 0; i < 2000; i++) {
    const std::string n = std::to_string(i);
    const auto object = make_object(kNode,
                                    R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"n)" +
                                        n + R"(","uid":"u)" + n + R"("}})",
                                    1);
    scene.recorder.normal(**object, "R", "m");
  }
  EXPECT_EQ(scene.client.notes.size(), 256U);
  EXPECT_EQ(scene.client.notes[0].call.key.ns, "default");
}

TEST(EventRecorder, CutsLongMessagesBetweenCharacters) {
  Scene scene;
  std::string message(1023, 'a');
  message += "\xc3\xa9";
  scene.recorder.normal(*scene.pod, "R", message);
  json::Tree tree;
  ASSERT_TRUE(tree.parse(scene.client.notes[0].call.body));
  EXPECT_EQ(tree.root()["message"].string(), std::string(1023, 'a'));
}

TEST(EventRecorder, DropsItsCallsWhenItGoes) {
  StillClock clock;
  CountingRandom random;
  Notebook client;
  { const EventRecorder recorder(client, clock, random, {"x", ""}); }
  EXPECT_TRUE(client.forgotten);
}

}  // namespace
}  // namespace coracle::api
