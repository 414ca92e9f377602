# SPDX-License-Identifier: GPL-2.0-or-later
# Every device gets another address at the same moment, while all daemons run: nobody knows where anybody is.
ks 1 -n "$NS" create configmap before > /dev/null
begin=$(date +%s%N)
for n in $SERVERS $AGENTS; do renumber "$n" "172.30.0.$((n + 10))"; done
settle
took=$((($(date +%s%N) - begin) / 1000000))
at_new_address() { ks 1 get nodes -o wide --no-headers | awk -v at="$(address "$1")" -v node="h$1" '$1 == node && $6 == at && $2 == "Ready"' | grep -q .; }
for n in $SERVERS $AGENTS; do eventually 30 at_new_address "$n"; done
echo "servers answered after $took ms, all nodes were Ready after $((($(date +%s%N) - begin) / 1000000)) ms"
for n in $SERVERS; do
  equal "h$n's data" "$(ks "$n" -n "$NS" get configmap before -o name)" configmap/before
  eventually_equal 5 3 sh -c "nsenter -t $(cat "$WORK/h$n/init") -n -m -p -u $CORACLE member list --run-dir /run/coracle | grep -c '172.30.0.1[0-9]:6444'"
done
