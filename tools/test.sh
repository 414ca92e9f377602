#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make test`: floors, unit and golden tests, the simulator, real kubectl against a real server. Closes with
# "N passed, N failed".
set -uo pipefail
build=$1
cd "$(dirname "$0")/.."
passed=0 failed=0
count() { passed=$((passed + ${1:-0})); failed=$((failed + ${2:-0})); }
verdict() { sed -n 's/.*\b\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*/\1 \2/p' "$1" | tail -n 1; }

step() {  # step NAME COMMAND...: a command that closes with "N passed, N failed"
  local name=$1 log=build/test-$1.log; shift
  echo "== $name"
  "$@" 2>&1 | tee "$log"
  local status=${PIPESTATUS[0]} counted
  counted=$(verdict "$log")
  # shellcheck disable=SC2086
  if [ -n "$counted" ]; then count $counted; else count 0 0; fi
  if [ "$status" != 0 ] && { [ -z "$counted" ] || [ "${counted#* }" = 0 ]; }; then
    echo "$name ended with $status"
    count 0 1
  fi
}

echo "== floors"
if tools/floors.py; then count 1 0; else count 0 1; fi

echo "== unit"
for binary in "$build"/*_test; do
  name=$(basename "$binary")
  log=build/test-$name.log
  if "$binary" --gtest_brief=1 > "$log" 2>&1; then :; else tail -n 40 "$log"; fi
  ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
  bad=$(grep -c '^\[  FAILED  \] [A-Za-z_]*\.[A-Za-z_0-9/]*' "$log" || true)
  if [ -z "$ok" ] && [ "${bad:-0}" = 0 ]; then echo "$name did not finish"; tail -n 20 "$log"; bad=1; fi
  echo "$name: ${ok:-0} passed, ${bad:-0} failed$(grep -q 'skipped: no oracle' "$log" && echo '; some skipped: no oracle')"
  count "${ok:-0}" "${bad:-0}"
done

[ -x "$build/coracle_sim" ] && step sim "$build/coracle_sim" --cuts "${CUTS:-5000}"
[ -x "$build/coracle_quorum" ] && step members "$build/coracle_quorum" --worlds "${MEMBERS_WORLDS:-150}" --seconds 20
[ -x "$build/coracle_kill9" ] && step kill9 "$build/coracle_kill9" --rounds "${KILLS:-100}"
[ -x "$build/coracle" ] && step kubectl tests/kubectl/run.sh "$build"
[ -x "$build/coracle" ] && step cluster tests/cluster/run.sh "$build"

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
