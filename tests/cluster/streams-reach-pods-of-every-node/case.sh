# SPDX-License-Identifier: GPL-2.0-or-later
# Every server passes exec, attach, cp and port-forward on to the node of the pod.
first=${SERVERS%% *} agent=${AGENTS##* }
host "$agent" "$CORACLE" image load "$WORK/demo.tar" --data-dir "$WORK/h$agent/data" --run-dir /run/coracle > /dev/null
ks "$first" -n "$NS" apply -f - > /dev/null <<Y
apiVersion: v1
kind: Pod
metadata: {name: far}
spec:
  nodeName: h$agent
  containers:
  - name: main
    image: coracle.local/demo:1
    stdin: true
    command: [sh, -c, 'mkdir -p /www; echo page > /www/index.html; httpd -p 8080 -h /www; while read line; do echo got \$line; done']
Y
"$KUBECTL" --server "https://$(address "$first"):6443" -n "$NS" wait --for=condition=Ready pod/far --timeout=60s
for n in $SERVERS; do
  for websockets in true false; do
    export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=$websockets KUBECTL_PORT_FORWARD_WEBSOCKETS=$websockets
    what="by h$n websockets=$websockets"
    run() { timeout 30 "$KUBECTL" --server "https://$(address "$n"):6443" -n "$NS" "$@"; }
    code=0; said=$(run exec far -- sh -c 'echo here; exit 7' 2> /dev/null) || code=$?
    equal "exec $what" "$said $code" "here 7"
    equal "input $what" "$(head -c 2000000 /dev/zero | run exec -i far -- wc -c)" 2000000
    equal "output $what" "$(run exec far -- head -c 2000000 /dev/zero | wc -c)" 2000000
    said=$( (sleep 0.5; echo "hello $n"; sleep 1) | timeout 3 "$KUBECTL" --server "https://$(address "$n"):6443" -n "$NS" attach -i far 2>&1 || true)
    contains "attach $what" "$said" "got hello $n"
    refuses 'container nobody is not valid' run exec far -c nobody -- true
  done
  port=$((18600 + n))
  "$KUBECTL" --server "https://$(address "$n"):6443" -n "$NS" port-forward pod/far "$port:8080" > "$WORK/forward" 2>&1 &
  forward=$!
  eventually 10 grep -q "127.0.0.1:$port" "$WORK/forward"
  equal "page by h$n" "$(curl -s -m 10 "http://127.0.0.1:$port/")" page
  kill $forward; wait $forward 2> /dev/null || true
done

# What the pod uses, as its node tells API servers, and nobody else.
pki=$WORK/h$first/data/pki
node() { curl -sk -m 10 --cert "$pki/kubelet-client.crt" --key "$pki/kubelet-client.key" "https://$(address "$agent"):10250$1"; }
uses() { node /stats/summary | python3 -c "
import json, sys
pod, = [p for p in json.load(sys.stdin)['pods'] if p['podRef'] == p['podRef'] | {'name': 'far', 'namespace': '$NS'}]
print(pod['cpu']['usageCoreNanoSeconds'] > 10**6 and pod['containers'][0]['memory']['workingSetBytes'] > 10**4)"; }
equal "usage" "$(uses)" True
contains metrics "$(node /metrics/resource)" "container_memory_working_set_bytes{container=\"main\",namespace=\"$NS\",pod=\"far\"}"
contains stranger "$(curl -sk -m 10 "https://$(address "$agent"):10250/stats/summary")" Forbidden
ks "$first" -n "$NS" delete pod far --grace-period=1 > /dev/null
