#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make fuzz`: every target of tests/fuzz for SECONDS_EACH, with address and undefined-behaviour sanitizers.
set -euo pipefail
seconds=${1:-20}
cd "$(dirname "$0")/.."
cmake -S . -B build/fuzz -G Ninja -DCORACLE_FUZZ=ON -DCORACLE_TESTS=OFF -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_C_COMPILER=clang-14 > build/fuzz.configure.log 2>&1 \
  || { cat build/fuzz.configure.log; exit 1; }
targets=$(cd tests/fuzz && ls ./*.cc | xargs -n1 basename | sed 's/\.cc$//; s/^/fuzz_/')
# shellcheck disable=SC2086
ninja -C build/fuzz $targets
passed=0 failed=0
for target in $targets; do
  mkdir -p "build/fuzz/corpus/$target"
  seeds=tests/fuzz/corpus/${target#fuzz_}
  if "build/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=build/fuzz/ \
      "build/fuzz/corpus/$target" $([ -d "$seeds" ] && echo "$seeds") > "build/fuzz/$target.log" 2>&1; then
    passed=$((passed + 1))
    echo "$target: $(sed -n 's/stat::number_of_executed_units: *//p' "build/fuzz/$target.log") runs"
  else
    failed=$((failed + 1)); tail -n 30 "build/fuzz/$target.log"
  fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
