# SPDX-License-Identifier: GPL-2.0-or-later
# A cluster of its own on small file systems. One that is full stops nobody; when all are, writes are refused, while
# reads, watches and deletions go on, until there is room again.
SERVERS="6 7 8"
# shellcheck disable=SC2086
own_hosts $SERVERS
for n in $SERVERS; do
  host "$n" mount -t tmpfs -o size=24m tmpfs "$WORK/h$n/data"
done
start_server 6
export KUBECONFIG=$WORK/h6/kubeconfig
eventually 10 is_ready 6
for n in 7 8; do start_server "$n" --join "$(address 6)" --token "$(token_on 6 create --role server)"; done
for n in $SERVERS; do eventually 20 is_ready "$n"; done
ks 6 create namespace "$NS" > /dev/null
for i in $(seq 1 8); do ks 6 -n "$NS" create configmap "old-$i" > /dev/null; done

fill() { host "$1" sh -c "cd '$WORK/h$1/data'; cat /dev/zero > filler" 2> /dev/null || true; }
free() { host "$1" rm "$WORK/h$1/data/filler"; }
count() { grep -c "store: $2" "$WORK/h$1/log" || true; }
full() { [ "$(count "$1" 'disk full')" -gt "$(count "$1" 'there is room')" ]; }
roomy() { ! full "$1"; }

# The leader's first: it hands over, as it would refuse what others can store.
start_writers
first=$(leader)
fill "$first"
eventually 15 full "$first"
leads_no_more() { [ "$(leader)" != "$first" ]; }
eventually 10 leads_no_more
more_acknowledged 50 10
for n in $SERVERS; do ks "$n" -n "$NS" get configmap old-1 > /dev/null; done

# Then all of them.
"$KUBECTL" --server "https://$(address 7):6443" -n "$NS" get configmaps --watch-only --output-watch-events > "$WORK/$CASE.watch" &
watch=$!
for n in $SERVERS; do fill "$n"; done
create_on() {
  PYTHONPATH=$TOP/tests/cluster python3 - "$(address "$1")" << 'ASK'
import http.client, json, os, sys
from api import context
c = http.client.HTTPSConnection(sys.argv[1], 6443, timeout=10, context=context())
c.request("POST", f"/api/v1/namespaces/{os.environ['NS']}/configmaps",
          json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "more-"}}), {"Content-Type": "application/json"})
a = c.getresponse()
print(a.status, "after", a.headers["Retry-After"], json.loads(a.read())["message"])
ASK
}
for n in $SERVERS; do
  eventually_equal 15 "503 after 10 the disk is full: only deletions are accepted" create_on "$n"
  ks "$n" -n "$NS" get configmap old-1 > /dev/null
done
i=1
for n in $SERVERS; do
  i=$((i + 1))
  ks "$n" -n "$NS" delete configmap "old-$i" > /dev/null
  eventually 5 grep -q "^DELETED *old-$i " "$WORK/$CASE.watch"
  refuses NotFound ks "$n" -n "$NS" get configmap "old-$i"
done
kill "$watch"

# It goes on by itself.
for n in $SERVERS; do free "$n"; done
for n in $SERVERS; do eventually 10 roomy "$n"; done
more_acknowledged 30 5
stop_writers 20000
