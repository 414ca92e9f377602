// SPDX-License-Identifier: GPL-2.0-or-later
// coracle_sim [--seed N] [--cuts N] [--worlds N] [--lying-disk] [--log]: power cuts of the store on
// a simulated disk, then whole clusters of one node. A failure prints the seed of its world;
// `make sim SEED=n` replays it.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "base/bytes.h"
#include "base/log.h"
#include "tests/sim/cluster_life.h"
#include "tests/sim/store_life.h"

namespace coracle::sim {
namespace {

constexpr uint64_t kCutsPerWorld = 50;
constexpr uint64_t kFailuresMax = 10;
constexpr uint64_t kTwiceEvery = 8;  // worlds: one is lived twice, to see that it is the same

struct Arguments {
  uint64_t seed = 1;
  uint64_t cuts = 50'000;
  uint64_t worlds = 20;
  bool lying_disk = false;
  bool log = false;
  bool valid = true;
};

uint64_t* number_named(Arguments& arguments, std::string_view word) {
  if (word == "--seed") return &arguments.seed;
  if (word == "--cuts") return &arguments.cuts;
  return word == "--worlds" ? &arguments.worlds : nullptr;
}

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    arguments.lying_disk = arguments.lying_disk || word == "--lying-disk";
    arguments.log = arguments.log || word == "--log";
    if (word == "--lying-disk" || word == "--log") continue;
    uint64_t* const number = number_named(arguments, word);
    const auto value = i + 1 < count ? parse_unsigned(words[++i]) : std::nullopt;
    arguments.valid = arguments.valid && number != nullptr && value;
    if (arguments.valid) *number = *value;
  }
  return arguments;
}

struct Tally {
  uint64_t worlds = 0;
  uint64_t failed = 0;

  bool goes_on() const { return failed < kFailuresMax; }
  void fail(uint64_t seed, std::string_view what, std::string_view replay_more) {
    failed++;
    std::printf("FAILED seed %" PRIu64 ": %.*s\n  replay: make sim SEED=%" PRIu64 "%.*s\n", seed,
                static_cast<int>(what.size()), what.data(), seed,
                static_cast<int>(replay_more.size()), replay_more.data());
  }
};

void cut_stores(const Arguments& arguments, Tally& tally) {
  uint64_t done = 0;
  uint64_t acknowledged = 0;
  for (uint64_t seed = arguments.seed; done < arguments.cuts && tally.goes_on(); ++seed) {
    StoreLife life(seed);
    if (arguments.lying_disk) life.lie_about_syncs();
    const uint64_t cuts = std::min(kCutsPerWorld, arguments.cuts - done);
    if (!life.live(cuts)) {
      const std::string what =
          join({"store after ", std::to_string(life.cuts()), " cuts: ", life.failure()});
      tally.fail(seed, what, arguments.lying_disk ? " (and --lying-disk)" : "");
    }
    done += cuts;
    tally.worlds++;
    acknowledged += life.acknowledged();
  }
  std::printf("store: %" PRIu64 " power cuts, %" PRIu64 " acknowledged writes\n", done,
              acknowledged);
}

ClusterLife::Figures live_cluster(uint64_t seed, Tally& tally, bool twice) {
  const auto life = std::make_unique<ClusterLife>(seed);
  if (!life->live()) {
    tally.fail(seed, "cluster: " + life->failure(), "");
    return life->figures();
  }
  if (!twice) return life->figures();
  const auto again = std::make_unique<ClusterLife>(seed);
  again->live();
  if (again->figures().trace_hash != life->figures().trace_hash)
    tally.fail(seed, "cluster: a second run went differently", "");
  return life->figures();
}

void live_clusters(const Arguments& arguments, Tally& tally) {
  ClusterLife::Figures sum;
  for (uint64_t i = 0; i < arguments.worlds && tally.goes_on(); ++i) {
    const uint64_t seed = arguments.seed + i;
    const auto figures = live_cluster(seed, tally, i % kTwiceEvery == 0);
    tally.worlds++;
    sum.cuts += figures.cuts;
    sum.lives += figures.lives;
    sum.granted += figures.granted;
    sum.refused += figures.refused;
    sum.unanswered += figures.unanswered;
    sum.heard += figures.heard;
    sum.expired += figures.expired;
    sum.idle_turns = std::max(sum.idle_turns, figures.idle_turns);
    sum.pods += figures.pods;
    sum.deployments += figures.deployments;
    sum.slowest_rest = std::max(sum.slowest_rest, figures.slowest_rest);
    sum.trace_hash ^= figures.trace_hash;
  }
  std::printf("clusters: %" PRIu64 " worlds, %" PRIu64 " starts, %" PRIu64 " power cuts, %" PRIu64
              " writes granted, %" PRIu64 " refused, %" PRIu64 " unanswered\n",
              arguments.worlds, sum.lives, sum.cuts, sum.granted, sum.refused, sum.unanswered);
  std::printf("clusters: %" PRIu64 " deployments and %" PRIu64 " pods at rest\n", sum.deployments,
              sum.pods);
  std::printf("clusters: %" PRIu64 " events heard, %" PRIu64 " times 410, at rest after %" PRId64
              " ms at most, %" PRIu64 " turns idle at most, trace %016" PRIx64 "\n",
              sum.heard, sum.expired, sum.slowest_rest.ms(), sum.idle_turns, sum.trace_hash);
}

int run(const Arguments& arguments) {
  Tally tally;
  cut_stores(arguments, tally);
  live_clusters(arguments, tally);
  std::printf("%" PRIu64 " passed, %" PRIu64 " failed\n", tally.worlds - tally.failed,
              tally.failed);
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace coracle::sim

int main(int count, char** words) {
  const auto arguments = coracle::sim::parse(count, words);
  if (!arguments.valid) {
    std::fprintf(stderr,
                 "usage: coracle_sim [--seed N] [--cuts N] [--worlds N] [--lying-disk] [--log]\n");
    return 2;
  }
  if (!arguments.log) coracle::set_log_sink([](coracle::Level, std::string_view) {});
  return coracle::sim::run(arguments);
}
