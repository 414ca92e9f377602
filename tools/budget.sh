#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make budget`: one line a budget, `name value unit limit ok|OVER`; fails if one is over. Limits: tools/budgets.txt.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
BUILD_DIR=$(cd "$TOP/$1" && pwd)
. "$TOP/tests/kubectl/world.sh"
. "$TOP/tests/kubectl/lib.sh"
if [ -z "${CORACLE_INSIDE:-}" ]; then enter_world "$0" "$@"; fi
export TOP BUILD_DIR
enter_world budget

over=0 within=0
report() {  # report NAME VALUE
  local limit unit verdict=ok
  read -r unit limit < <(awk -v n="$1" '$1 == n {print $2, $3}' "$TOP/tools/budgets.txt")
  if [ "$2" -gt "$limit" ]; then verdict=OVER; over=$((over + 1)); else within=$((within + 1)); fi
  printf '%-20s %8d %-9s %8d  %s\n' "$1" "$2" "$unit" "$limit" "$verdict"
}
rss() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }
pss() { awk '/^Pss:/ {print $2}' "/proc/$1/smaps_rollup"; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
switches() { cat /proc/"$1"/task/*/status | awk '/^voluntary_ctxt_switches/ {n += $2} END {print n}'; }
written() { awk '/^write_bytes/ {print $2}' "/proc/$1/io"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

cp "$BUILD_DIR/coracle" "$WORK/stripped" && strip "$WORK/stripped"
report node.size $(($(stat -c %s "$WORK/stripped") / 1024))
report shim.size $((($(stat -c %s "$BUILD_DIR/coracle-shim") + 1023) / 1024))

start_server; stop_server  # the second start is the warm one
begin=$(now_ms)
"$CORACLE" server --data-dir "$WORK/data" --run-dir "$WORK/run" --pid-file "$WORK/coracle.pid" --bind-address 127.0.0.1 \
  --node-name node-1 --node-ip 172.30.0.1 --write-kubeconfig "$KUBECONFIG" --shim "$BUILD_DIR/coracle-shim" \
  --cgroup-parent "$CGROUP_PARENT" < /dev/null >> "$WORK/server.log" 2>&1 &
echo $! > "$WORK/server.pid"
# The node was Ready before: what counts is the first line that says this start is complete.
until grep -q 'daemon: started' <(tail -n 1 "$WORK/server.log"); do sleep 0.005; done
report node.boot $(($(now_ms) - begin))
server=$(cat "$WORK/server.pid")
sleep 5
report node.rss "$(rss "$server")"
cpu=$(ticks "$server") wakes=$(switches "$server") bytes=$(written "$server")
sleep 60
report node.idle.cpu $((($(ticks "$server") - cpu) * 1000 / (60 * $(getconf CLK_TCK))))
report node.idle.wakeups $((($(switches "$server") - wakes) / 60))
report node.idle.writes $((($(written "$server") - bytes) / 1024))

"$TOP/tools/demo_image.sh" "$WORK/demo.tar"
"$CORACLE" image load "$WORK/demo.tar" --data-dir "$WORK/data" --run-dir "$WORK/run" > /dev/null
k create deployment idle --image=coracle.local/demo:1 --replicas=10 -- sleep 100000 > /dev/null
k rollout status deployment/idle --timeout=60s > /dev/null
sleep 5
report node.rss.10pods "$(rss "$server")"
total=0 shims=0
for pid in $(pgrep -x coracle-shim); do total=$((total + $(pss "$pid"))); shims=$((shims + 1)); done
report shim.pss $((total / (shims > 0 ? shims : 1)))
report node.rss.pod $((total / (shims > 0 ? shims : 1)))  # nothing else stays beside the workload
echo "$within passed, $over failed"
[ $over = 0 ]
