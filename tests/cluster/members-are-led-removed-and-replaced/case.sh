# SPDX-License-Identifier: GPL-2.0-or-later
# Every order is given to every server, whoever leads; then members are removed, wiped and taken in again under load.
refuses 'there is no member "nobody"' on 1 member remove nobody
refuses 'is a voter already' on 2 member promote h1
refuses 'usage' on 1 member remove
refuses 'there is no member "nobody"' on 3 leader transfer nobody
refuses 'ask on one of the servers' on "${AGENTS##* }" member list

contains "status" "$(on 2 status)" "quorum: yes, 2 of 3 servers"

leads() { [ "$(leader_by "$1")" = "$2" ]; }
for to in 2 3 1; do
  for from in $SERVERS; do
    [ "$from" != "$to" ] || continue
    on "$from" leader transfer "h$to" > /dev/null
    eventually 5 leads "$from" "$to"
    break
  done
done
# Who cannot take over is told of. It may do so later, when the wish reaches it.
eventually 5 leader
first=$(leader) other=$(other_than "$(leader)" | tail -n 1)
pause_daemon "$other"
refuses 'did not take over' on "$first" leader transfer "h$other"
resume_daemon "$other"
settle

start_writers
first=$(leader)
# A leader that is told to stop hands over first.
stop_daemon "$first"
more_acknowledged 10 5
start_server "$first"
eventually 20 is_ready "$first"

# Removed while it runs, and while it leads: it says so and serves nothing; the others go on.
joins() {  # joins N THROUGH: with an empty data directory, as after flashing
  local token
  rm -rf "$WORK/h$1/data"; mkdir "$WORK/h$1/data"
  token=$(token_on "$2" create --role server --uses 1)
  start_server "$1" --join "$(address "$2")" --token "$token"
  eventually 20 is_ready "$1"
  eventually 10 is_voter "$2" "$1"
  refuses 'was used as often as it allows' host "$1" timeout 10 "$CORACLE" agent --join "$(address "$2")" --token "$token" \
    --node-name late --data-dir "$WORK/late" --run-dir /run/late --shim "$BUILD_DIR/coracle-shim"
}
is_voter() { on "$1" member list | grep -q "^h$2 .*voter"; }
says_removed() { on "$1" member list | grep -q 'was removed from the cluster'; }
eventually 5 leader
away=$(leader) stays=$(other_than "$(leader)" | tail -n 1)
on "$away" member remove "h$away" > /dev/null
eventually 5 says_removed "$away"
contains "answer of a removed server" "$(PYTHONPATH="$TOP/tests/cluster" python3 -c "
from api import Server, context
print(Server('$(address "$away")', context()).ask('GET', '/api/v1/nodes'))" 2>&1 || true)" 'was removed from the cluster'
refuses 'quorum' ks "$away" get --raw '/readyz?verbose'
lacks "members" "$(on "$stays" member list)" "h$away "
more_acknowledged 20 5
# With its old data it stays out, and learns why from the others.
stop_daemon "$away"
start_server "$away" --join "$(address "$stays")" --token "$(token_on "$stays" create --role server)"
eventually 5 says_removed "$away"
kill_daemon "$away"
joins "$away" "$stays"

# Flashed anew under its name: the new one takes the place of the old one.
away=$(other_than "$stays" | sed -n 1p)
kill_daemon "$away"
joins "$away" "$stays"
equal "members" "$(on "$stays" member list | grep -c voter)" 3
more_acknowledged 20 5
stop_writers 3000
