# SPDX-License-Identifier: GPL-2.0-or-later
agent=${AGENTS##* }
host "$agent" "$CORACLE" image load "$WORK/demo.tar" --data-dir "$WORK/h$agent/data"
IMAGE=$(host "$agent" "$CORACLE" image ls --data-dir "$WORK/h$agent/data" | awk 'NR == 1 { print $1 }')
ks 1 -n "$NS" create configmap page --from-literal=index.html="from the agent" > /dev/null
ks 1 -n "$NS" apply -f - > /dev/null << YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeSelector: {kubernetes.io/hostname: h$agent}
  containers:
  - {name: web, image: "$IMAGE", imagePullPolicy: Never, command: [/bin/busybox, httpd, -f, -v, -p, "8080", -h, /page],
     volumeMounts: [{name: page, mountPath: /page}, {name: data, mountPath: /data}]}
  volumes: [{name: page, configMap: {name: page}}, {name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
YAML
ks 1 -n "$NS" wait --for=condition=Ready pod/web --timeout=30s > /dev/null
VIP=$(ks 1 -n "$NS" get service web -o 'jsonpath={.spec.clusterIP}')
page() { host "$1" python3 -c "import urllib.request; print(urllib.request.urlopen('http://$VIP/', timeout=2).read().decode())"; }

# Every node reaches the pod through the Service, every server reads its log.
for n in $SERVERS $AGENTS; do eventually_equal 5 "from the agent" page "$n"; done
for n in $SERVERS; do contains "log read through server $n" "$(ks "$n" -n "$NS" logs web)" "response:200"; done
# A ConfigMap that changes reaches the agent.
ks 1 -n "$NS" patch configmap page -p '{"data":{"index.html":"changed"}}' > /dev/null
eventually_equal 5 changed page "$agent"

# No server anywhere, and an agent killed at once after a Pod has come: its memory, written a second after what it
# holds has changed, does not name that Pod. Both go on.
eventually 5 grep -q '"changed"' "$WORK/h$agent/data/memory"
cp "$WORK/h$agent/data/memory" "$WORK/memory"
ks 1 -n "$NS" apply -f - > /dev/null << YAML
apiVersion: v1
kind: Pod
metadata: {name: latest}
spec:
  nodeName: h$agent
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: "$IMAGE", imagePullPolicy: Never, command: [/bin/busybox, sleep, "86399"]}]
YAML
latest_pid() { host "$agent" pgrep -f '[s]leep 86399'; }
eventually_equal 5 Running ks 1 -n "$NS" get pod latest -o 'jsonpath={.status.phase}'  # any kubectl can
kill_daemon "$agent"
latest=$(latest_pid)
if grep -q '"name":"latest"' "$WORK/h$agent/data/memory"; then cp "$WORK/memory" "$WORK/h$agent/data/memory"; fi
for n in $SERVERS; do kill_daemon "$n"; done
web_pid() { host "$agent" pgrep -f '[h]ttpd -f -v -p 8080'; }
before=$(web_pid)
equal "page while no daemon runs" "$(page "$agent")" changed
start_agent "$agent"
eventually 10 grep -q 'from=memory' "$WORK/h$agent/log"
equal "the pod's process" "$(web_pid)" "$before"
equal "the latest pod's process" "$(latest_pid)" "$latest"
equal "page without servers" "$(page "$agent")" changed

for n in $SERVERS; do start_server "$n"; done
settle
# shellcheck disable=SC2086
eventually 30 nodes_ready 1 "$(echo $SERVERS $AGENTS | wc -w)"
equal "the pod's process" "$(web_pid)" "$before"
equal "the latest pod's process" "$(latest_pid)" "$latest"
equal "its restarts" "$(ks 1 -n "$NS" get pod latest -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
ks 1 -n "$NS" delete pod web latest --grace-period=1 --wait > /dev/null
# What the pod claimed is a directory of its node, and goes with the claim.
[ "$(ls "$WORK/h$agent/data/storage" | wc -l)" = 1 ] || fail "no directory for the claim"
ks 1 -n "$NS" delete pvc data > /dev/null
gone() { [ -z "$(ls "$WORK/h$agent/data/storage")" ]; }
eventually 20 gone
eventually_equal 10 '' ks 1 get pv -o name
