#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make stop`: ends the daemon of `make run` and all its Pods, links, rules and routes. Data stays in build/run/data.
set -euo pipefail
build=$1
top=$(cd "$(dirname "$0")/.." && pwd)
run=$top/build/run
[ -x "$top/$build/coracle" ] || { echo "nothing was built, nothing to stop"; exit 0; }
"$top/$build/coracle" stop --data-dir "$run/data" --run-dir "$run" --pid-file "$run/coracle.pid"
