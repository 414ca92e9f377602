# SPDX-License-Identifier: GPL-2.0-or-later
# A card is copied and both devices are switched on: one of the two is fenced and named; the cluster goes on.
start_writers
copy() {  # copy N: host 9 with the data of host N
  rm -rf "$WORK/h9"; boot 9
  cp -a "$WORK/h$1/data/." "$WORK/h9/data/"
}
# shellcheck disable=SC2046
run_copy() { run_daemon 9 "$1" $(common_options 9) --node-name "h$2" "${@:3}"; }

member=$(other_than "$(leader)" | tail -n 1)
copy "$member"
run_copy server "$member" --write-kubeconfig "$WORK/h9/kubeconfig"
fenced() { grep -qs 'another device with the identity of member' "$WORK/h$1/log"; }
eventually 15 fenced 9
more_acknowledged 20 5
crash 9
eventually 10 is_ready "$member"

agent=${AGENTS##* }
copy "$agent"
run_copy agent "$agent"
# The later one takes the place; the older one is refused as soon as it speaks, and told why.
copied() { ks 1 -n default get events -o jsonpath='{.items[*].reason}' | grep -q IdentityCopied; }
eventually 15 copied
eventually 15 grep -qs 'another device runs with the identity of node' "$WORK/h$agent/log"
crash 9
# The copy is gone: a restart of the right one is enough.
stop_daemon "$agent"
start_agent "$agent"; stop_daemon "$agent"; start_agent "$agent"
lease_of() { ks 1 -n kube-node-lease get lease "h$1" -o 'jsonpath={.spec.renewTime}'; }
before=$(lease_of "$agent")
renewed() { [ "$(lease_of "$agent")" != "$before" ]; }
eventually 15 renewed
stop_writers 3000
rm -rf "$WORK/h9"
