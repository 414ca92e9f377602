// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/cluster_life.h"

#include <algorithm>

#include "base/bytes.h"
#include "tests/sim/convergence.h"
#include "tests/sim/errand.h"

namespace coracle::sim {
namespace {

constexpr Duration kPatience = seconds(60);
constexpr Duration kLookEvery = milliseconds(500);
constexpr uint64_t kPeople = 2;
constexpr uint64_t kLeasesWhileIdle = 12;
constexpr Duration kIdleTime = seconds(10 * kLeasesWhileIdle);
// A Lease: its timer, that of the lazy write, the append and its end, the answer. A flush of the
// store, once a minute: its timer, the job and its end. Nothing else may turn the loop.
constexpr uint64_t kIdleTurnsMax = (kLeasesWhileIdle + 1) * 5 + 3 * 3;

struct SightRow {
  const api::Kind* kind;
  std::string_view ns;
  std::string_view path;
};
constexpr SightRow kSights[] = {
    {&api::kPod, "", "/api/v1/pods"},
    {&api::kDeployment, "", "/apis/apps/v1/deployments"},
    {&api::kConfigMap, "n0", "/api/v1/namespaces/n0/configmaps"},
    {&api::kNamespace, "", "/api/v1/namespaces"},
};

}  // namespace

ClusterLife::ClusterLife(uint64_t seed)
    : world_(seed),
      kubelet_(node_.clock(), dice().roll(), findings_) {
  store::StoreOptions options;
  options.directory = "/var/lib/coracle/store";
  options.segment_bytes = size_t{32 * 1024} << dice().below(6);
  options.segments = dice().between(2, 5);
  house_.use_options(std::move(options));
  for (uint64_t i = 0; i < kPeople; ++i)
    people_.push_back(std::make_unique<Person>(desk_, dice().roll(), history_, findings_));
  for (const SightRow& row : kSights) {
    onlookers_.push_back(std::make_unique<Onlooker>(
        desk_, house_, history_, findings_,
        Onlooker::Sight{row.kind, std::string(row.ns), std::string(row.path)}));
  }
}

ClusterLife::~ClusterLife() {
  disk().power_off();
  kubelet_.detach();
}

bool ClusterLife::live() {
  for (const auto& onlooker : onlookers_)
    onlooker->begin(dice().roll());
  for (const auto& person : people_)
    person->work();
  const uint64_t lives = dice().between(2, 8);
  for (uint64_t i = 0; i < lives && findings_.none(); ++i)
    live_once();
  if (findings_.none()) live_on();
  for (const auto& person : people_)
    person->rest();
  if (findings_.none()) come_to_rest("after the faults");
  if (findings_.none()) resume_rollouts();
  if (findings_.none()) check_onlookers();
  if (findings_.none()) check_idle();
  if (findings_.none()) clear_away();
  return findings_.none();
}

// Opening may be cut short, too, again and again.
void ClusterLife::open_again() {
  for (int i = 0; i < 100 && findings_.none(); ++i) {
    const Result<> opened = house_.open();
    if (opened) return kubelet_.attach(house_.node_client());
    if (powered()) return findings_.add("does not open: " + opened.error().message);
    cut();
  }
}

void ClusterLife::live_once() {
  const auto operations = disk().platter().operations();
  if (dice().chance(70)) {
    const uint64_t most = dice().chance(30) ? 60 : 3000;
    disk().faults().power_off_at = operations + dice().between(1, most);
  }
  open_again();
  const Mono end = world_.now() + milliseconds(static_cast<int64_t>(dice().between(100, 15'000)));
  while (world_.now() < end && powered() && findings_.none()) {
    pass(milliseconds(static_cast<int64_t>(dice().between(50, 2000))));
    trouble();
  }
  end_trouble();
  end_life();
  world_.run_for(milliseconds(static_cast<int64_t>(dice().between(0, 5000))));
}

// The last one is not ended: from slowness and a full disk the server must recover by itself.
void ClusterLife::live_on() {
  disk().faults().power_off_at = 0;
  open_again();
  work_in_trouble();
}

void ClusterLife::work_in_trouble() {
  const Mono end = world_.now() + milliseconds(static_cast<int64_t>(dice().between(100, 15'000)));
  while (world_.now() < end && powered() && findings_.none()) {
    pass(milliseconds(static_cast<int64_t>(dice().between(50, 2000))));
    trouble();
  }
  end_trouble();
}

void ClusterLife::pass(Duration time) {
  world_.run_until([this] { return !powered() || !findings_.none(); }, time);
}

void ClusterLife::trouble() {
  const Duration slow = milliseconds(static_cast<int64_t>(dice().between(1, 150)));
  switch (dice().below(12)) {
    case 0:
      node_.lane_latency = {milliseconds(1), slow};
      break;
    case 1:
      disk().faults().capacity = disk().platter().bytes_used() + dice().below(64 * 1024);
      break;
    case 2:
      world_.net().cut(node_.number(), desk_.number(), true);
      break;
    case 3:
      people_[dice().below(people_.size())]->let_go();
      break;
    case 4:
      onlookers_[dice().below(onlookers_.size())]->let_go();
      break;
    case 5:
    case 6:
      end_trouble();
      break;
    default:
      break;
  }
}

void ClusterLife::end_trouble() {
  node_.lane_latency = {};
  disk().faults().capacity = UINT64_MAX;
  world_.net().cut(node_.number(), desk_.number(), false);
}

void ClusterLife::end_life() {
  if (!powered()) return cut();
  const uint64_t how = dice().below(10);
  if (how < 4) return cut();
  if (how < 8) return die();
  stop();
}

void ClusterLife::die() {
  kubelet_.detach();
  house_.demolish();
}

void ClusterLife::cut() {
  cuts_++;
  disk().power_off();
  die();
  disk().power_on();
}

void ClusterLife::stop() {
  disk().faults().power_off_at = 0;
  const uint64_t before = house_.store().version();
  kubelet_.detach();
  const Result<> closed = house_.close();
  // What does not fit on the disk yet stays in the log.
  if (!closed && closed.error().code != Code::kUnavailable)
    findings_.add("close: " + closed.error().message);
  if (house_.store().version() < before) findings_.add("close went back");
  house_.demolish();
}

void ClusterLife::come_to_rest(std::string_view when) {
  disk().faults().power_off_at = 0;
  const Mono start = world_.now();
  std::string missing = "nothing was looked at";
  while (world_.now() - start < kPatience && findings_.none() && !missing.empty()) {
    pass(kLookEvery);
    const bool resting = std::all_of(people_.begin(), people_.end(),
                                     [](const auto& person) { return person->is_resting(); });
    missing = resting ? what_is_missing(house_.store(), kubelet_) : "people wait for answers";
    if (missing.empty() && !house_.controllers_idle()) missing = "controllers are busy";
  }
  slowest_rest_ = std::max(slowest_rest_, world_.now() - start);
  if (!missing.empty()) findings_.add(join({"no rest ", when, ": ", missing}));
}

void ClusterLife::resume_rollouts() {
  const History::Objects objects = history_.objects();
  for (const auto& [key, object] : objects) {
    if (&object->kind() != &api::kDeployment) continue;
    http::Request request = make_request(
        "PATCH", join({"/apis/apps/v1/namespaces/", object->ns(), "/deployments/", object->name()}),
        R"({"spec":{"paused":false}})");
    request.headers = {{"content-type", "application/merge-patch+json"}};
    ask_and_wait(std::move(request));
  }
  come_to_rest("after rollouts were resumed");
}

void ClusterLife::check_onlookers() {
  const auto all_know = [this] {
    return !findings_.none() ||
           std::all_of(onlookers_.begin(), onlookers_.end(),
                       [](const auto& onlooker) { return onlooker->is_up_to_date(); });
  };
  if (world_.run_until(all_know, kPatience)) return;
  for (const auto& onlooker : onlookers_) {
    if (!onlooker->is_up_to_date())
      findings_.add(join({"a watch of ", onlooker->name(), " hears nothing"}));
  }
}

// Alone with a node that renews its Lease: nothing else may change, and hardly a turn be made.
void ClusterLife::check_idle() {
  for (const auto& [key, object] : history_.objects()) {
    pods_ += &object->kind() == &api::kPod ? 1 : 0;
    deployments_ += &object->kind() == &api::kDeployment ? 1 : 0;
  }
  for (const auto& person : people_)
    person->let_go();
  for (const auto& onlooker : onlookers_)
    onlooker->close();
  // The scheduler looks again at what did not fit, up to ten seconds after the last change.
  world_.run_for(seconds(15));
  const uint64_t before = history_.last();
  const uint64_t turns = world_.turns();
  world_.run_for(kIdleTime);
  for (const api::Change& change : history_.changes()) {
    if (change.version > before && &change.after->kind() != &api::kLease)
      findings_.add(join({change.after->key(), " changed while nothing happened"}));
  }
  idle_turns_ = world_.turns() - turns;
  if (idle_turns_ > kIdleTurnsMax)
    findings_.add(join({"an idle cluster made ", std::to_string(idle_turns_), " turns"}));
}

void ClusterLife::clear_away() {
  for (uint64_t i = 0; i < kNamespaces && findings_.none(); ++i) {
    ask_and_wait(
        make_request("DELETE", join({"/api/v1/namespaces/", kNamespacePrefix, std::to_string(i)})));
  }
  come_to_rest("after everything was deleted");
  for (const auto& [key, object] : history_.objects()) {
    const bool mine = object->ns().starts_with(kNamespacePrefix);
    if (mine || &object->kind() == &api::kPod) findings_.add(key + " was left behind");
  }
  if (!kubelet_.containers().empty()) findings_.add("a container was left behind");
}

void ClusterLife::ask_and_wait(http::Request request) {
  Person& person = *people_.front();
  person.ask(std::move(request));
  const bool answered = world_.run_until([&] { return person.is_resting(); }, kPatience);
  if (!answered) findings_.add("no answer");
}

ClusterLife::Figures ClusterLife::figures() const {
  Figures figures;
  figures.cuts = cuts_;
  figures.lives = house_.life();
  for (const auto& person : people_) {
    figures.granted += person->granted();
    figures.refused += person->refused();
    figures.unanswered += person->unanswered();
  }
  for (const auto& onlooker : onlookers_) {
    figures.heard += onlooker->heard();
    figures.expired += onlooker->expired();
  }
  figures.idle_turns = idle_turns_;
  figures.pods = pods_;
  figures.deployments = deployments_;
  figures.slowest_rest = slowest_rest_;
  figures.trace_hash = history_.trace_hash();
  return figures;
}

}  // namespace coracle::sim
