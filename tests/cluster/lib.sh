# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by run.sh behind tests/kubectl/lib.sh and hosts.sh: servers, agents and what is asked of them.

common_options() {  # common_options N
  echo --data-dir "$WORK/h$1/data" --run-dir /run/coracle --pid-file "$WORK/h$1/coracle.pid" --node-name "h$1" \
    --cgroup-parent "$CGROUP_PARENT-h$1" --shim "$BUILD_DIR/coracle-shim" \
    --log-level "${LOG_LEVEL:-info}"
}
run_daemon() {  # run_daemon N VERB OPTIONS...: in the background, as an init system would
  local n=$1; shift
  rm -f "$WORK/h$n/coracle.pid"
  host "$n" "$CORACLE" "$@" < /dev/null >> "$WORK/h$n/log" 2>&1 &
  disown $!
  eventually 5 test -s "$WORK/h$n/coracle.pid"
}
# start_server N [OPTIONS...]; later starts need no options
start_server() {
  local n=$1; shift
  # shellcheck disable=SC2046
  run_daemon "$n" server $(common_options "$n") --write-kubeconfig "$WORK/h$n/kubeconfig" "$@"
}
start_agent() {
  local n=$1; shift
  # shellcheck disable=SC2046
  run_daemon "$n" agent $(common_options "$n") "$@"
}
new_token() { token_on 1 create --role "$1"; }  # new_token ROLE: made on server 1
token_on() {  # token_on N create|list|revoke ...: on server N
  local n=$1; shift
  host "$n" "$CORACLE" token "$@" --data-dir "$WORK/h$n/data" --kubeconfig "$WORK/h$n/kubeconfig"
}
on() {  # on N COMMAND...: coracle's own command on server N
  local n=$1; shift
  host "$n" "$CORACLE" "$@" --data-dir "$WORK/h$n/data" --run-dir /run/coracle --kubeconfig "$WORK/h$n/kubeconfig"
}

# ks N ...: kubectl against server N, with what server 1 gave to its administrator
ks() { local n=$1; shift; "$KUBECTL" --server "https://$(address "$n"):6443" --request-timeout=5s "$@"; }
is_ready() { ks "$1" get --raw /readyz; }
nodes_ready() { [ "$(ks "$1" get nodes --no-headers | grep -cw Ready)" = "$2" ]; }

# The number of the leader, as server N knows it; fails where nobody leads.
leader_by() {
  on "$1" member list 2> /dev/null | sed -n 's/^h\([0-9]*\) .* leader$/\1/p' | grep .
}
leader() {
  local n
  for n in ${SERVERS:-1 2 3}; do leader_by "$n" && return 0; done
  return 1
}
other_than() { for n in ${SERVERS:-1 2 3}; do [ "$n" = "$1" ] || echo "$n"; done; }

# Writers go on until they are told to stop; then every write that was acknowledged must be there, on every server.
start_writers() {
  python3 -u "$TOP/tests/cluster/writer.py" "$WORK/$CASE.writes" $(for n in ${SERVERS:-1 2 3}; do address "$n"; done) \
    > "$WORK/$CASE.writer.log" 2>&1 &
  WRITER=$!
  eventually 10 acknowledged 20
}
acknowledged() { [ "$(grep -c ^ack "$WORK/$CASE.writes")" -ge "$1" ]; }
more_acknowledged() {  # more_acknowledged COUNT SECONDS
  local now; now=$(grep -c ^ack "$WORK/$CASE.writes")
  eventually "$2" acknowledged $((now + $1))
}
# stop_writers WORST_GAP_MS: the longest time without an acknowledged write must not be more
stop_writers() {
  kill -TERM $WRITER
  wait $WRITER || { tail -n 20 "$WORK/$CASE.writer.log"; fail "the writer saw what must not be"; }
  python3 "$TOP/tests/cluster/check.py" "$WORK/$CASE.writes" "$1" $(for n in ${SERVERS:-1 2 3}; do address "$n"; done)
}

# All servers up, one leader, everybody caught up: how every case begins.
settle() {
  local n
  for n in ${SERVERS:-1 2 3}; do
    eventually 20 is_ready "$n"
  done
  eventually 20 leader
}

# Five commands: a server, two that join it, two agents.
bring_up() {
  local n first=1
  for n in $SERVERS $AGENTS; do boot "$n"; done
  for n in $SERVERS; do
    if [ $first = 1 ]; then
      start_server "$n"
      export KUBECONFIG=$WORK/h$n/kubeconfig
      eventually 10 is_ready "$n"
      first=0
    else
      start_server "$n" --join "$(address 1)" --token "$(new_token server)"
    fi
  done
  for n in $AGENTS; do start_agent "$n" --join "$(address 1)" --token "$(new_token agent)"; done
  for n in $SERVERS; do eventually 20 is_ready "$n"; done
  # shellcheck disable=SC2086
  eventually 20 nodes_ready 1 "$(echo $SERVERS $AGENTS | wc -w)"
}
