// SPDX-License-Identifier: GPL-2.0-or-later
// coracle_quorum [--seed N] [--worlds N] [--seconds N] [--log]: lives of replicated stores. A
// failure prints the seed of its world; `coracle_quorum --seed N --worlds 1` replays it.
#include <cinttypes>
#include <cstdio>
#include <ctime>

#include "base/bytes.h"
#include "base/log.h"
#include "base/tooth.h"
#include "tests/sim/quorum_life.h"

namespace coracle::sim {
namespace {

constexpr uint64_t kTwiceEvery = 16;  // worlds: one is lived twice, to see that it is the same

struct Arguments {
  uint64_t seed = 1;
  uint64_t worlds = 100;
  uint64_t tooth = 0;     // a planted fault (base/tooth.h), where they are compiled in
  uint64_t failures = 5;  // then no further world
  uint64_t seconds = 0;   // of processor time; then no further world
  bool log = false;
  bool valid = true;
};

uint64_t* number_named(Arguments& arguments, std::string_view word) {
  if (word == "--seed") return &arguments.seed;
  if (word == "--seconds") return &arguments.seconds;
  if (word == "--failures") return &arguments.failures;
  if (word == "--tooth") return &arguments.tooth;
  return word == "--worlds" ? &arguments.worlds : nullptr;
}

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    arguments.log = arguments.log || word == "--log";
    if (word == "--log") continue;
    uint64_t* const number = number_named(arguments, word);
    const auto value = i + 1 < count ? parse_unsigned(words[++i]) : std::nullopt;
    arguments.valid = arguments.valid && number != nullptr && value;
    if (arguments.valid) *number = *value;
  }
  return arguments;
}

std::string live_one(uint64_t seed, bool twice, QuorumLife::Figures& figures) {
  QuorumLife life(seed);
  if (!life.live()) return life.failure();
  figures = life.figures();
  if (!twice) return "";
  QuorumLife again(seed);
  if (!again.live()) return again.failure();
  return again.figures().hash == figures.hash ? "" : "the same seed gave another life";
}

int run(const Arguments& arguments) {
  QuorumLife::Figures sum;
  uint64_t failed = 0;
  uint64_t worlds = 0;
  for (; worlds < arguments.worlds && failed < arguments.failures; ++worlds) {
    const auto spent = static_cast<uint64_t>(clock()) / static_cast<uint64_t>(CLOCKS_PER_SEC);
    if (arguments.seconds != 0 && spent >= arguments.seconds) break;
    const uint64_t seed = arguments.seed + worlds;
    QuorumLife::Figures figures;
    const std::string failure = live_one(seed, worlds % kTwiceEvery == 0, figures);
    if (!failure.empty()) {
      failed++;
      std::printf("FAILED seed %" PRIu64 ": %s\n  replay: coracle_quorum --seed %" PRIu64
                  " --worlds 1\n",
                  seed, failure.c_str(), seed);
    }
    sum.acknowledged += figures.acknowledged;
    sum.reads += figures.reads;
    sum.unknown += figures.unknown;
    sum.terms += figures.terms;
    sum.snapshots += figures.snapshots;
    sum.changes += figures.changes;
    sum.crashes += figures.crashes;
    sum.rotten += figures.rotten;
    sum.mended += figures.mended;
  }
  std::printf("members: %" PRIu64 " worlds, %" PRIu64 " writes acknowledged, %" PRIu64
              " unknown, %" PRIu64 " confirmed reads, %" PRIu64 " terms, %" PRIu64
              " snapshots, %" PRIu64 " changes of members, %" PRIu64 " crashes, %" PRIu64
              " rotten logs, %" PRIu64 " of them mended\n",
              worlds, sum.acknowledged, sum.unknown, sum.reads, sum.terms, sum.snapshots,
              sum.changes, sum.crashes, sum.rotten, sum.mended);
  std::printf("%" PRIu64 " passed, %" PRIu64 " failed\n", worlds - failed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace coracle::sim

#ifdef CORACLE_TEETH
coracle::Tooth coracle::planted = coracle::Tooth::kNone;
constexpr size_t kToothMax = std::size(coracle::kTeeth) - 1;
#else
constexpr size_t kToothMax = 0;
#endif

int main(int count, char** words) {
  auto arguments = coracle::sim::parse(count, words);
  arguments.valid = arguments.valid && arguments.tooth <= kToothMax;
#ifdef CORACLE_TEETH
  if (arguments.valid) coracle::planted = static_cast<coracle::Tooth>(arguments.tooth);
#endif
  if (!arguments.valid) {
    std::fprintf(stderr, "usage: coracle_quorum [--seed N] [--worlds N] [--seconds N] [--log]\n");
    return 2;
  }
  if (!arguments.log) coracle::set_log_sink([](coracle::Level, std::string_view) {});
  return coracle::sim::run(arguments);
}
