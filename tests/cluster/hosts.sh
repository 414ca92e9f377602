# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by run.sh: test hosts. Host N has its own network, mount, pid and uts namespaces, a data directory of its own
# ($WORK/hN) and the address 172.30.0.N on the switch br0, which the outer namespace owns and shares (172.30.0.254).
# Faults of a network are made where they happen: in the host's own packet filter and queue.

address() { cat "$WORK/h$1/address" 2> /dev/null || echo "172.30.0.$1"; }
renumber() {  # renumber N ADDRESS: while it runs, as a new lease would
  host "$1" sh -ec "ip addr del $(address "$1")/24 dev eth0; ip addr add $2/24 dev eth0"
  echo "$2" > "$WORK/h$1/address"
}

make_switch() {
  ip link add name br0 type bridge
  ip addr add 172.30.0.254/24 dev br0
  ip link set br0 up
}

# boot N: power on. The data directory is what it was.
boot() {
  local n=$1 keeper
  mkdir -p "$WORK/h$n/data"
  unshare -n -m -p -u -f --kill-child --mount-proc sleep infinity < /dev/null > /dev/null 2>&1 &
  keeper=$!
  disown $keeper
  echo $keeper > "$WORK/h$n/keeper"
  until init=$(cat "/proc/$keeper/task/$keeper/children" 2> /dev/null) && [ -n "$init" ]; do sleep 0.01; done
  init=${init% }
  echo "$init" > "$WORK/h$n/init"
  until [ "$(host "$n" readlink /proc/self/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
  ip link add "p$n" type veth peer name eth0 netns "$init"
  ip link set "p$n" master br0 up
  ip neigh flush to "$(address "$n")" dev br0  # of another device with this address
  host "$n" sh -ec "hostname h$n; mount --make-rprivate /; mount -t tmpfs tmpfs /run; ip link set lo up
    ip addr add $(address "$n")/24 dev eth0; ip link set eth0 up"
}

# crash N: power off, without a word to anybody.
crash() {
  kill -9 "$(cat "$WORK/h$1/init")" 2> /dev/null || true
  # All its processes are dead by then, though some may wait to be reaped.
  for _ in $(seq 1 50); do
    grep -qs '^State:.*[RSD] ' "/proc/$(cat "$WORK/h$1/keeper")/status" || break
    sleep 0.02
  done
  ip link del "p$1" 2> /dev/null || true
}

# own_hosts N...: new hosts for one case alone; they are gone at its end
own_hosts() {
  local n
  OWN=$*
  trap 'drop_own_hosts $?' EXIT
  for n in $OWN; do
    rm -rf "$WORK/h$n"
    boot "$n"
  done
}
drop_own_hosts() {  # drop_own_hosts STATUS
  local n
  for n in $OWN; do
    [ "$1" = 0 ] || { echo "-- h$n"; tail -n 8 "$WORK/h$n/log" 2> /dev/null || true; }
    crash "$n"
  done
}

# host N COMMAND...: runs it there
host() {
  local n=$1; shift
  nsenter -t "$(cat "$WORK/h$n/init")" -n -m -p -u "$@"
}

daemon_pid() { cat "$WORK/h$1/coracle.pid"; }  # as the host counts
daemon_alive() { host "$1" kill -0 "$(daemon_pid "$1")" 2> /dev/null; }
kill_daemon() { host "$1" kill -9 "$(daemon_pid "$1")"; eventually 5 daemon_gone "$1"; }
stop_daemon() { host "$1" kill "$(daemon_pid "$1")"; eventually 10 daemon_gone "$1"; }
daemon_gone() { ! daemon_alive "$1"; }
pause_daemon() { host "$1" kill -STOP "$(daemon_pid "$1")"; }
resume_daemon() {
  host "$1" kill -CONT "$(daemon_pid "$1")"
  pkill -CONT -x nsenter || true  # stops itself with its child, and reaps nothing then
}

filter() {  # filter N INPUT_RULE OUTPUT_RULE
  host "$1" nft -f - << RULES
table inet cut {
  chain i {
    type filter hook input priority -500;
    $2
  }
  chain o {
    type filter hook output priority -500;
    $3
  }
}
RULES
}
# cut_off N M...: host N and hosts M no longer hear each other
cut_off() {
  local n=$1 others; shift
  others=$(for m in "$@"; do address "$m"; done | paste -sd,)
  filter "$n" "ip saddr { $others } drop" "ip daddr { $others } drop"
}
# deafen N M...: host N no longer hears hosts M, which hear it
deafen() {
  local n=$1 others; shift
  others=$(for m in "$@"; do address "$m"; done | paste -sd,)
  filter "$n" "ip saddr { $others } drop" ""
}
# lose N PERCENT: of what host N hears from the other hosts
lose() {
  filter "$1" "ip saddr 172.30.0.1-172.30.0.99 numgen random mod 100 < $2 drop" ""
}
# slow N RATE: what host N sends to anybody
slow() { host "$1" tc qdisc replace dev eth0 root tbf rate "$2" burst 16kb latency 400ms; }
mend() {
  host "$1" nft delete table inet cut 2> /dev/null || true
  host "$1" tc qdisc del dev eth0 root 2> /dev/null || true
}
