#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Plants each fault of src/base/tooth.h and lives worlds until one goes wrong. A fault that is not
# found within the time (SECONDS_EACH of processor time, 600) is a hole in the simulator.
set -u
build=${BUILD_TEETH:-build/teeth}
seconds=${SECONDS_EACH:-600}
launcher=
command -v ccache > /dev/null && launcher="-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
mkdir -p build
cmake -S . -B "$build" -G Ninja -DCORACLE_TEETH=ON $launcher > "$build.configure.log" 2>&1 || {
  cat "$build.configure.log"
  exit 1
}
ninja -C "$build" coracle_quorum > "$build.build.log" 2>&1 || { tail -20 "$build.build.log"; exit 1; }

teeth=$(grep -c '^  k[A-Z].*,$' src/base/tooth.h)
found=0
missed=0
tooth=1
while [ "$tooth" -lt "$teeth" ]; do
  name=$(grep '^    ".*",$' src/base/tooth.h | sed -n "$((tooth + 1))p" | cut -d'"' -f2)
  start=$(date +%s)
  if "$build/coracle_quorum" --tooth "$tooth" --worlds 1000000 --seconds "$seconds" > "$build.tooth" 2>&1; then
    missed=$((missed + 1))
    echo "MISSED  $tooth: $name"
  else
    found=$((found + 1))
    echo "found   $tooth: $name ($(($(date +%s) - start)) s: $(grep -m 1 -o 'FAILED seed.*' "$build.tooth" || tail -n 1 "$build.tooth"))"
  fi
  tooth=$((tooth + 1))
done
rm -f "$build.tooth"
echo "$found passed, $missed failed"
[ "$missed" -eq 0 ]
