#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Plants each fault of src/base/tooth.h and lives worlds until one goes wrong. A fault that is not
# found within the time (SECONDS_EACH of processor time) is a hole in the simulator. One build; the
# fault is chosen when it runs, and two are searched for at a time.
set -u
build=${BUILD_TEETH:-build/teeth}
seconds=${SECONDS_EACH:-120}
launcher=
command -v ccache > /dev/null && launcher="-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
mkdir -p build
cmake -S . -B "$build" -G Ninja -DCORACLE_TEETH=ON $launcher > "$build.configure.log" 2>&1 || {
  cat "$build.configure.log"
  exit 1
}
ninja -C "$build" coracle_quorum > "$build.build.log" 2>&1 || { tail -20 "$build.build.log"; exit 1; }

# Prints one line about the fault with this number; fails if it is not found.
search() {
  name=$(grep '^    ".*",$' src/base/tooth.h | sed -n "$(($1 + 1))p" | cut -d'"' -f2)
  start=$(date +%s)
  out=$("$build/coracle_quorum" --tooth "$1" --worlds 1000000 --failures 1 --seconds "$seconds" 2>&1)
  result=$?
  took=$(($(date +%s) - start))
  if [ "$result" -eq 0 ]; then
    echo "MISSED $1: $name ($took s)"
  else
    why=$(printf '%s\n' "$out" | grep -m 1 -o 'FAILED seed.*' || printf '%s\n' "$out" | tail -n 1)
    echo "found  $1: $name ($took s: $why)"
  fi
}

teeth=$(grep -c '^  k[A-Z].*,$' src/base/tooth.h)
report=$build.report
rm -f "$report"
tooth=1
while [ "$tooth" -lt "$teeth" ]; do
  search "$tooth" > "$report.a" &
  first=$!
  if [ $((tooth + 1)) -lt "$teeth" ]; then search $((tooth + 1)) > "$report.b"; fi
  wait "$first"
  cat "$report.a" "$report.b" 2> /dev/null | tee -a "$report"
  rm -f "$report.a" "$report.b"
  tooth=$((tooth + 2))
done
missed=$(grep -c '^MISSED' "$report")
echo "$(grep -c '^found' "$report") found, $missed missed"
[ "$missed" -eq 0 ]
