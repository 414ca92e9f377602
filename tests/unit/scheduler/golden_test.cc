// SPDX-License-Identifier: GPL-2.0-or-later
// Runs tests/golden/scheduler/*.txt: scenarios that tell what the scheduler does. The objects are
// written in the words of tests/unit/controllers/manifest.h.
//   objects     the lines that follow are put into the cluster
//   run 500     lets so many milliseconds pass and tells what was done and recorded meanwhile
//   kubelet     lets go of pods that are being deleted
//   delete pod d/a
//   reset       an empty cluster
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "port/sim/world.h"
#include "scheduler/scheduler.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/golden_script.h"
#include "tests/unit/controllers/manifest.h"

namespace coracle::scheduler {
namespace {

using testing::Cluster;
using testing::ClusterClient;

class Stage {
 public:
  Stage()
      : machine_(world_.machine()),
        cluster_(machine_.clock().wall()),
        client_(cluster_, machine_.clock()),
        scheduler_(client_, machine_.clock(), machine_.random()) {
    scheduler_.start();
  }

  std::string run(const std::vector<std::string>& command) {
    const std::vector<std::string_view> words = split(command[0], ' ');
    if (words[0] == "objects") return objects(command);
    if (words[0] == "run") return pass(parse_signed(words[1]).value_or(0));
    if (words[0] == "kubelet") return kubelet();
    if (words[0] == "delete") return remove(words);
    return "unknown command\n";
  }

 private:
  std::string objects(const std::vector<std::string>& command) {
    std::string out;
    cluster_.now = machine_.clock().wall();
    for (size_t i = 1; i < command.size(); ++i) {
      if (!testing::put_line(cluster_, command[i])) out += "not understood: " + command[i] + "\n";
    }
    client_.tell();
    return out.empty() ? "ok\n" : out;
  }

  static std::string tell(const api::Call& call) {
    json::Tree tree;
    const std::string pod = join({call.key.ns, "/", call.key.name});
    if (call.verb == api::CallVerb::kDelete) return join({"delete ", pod, "\n"});
    const json::Node body = tree.parse(call.body).value();
    if (call.subresource == api::Subresource::kBinding)
      return join({"bind ", pod, " to ", body["target"]["name"].string(), "\n"});
    if (call.key.kind != &api::kPod)
      return join({"patch ", call.key.kind->singular, " ", call.key.name, " ", call.body, "\n"});
    std::string out = "status " + pod;
    if (const json::Node node = body["status"]["nominatedNodeName"])
      out += join({" nominated to ", node.is_null() ? "nothing" : node.string()});
    for (const json::Node condition : body["status"]["conditions"])
      out += join({" ", condition["type"].string(), "=", condition["status"].string(), " ",
                   condition["reason"].string()});
    return out + "\n";
  }

  std::string pass(int64_t ms) {
    world_.run_for(milliseconds(ms));
    std::string out;
    for (; told_ < client_.submitted.size(); ++told_)
      out += tell(client_.submitted[told_]);
    for (; events_ < client_.events.size(); ++events_)
      out += "event " + client_.events[events_] + "\n";
    return out.empty() ? "nothing\n" : out;
  }

  std::string kubelet() {
    std::string out;
    for (const api::ObjectRef& object : cluster_.all()) {
      if (&object->kind() != &api::kPod || !object->deleting()) continue;
      cluster_.remove(*object);
      out += join({"removes ", object->ns(), "/", object->name(), "\n"});
    }
    client_.tell();
    return out.empty() ? "nothing\n" : out;
  }

  std::string remove(const std::vector<std::string_view>& words) {
    const api::Kind* kind = testing::kind_named(words[1]);
    const api::Key key = testing::key_named(*kind, words[2]);
    const api::ObjectRef object = cluster_.get(*kind, key.ns, key.name);
    if (!object) return "absent\n";
    cluster_.remove(*object);
    client_.tell();
    return "ok\n";
  }

  port_sim::World world_{7};
  port_sim::Machine& machine_;
  Cluster cluster_;
  ClusterClient client_;
  Scheduler scheduler_;
  size_t told_ = 0;
  size_t events_ = 0;
};

class SchedulerGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(SchedulerGolden, Holds) {
  auto stage = std::make_unique<Stage>();
  testing::run_golden(GetParam(), [&](const std::vector<std::string>& command) -> std::string {
    if (command[0] != "reset") return stage->run(command);
    stage.reset();
    stage = std::make_unique<Stage>();
    return "ok\n";
  });
}

INSTANTIATE_TEST_SUITE_P(Scripts,
                         SchedulerGolden,
                         ::testing::ValuesIn(testing::golden_files("tests/golden/scheduler")),
                         [](const auto& script) { return script.param.stem().string(); });

}  // namespace
}  // namespace coracle::scheduler
