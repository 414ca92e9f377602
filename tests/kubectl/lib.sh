# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by run.sh and by every case. A case is tests/kubectl/<what-happens>/case.sh: it runs with `set -e` in its own
# folder, in a fresh namespace $NS.

k() { "$KUBECTL" "$@"; }
kn() { "$KUBECTL" -n "$NS" "$@"; }

# The oldest kubectl, one in the middle and the newest: enough where versions hardly differ.
some_kubectls() {
  local all; read -ra all <<< "$KUBECTLS_LIST"
  printf '%s\n' "${all[0]}" "${all[$((${#all[@]} / 2))]}" "${all[-1]}" | uniq
}

fail() { echo "FAILED: $*" >&2; exit 1; }

# equal WHAT ACTUAL EXPECTED
equal() { [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"; }
# contains WHAT TEXT PART
contains() { case "$2" in *"$3"*) ;; *) fail "$1: '$3' not in: $2" ;; esac; }
lacks() { case "$2" in *"$3"*) fail "$1: '$3' is in: $2" ;; *) ;; esac; }
# refuses PART COMMAND...: the command fails and says PART
refuses() {
  local part=$1 out; shift
  if out=$("$@" 2>&1); then fail "was accepted: $*"; fi
  contains "answer of $*" "$out" "$part"
}
# eventually SECONDS COMMAND...: tries until it succeeds
eventually() {
  local until=$((SECONDS + 4 * $1)); shift  # machines are slow when they build beside
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt "$until" ] || fail "did not come true: $*"
    sleep 0.1
  done
}
# eventually_equal SECONDS EXPECTED COMMAND...
eventually_equal() {
  local until=$((SECONDS + 4 * $1)) expected=$2 out=; shift 2
  while :; do
    out=$("$@" 2>/dev/null) || out=
    [ "$out" = "$expected" ] && return 0
    [ $SECONDS -lt "$until" ] || fail "stayed '$out', expected '$expected': $*"
    sleep 0.1
  done
}

start_server() {
  "$CORACLE" server --data-dir "$WORK/data" --run-dir "$WORK/run" --pid-file "$WORK/coracle.pid" --bind-address 127.0.0.1 \
    --node-name node-1 --node-ip 172.30.0.1 --port 6443 --write-kubeconfig "$KUBECONFIG" --shim "$BUILD_DIR/coracle-shim" \
    --cgroup-parent "$CGROUP_PARENT" --log-level "${LOG_LEVEL:-info}" < /dev/null >> "$WORK/server.log" 2>&1 &
  SERVER_PID=$!
  echo $SERVER_PID > "$WORK/server.pid"
  for _ in $(seq 1 100); do
    [ -s "$KUBECONFIG" ] && k get --raw /readyz > /dev/null 2>&1 && break
    server_alive || { tail -n 20 "$WORK/server.log"; fail "server ended at start"; }
    sleep 0.05
  done
  k wait --for=condition=Ready node/node-1 --timeout=20s > /dev/null || { tail -n 20 "$WORK/server.log"; fail "node did not get Ready"; }
}
server_alive() { kill -0 "$(cat "$WORK/server.pid")" 2>/dev/null; }
stop_server() {
  kill "$(cat "$WORK/server.pid")" 2>/dev/null || return 0
  while [ -e "/proc/$(cat "$WORK/server.pid")/exe" ]; do sleep 0.02; done  # whoever its parent is
}
remove_cgroups() {
  find /sys/fs/cgroup -depth -type d -path "*/$CGROUP_PARENT*" -exec rmdir {} + 2>/dev/null || true
}
