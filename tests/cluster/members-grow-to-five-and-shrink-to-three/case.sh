# SPDX-License-Identifier: GPL-2.0-or-later
# A cluster of its own, beside the other: one server becomes three, then five, then three again, while writers write.
SERVERS="6 7 8 9 10"
# shellcheck disable=SC2086
own_hosts $SERVERS
start_server 6
export KUBECONFIG=$WORK/h6/kubeconfig
eventually 10 is_ready 6
ks 6 create namespace "$NS" > /dev/null
start_writers

voters() { [ "$(on "$1" member list | grep -c ' voter')" = "$2" ]; }
has_quorum() { on "$1" status | grep -q "quorum: yes, $2 servers"; }
joins() { start_server "$1" --join "$(address "$2")" --token "$(token_on "$2" create --role server --uses 1)"; }
grows() {  # grows TO THROUGH N...: the new servers come at the same time
  local to=$1 through=$2; shift 2
  for n in "$@"; do joins "$n" "$through"; done
  for n in "$@"; do eventually 20 is_ready "$n"; done
  eventually 10 voters "$through" "$to"
  more_acknowledged 30 5
}
grows 3 6 7 8
eventually 10 has_quorum 7 "2 of 3"
grows 5 7 9 10
eventually 10 has_quorum 9 "3 of 5"

# Five go on without two of them, whoever leads.
first=$(leader) second=$(other_than "$first" | head -n 1)
kill_daemon "$first"
kill_daemon "$second"
more_acknowledged 20 10
for n in "$first" "$second"; do start_server "$n"; done
for n in "$first" "$second"; do eventually 20 is_ready "$n"; done

# The first server of all goes, and who leads then: three stay, and they go on without one of them.
on 10 member remove h6 > /dev/null
SERVERS="7 8 9 10"
eventually 10 leader
gone=$(leader)
on "$gone" member remove "h$gone" > /dev/null
SERVERS=$(other_than "$gone" | paste -sd' ')
eventually 10 leader
for n in $SERVERS; do eventually 5 voters "$n" 3; done
more_acknowledged 30 5
lost=$(leader)
kill_daemon "$lost"
more_acknowledged 20 10
start_server "$lost"
settle
stop_writers 4000
