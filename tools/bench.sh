#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make bench`: loads a server of its own over TLS, beside the peers that this machine has, three times in one go, and
# writes build/bench/report.json and report.md. Refuses to report from a machine that is busy with something else
# (less than 85 % idle beforehand) unless BENCH_FORCE=1. BENCH_RUNS and BENCH_SCALE (percent of the operations) make it
# shorter.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
BUILD_DIR=$(cd "$TOP/$1" && pwd)
RUNS=${BENCH_RUNS:-3}
SCALE=${BENCH_SCALE:-100}
. "$TOP/tests/kubectl/world.sh"
. "$TOP/tests/kubectl/lib.sh"

idle_percent() {  # over three seconds
  local a b
  a=$(awk '/^cpu / {print $5 + $6, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9}' /proc/stat)
  sleep 3
  b=$(awk '/^cpu / {print $5 + $6, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9}' /proc/stat)
  echo "$a $b" | awk '{printf "%d", 100 * ($3 - $1) / ($4 - $2)}'
}

if [ -z "${CORACLE_INSIDE:-}" ]; then
  ninja -C "$BUILD_DIR" coracle_bench coracle_sched_bench > /dev/null
  BENCH_IDLE=$(idle_percent)
  export BENCH_IDLE
  if [ "$BENCH_IDLE" -lt 85 ] && [ "${BENCH_FORCE:-}" != 1 ]; then
    echo "bench: refused: this machine is only $BENCH_IDLE % idle before anything started (BENCH_FORCE=1 measures anyway)"
    exit 1
  fi
  enter_world "$0" "$@"
fi
export TOP BUILD_DIR
enter_world bench
export RESULTS=$WORK/lines.jsonl SCALE
. "$TOP/tools/bench_measure.sh"

# A second start of a server whose data is there: exec until it says that it has started.
boot_again() {
  local begin
  stop_server
  : > "$WORK/server.log"
  begin=$(now_ms)
  start_server_process
  until grep -q 'daemon: started' "$WORK/server.log"; do
    server_alive || fail "server ended at start"
    sleep 0.005
  done
  note node.boot $(($(now_ms) - begin)) ms
}
start_server_process() {
  "$CORACLE" server --data-dir "$WORK/data" --run-dir "$WORK/run" --pid-file "$WORK/coracle.pid" --bind-address 127.0.0.1 \
    --node-name node-1 --node-ip 172.30.0.1 --write-kubeconfig "$KUBECONFIG" --shim "$BUILD_DIR/coracle-shim" \
    --cgroup-parent "$CGROUP_PARENT" < /dev/null >> "$WORK/server.log" 2>&1 &
  echo $! > "$WORK/server.pid"
}

bench_idle_node() {
  local cpu written seconds=60
  boot_again
  TARGET=$KUBECONFIG TARGET_PID=$(cat "$WORK/server.pid")
  sleep 5
  note node.rss "$(mebibytes "$(rss "$TARGET_PID")")" MiB
  cpu=$(ticks "$TARGET_PID") written=$(sectors)
  sleep $seconds
  note node.idle "$(core_percent $(($(ticks "$TARGET_PID") - cpu)) $seconds)" "% of a core"
  note flash.idle "$(awk -v n=$(($(sectors) - written)) -v s=$seconds 'BEGIN {printf "%.2f", n * 512 * 86400 / s / 1e6}')" MB/day
}

bench_pods() {
  k create namespace bench > /dev/null
  "$TOP/tools/demo_image.sh" "$WORK/demo.tar"
  "$CORACLE" image load "$WORK/demo.tar" --data-dir "$WORK/data" --run-dir "$WORK/run" > /dev/null
  measure pod.start start-pods 1 "$(scaled 20)"
  local total=0 shims=0 pid
  k -n bench run idle --image=coracle.local/demo:1 --restart=Never -- sleep 100000 > /dev/null
  k -n bench wait --for=condition=Ready pod/idle --timeout=20s > /dev/null
  for pid in $(pgrep -x coracle-shim); do total=$((total + $(pss "$pid"))) shims=$((shims + 1)); done
  note node.rss.pod "$(awk -v k=$total -v n=$shims 'BEGIN {printf "%.3f", k / 1024 / n}')" MiB
  k -n bench delete pod idle --grace-period=0 --force > /dev/null 2>&1
}

bench_api() {
  k create namespace bench-watch > /dev/null  # alone: what a watch costs must not hang on what else there is
  "$BUILD_DIR/coracle_bench" --workload print-pod --bytes 6700 | k -n bench create -f - > /dev/null
  k -n bench-watch create configmap watched --from-literal=sent=0 > /dev/null
  measure flash.write create-configmaps 1 "$(scaled 20)" --bytes 512 --pause-ms 500
  measure write.create.c1 create-pods 1 "$(scaled 1000)"
  measure write.create.c16 create-pods 16 "$(scaled 1600)"
  measure write.create.c64 create-pods 64 "$(scaled 3200)"
  measure write.configmap.c1 create-configmaps 1 "$(scaled 1000)" --bytes 1024
  measure write.configmap.c16 create-configmaps 16 "$(scaled 2000)" --bytes 1024
  measure write.configmap.c64 create-configmaps 64 "$(scaled 7000)" --bytes 1024
  for clients in 1 16 64; do measure read.get.c$clients get-pod $clients "$(scaled 5000)"; done
  measure list.10k list-configmaps 1 5
  measure list.mem list-configmaps 4 8
  measure watch.fan1k watch 1000 "$(scaled 50)"
}

