#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make golden [ROOM=x]`: runs the unit tests that compare with tests/golden, with CORACLE_REWRITE=1 set by make.
set -uo pipefail
build=$1 room=${2:-}
cd "$(dirname "$0")/.."
passed=0 failed=0
for binary in "$build"/${room:-*}_test; do
  [ -x "$binary" ] || continue
  if "$binary" --gtest_filter='*olden*' --gtest_brief=1; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
git --no-pager diff --stat -- tests/golden
echo "$passed passed, $failed failed"
[ $failed = 0 ]
