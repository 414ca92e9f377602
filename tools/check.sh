#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make check`: floors and banned words, formatting, clang-tidy. `make analyze` looks deeper, and takes long.
set -uo pipefail
build=$1
cd "$(dirname "$0")/.."
status=0
tools/floors.py || status=1
mapfile -t files < <(git ls-files 'src/*.cc' 'src/*.h' 'port/*.cc' 'port/*.h' 'tests/*.cc' 'tests/*.h')
if ! clang-format-14 --dry-run -Werror "${files[@]}" 2> build/format.log; then
  grep -c 'error:' build/format.log | sed 's/^/format: findings: /'
  grep 'error:' build/format.log | cut -d: -f1 | sort | uniq -c | sort -rn | head -20
  status=1
else
  echo "format: ${#files[@]} files"
fi
tools/tidy.py "$build" || status=1
exit $status