# The scheduler alone; then a Deployment of 1,000 replicas over 1,000 nodes that are only told of, through the store.
bench_scheduler() {
  local begin bound
  "$BUILD_DIR/coracle_sched_bench" >> "$RESULTS"
  python3 - << 'END' > "$WORK/nodes.json"
import json
ready = [{"type": "Ready", "status": "True", "reason": "Told", "message": "",
          "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
print(json.dumps({"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"told-{i}", "labels": {"told": "yes"}},
     "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}, "conditions": ready}} for i in range(1000)]}))
END
  k create namespace bench-sched > /dev/null
  k create -f "$WORK/nodes.json" > /dev/null
  k -n bench-sched create deployment many --image=coracle.local/demo:1 --replicas=0 --dry-run=client -o json |
    python3 -c 'import json,sys; d = json.load(sys.stdin); d["spec"]["template"]["spec"]["nodeSelector"] = {"told": "yes"}; print(json.dumps(d))' |
    k create -f - > /dev/null
  begin=$(now_ms)
  k -n bench-sched scale deployment/many --replicas=1000 > /dev/null
  until [ "$(k get --raw '/api/v1/namespaces/bench-sched/pods?resourceVersion=0' | grep -o '"nodeName":"told' | wc -l)" = 1000 ]; do
    [ $(($(now_ms) - begin)) -lt 60000 ] || { echo "bench: sched.1k: not all were bound" >&2; break; }
  done
  note sched.1k $((1000000 / ($(now_ms) - begin))) /s
}

# etcd alone, with the server's certificate: what its JSON gateway takes, and no API server before it.
bench_etcd() {
  command -v etcd > /dev/null || return 0
  etcd --data-dir "$WORK/etcd" --listen-client-urls https://127.0.0.1:2379 --advertise-client-urls https://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --cert-file "$WORK/data/pki/server.crt" --key-file "$WORK/data/pki/server.key" \
    > "$WORK/etcd.log" 2>&1 &
  TARGET_PID=$!
  TARGET=$WORK/etcd.kubeconfig
  sed 's/:6443/:2379/' "$KUBECONFIG" > "$TARGET"
  for _ in $(seq 1 100); do
    grep -q 'serving client requests\|serving client traffic' "$WORK/etcd.log" && break
    sleep 0.1
  done
  for clients in 1 16 64; do measure etcd.put.c$clients put-etcd $clients "$(scaled $((1000 + clients * 30)))" --bytes 1024; done
  kill "$TARGET_PID" && wait "$TARGET_PID" 2> /dev/null || true
  rm -rf "$WORK/etcd"
}

# Does a create cost more where there are more objects? The same beside 1,000, 10,000 and (at full scale) 100,000, which
# must be small: a database has 64 MiB at most.
bench_growth() {
  local there=0 objects size
  rm -rf "$WORK/data" "$KUBECONFIG"
  start_server
  TARGET=$KUBECONFIG TARGET_PID=$(cat "$WORK/server.pid")
  k create namespace bench > /dev/null
  for size in 1 10 100; do
    [ $size -lt 100 ] || [ "$SCALE" -ge 100 ] || continue
    objects=$(scaled $((size * 1000)))
    measure growth.fill.${size}k create-configmaps 64 $((objects - there)) --bytes 128
    measure growth.create.${size}k create-configmaps 1 "$(scaled 1000)" --bytes 128
    there=$((objects + $(scaled 1000)))
  done
}

# In namespaces of its own: its hosts have the addresses that this one has.
bench_ha() {
  CORACLE_INSIDE=$CORACLE_INSIDE-ha RUN=$run unshare -m -u -n -p -f --kill-child --mount-proc \
    "$TOP/tools/bench_ha.sh" "$BUILD_DIR" ||
    echo '{"name":"ha","failed":1,"failure":"three servers: this part ended early"}' >> "$RESULTS"
}

: > "$RESULTS"
cp "$BUILD_DIR/coracle" "$WORK/stripped" && strip "$WORK/stripped"
note node.size "$(awk -v b="$(stat -c %s "$WORK/stripped")" 'BEGIN {printf "%.2f", b / 1048576}')" MiB
for run in $(seq 1 "$RUNS"); do
  echo "bench: run $run of $RUNS"
  rm -rf "$WORK/data"
  start_server
  bench_idle_node
  bench_pods
  bench_api
  bench_scheduler
  stop_server  # with 1,000 nodes that nobody renews; the peer has the machine to itself
  bench_etcd
  bench_growth
  stop_server
  bench_ha
done
"$TOP/tools/bench_report.py" "$RESULTS" "$WORK" --idle "$BENCH_IDLE" --runs "$RUNS" --scale "$SCALE" \
  --peer "$(command -v etcd > /dev/null && etcd --version | head -n 1 || true)"
rm -rf "$WORK/data" "$WORK/stripped"
cat "$WORK/report.md"
