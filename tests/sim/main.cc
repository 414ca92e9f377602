// SPDX-License-Identifier: GPL-2.0-or-later
// coracle_sim [--seed N] [--cuts N] [--lying-disk]: power cuts of the store on a simulated disk. A
// failure prints the seed of its world; the same seed with the same number of cuts replays it.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "base/bytes.h"
#include "base/log.h"
#include "tests/sim/store_life.h"

namespace coracle::sim {
namespace {

constexpr uint64_t kCutsPerWorld = 50;
constexpr uint64_t kFailuresMax = 10;

struct Arguments {
  uint64_t seed = 1;
  uint64_t cuts = 50'000;
  bool lying_disk = false;
  bool valid = true;
};

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--lying-disk") {
      arguments.lying_disk = true;
      continue;
    }
    const uint64_t number = i + 1 < count ? parse_unsigned(words[++i]).value_or(0) : 0;
    arguments.valid = arguments.valid && number > 0 && (word == "--seed" || word == "--cuts");
    (word == "--seed" ? arguments.seed : arguments.cuts) = number;
  }
  return arguments;
}

int run(const Arguments& arguments) {
  uint64_t done = 0;
  uint64_t worlds = 0;
  uint64_t failed = 0;
  uint64_t acknowledged = 0;
  for (uint64_t seed = arguments.seed; done < arguments.cuts && failed < kFailuresMax; ++seed) {
    StoreLife life(seed);
    if (arguments.lying_disk) life.lie_about_syncs();
    const uint64_t cuts = std::min(kCutsPerWorld, arguments.cuts - done);
    if (!life.live(cuts)) {
      failed++;
      std::printf("FAILED seed %" PRIu64 " after %" PRIu64
                  " cuts: %s\n  replay: coracle_sim --seed %" PRIu64 " --cuts %" PRIu64 "%s\n",
                  seed, life.cuts(), life.failure().c_str(), seed, cuts,
                  arguments.lying_disk ? " --lying-disk" : "");
    }
    done += cuts;
    worlds++;
    acknowledged += life.acknowledged();
  }
  std::printf("%" PRIu64 " power cuts in %" PRIu64 " worlds, %" PRIu64 " acknowledged writes\n",
              done, worlds, acknowledged);
  std::printf("%" PRIu64 " passed, %" PRIu64 " failed\n", worlds - failed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace coracle::sim

int main(int count, char** words) {
  const auto arguments = coracle::sim::parse(count, words);
  if (!arguments.valid) {
    std::fprintf(stderr, "usage: coracle_sim [--seed N] [--cuts N] [--lying-disk]\n");
    return 2;
  }
  coracle::set_log_sink([](coracle::Level, std::string_view) {});
  return coracle::sim::run(arguments);
}
