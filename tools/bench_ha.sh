#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The part of bench.sh with three servers, each on a test host of its own (tests/cluster/hosts.sh), and then three members
# of etcd on the same hosts: all share this machine's cores and its one device. Usage, inside namespaces of its own:
# bench_ha.sh BUILD, with RESULTS, SCALE and RUN (which one this is) set.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
BUILD_DIR=$(cd "$TOP" && cd "$1" && pwd)
. "$TOP/tests/kubectl/world.sh"
. "$TOP/tests/kubectl/lib.sh"
. "$TOP/tests/cluster/hosts.sh"
. "$TOP/tests/cluster/lib.sh"
export TOP BUILD_DIR
enter_world bench-ha
. "$TOP/tools/bench_measure.sh"
ip link del lan0
export SERVERS="1 2 3" AGENTS=""
stop_server() { for n in $SERVERS; do crash "$n"; done; }  # at the end, called by the world

# process_of N NAME: as this namespace counts
process_of() {
  local pid host_space; host_space=$(readlink "/proc/$(cat "$WORK/h$1/init")/ns/pid")
  for pid in $(pgrep -x "$2"); do
    [ "$(readlink "/proc/$pid/ns/pid")" != "$host_space" ] || echo "$pid"
  done
}
# aim N PORT PROCESS_NAME: what measure loads from now on
aim() {
  TARGET=$WORK/target.kubeconfig TARGET_PID=$(process_of "$1" "$3")
  sed "s#server: .*#server: https://$(address "$1"):$2#" "$KUBECONFIG" > "$TARGET"
}
per_hour() { awk -v b="$1" -v s="$2" 'BEGIN {printf "%.2f", b * 3600 / s / 1000}'; }  # per_hour BYTES SECONDS: in KB

bench_idle() {
  local n pid device seconds=60
  local -A cpu bytes
  sleep 5
  for n in $SERVERS; do
    pid=$(process_of "$n" coracle)
    cpu[$n]=$(ticks "$pid") bytes[$n]=$(written "$pid")
  done
  device=$(sectors)
  sleep $seconds
  device=$((($(sectors) - device) * 512))
  for n in $SERVERS; do
    pid=$(process_of "$n" coracle)
    note node.idle.ha "$(core_percent $(($(ticks "$pid") - cpu[$n])) $seconds)" "% of a core"
    note flash.idle.ha "$(per_hour $(($(written "$pid") - bytes[$n])) $seconds)" KB/h
    note node.rss.ha "$(mebibytes "$(rss "$pid")")" MiB
  done
  note flash.idle.ha.device "$(per_hour $device $seconds)" KB/h
}

bench_writes() {
  ks 1 create namespace bench > /dev/null
  aim "$(leader)" 6443 coracle
  measure write.ha.c1 create-configmaps 1 "$(scaled 1000)" --bytes 1024
  measure write.ha.c16 create-configmaps 16 "$(scaled 2000)" --bytes 1024
  measure write.ha.c64 create-configmaps 64 "$(scaled 7000)" --bytes 1024
}

# The longest time between two acknowledged writes since the one with that number.
longest_gap_since() {
  awk -v from="$1" '$1 == "ack" && ++n >= from {if (n > from && $4 - last > gap) gap = $4 - last; last = $4} END {print gap + 0}' \
    "$WORK/$CASE.writes"
}
# kill -9 of the leader, five times, while a client that knows all three servers writes one object after another.
bench_failover() {
  local old before
  export CASE=failover NS=failover
  ks 1 create namespace "$NS" > /dev/null
  start_writers
  for _ in 1 2 3 4 5; do
    settle
    more_acknowledged 20 10
    old=$(leader)
    before=$(grep -c ^ack "$WORK/$CASE.writes")
    kill_daemon "$old"
    more_acknowledged 30 10
    note ha.failover "$(longest_gap_since "$before")" ms
    start_server "$old"
  done
  settle
  stop_writers 10000  # nothing that was acknowledged is lost
}

# Member N says of itself that it leads.
etcd_leads() {
  curl -ks --max-time 2 -d '{}' "https://$(address "$1"):2379/v3/maintenance/status" |
    python3 -c 'import json, sys; told = json.load(sys.stdin); sys.exit(told["leader"] != told["header"]["member_id"])' 2> /dev/null
}
etcd_leader() {
  local n
  for n in $SERVERS; do etcd_leads "$n" && echo "$n" && return 0; done
  return 1
}
# Clients speak TLS with the servers' certificates, members TLS among each other, as ours do; no API server before them.
bench_etcd() {
  command -v etcd > /dev/null || return 0
  local n clients members=()
  for n in $SERVERS; do members+=("h$n=https://$(address "$n"):2380"); done
  for n in $SERVERS; do
    host "$n" etcd --name "h$n" --data-dir "$WORK/h$n/etcd" --cert-file "$WORK/h$n/data/pki/server.crt" \
      --key-file "$WORK/h$n/data/pki/server.key" --listen-client-urls "https://$(address "$n"):2379" \
      --advertise-client-urls "https://$(address "$n"):2379" --listen-peer-urls "https://$(address "$n"):2380" \
      --initial-advertise-peer-urls "https://$(address "$n"):2380" --peer-auto-tls --initial-cluster-state new \
      --initial-cluster "$(IFS=","; echo "${members[*]}")" < /dev/null > "$WORK/h$n/etcd.log" 2>&1 &
    disown $!
  done
  eventually 20 etcd_leader
  aim "$(etcd_leader)" 2379 etcd
  for clients in 1 16 64; do measure etcd.ha.put.c$clients put-etcd $clients "$(scaled $((1000 + clients * 30)))" --bytes 1024; done
}

make_switch
bring_up
settle
[ "$RUN" -gt 1 ] || bench_idle  # three servers are three samples of one minute
bench_writes
bench_failover
for n in $SERVERS; do stop_daemon "$n"; done
bench_etcd
stop_server
rm -rf "$WORK"/h*/data "$WORK"/h*/etcd
