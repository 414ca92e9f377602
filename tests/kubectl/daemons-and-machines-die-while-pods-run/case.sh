# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: main, image: "coracle.local/demo:1", command: [httpd, -f], readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}}
---
apiVersion: v1
kind: Pod
metadata: {name: keeps}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "coracle.local/demo:1", command: [sh, -c, "echo start >> /w/starts; httpd -p 80 -h /w; i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.2; done"], volumeMounts: [{name: w, mountPath: /w}]}
  volumes: [{name: w, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: over}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "until [ -e /host/end ]; do sleep 0.1; done; echo over; exit 4"], volumeMounts: [{name: h, mountPath: /host}]}]
  volumes: [{name: h, hostPath: {path: /run/over, type: DirectoryOrCreate}}]
---
apiVersion: v1
kind: Pod
metadata: {name: doomed}
spec:
  terminationGracePeriodSeconds: 2
  containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "65432"]}]
Y
kn rollout status deployment/web --timeout=30s
kn wait --for=condition=Ready pod/keeps pod/over pod/doomed --timeout=20s
die() { kill -9 "$(cat "$WORK/server.pid")"; while server_alive; do sleep 0.02; done; }

# During a rollout and a deletion; a container ends while nobody looks.
kn delete pod doomed --wait=false
kn set env deployment/web ROUND=two
sleep 0.3
die
touch /run/over/end
sleep 0.7
start_server
kn rollout status deployment/web --timeout=60s
eventually_equal 10 4 sh -c "'$KUBECTL' -n $NS get pods -l app=web -o name | wc -l"
eventually_equal 10 Failed kn get pod over -o 'jsonpath={.status.phase}'
equal "exit code kept" "$(kn get pod over -o 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}')" 4
equal "log kept" "$(kn logs over)" over
eventually_equal 15 "" kn get pod doomed --ignore-not-found -o name
eventually_equal 10 "" pgrep -f 'sleep 65432'
equal "untouched" "$(kn get pod keeps -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
equal "no tick was lost" "$(kn logs keeps | awk '$2 != NR {bad = 1} END {print bad + 0}')" 0
for _ in 1 2 3; do die; start_server; done
equal "still untouched" "$(kn get pod keeps -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
equal "web, too" "$(kn get pods -l app=web -o 'jsonpath={.items[*].status.containerStatuses[0].restartCount}')" "0 0 0 0"

# As after a loss of power: daemon, shims and containers are gone, and with them what lived in memory.
ip=$(kn get pod keeps -o 'jsonpath={.status.podIP}')
equal "starts so far" "$(curl -sf "http://$ip/starts" | wc -l)" 1
die
for name in coracle-shim httpd sh; do for pid in $(pgrep -x $name); do [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ] && [ $name != coracle-shim ] || kill -9 "$pid" 2>/dev/null || true; done; done
for link in $(ip -o link | grep -oE 'cor[^:@ ]*'); do ip link del "$link" 2>/dev/null || true; done
nft flush ruleset
rm -rf "$WORK/run/pods"
start_server
running() { [ "$(kn get pods -l app=web --field-selector=status.phase=Running -o 'jsonpath={.items[*].status.containerStatuses[0].ready}')" = "true true true true" ]; }
eventually 30 running
kn wait --for=condition=Ready pod/keeps --timeout=20s
ip=$(kn get pod keeps -o 'jsonpath={.status.podIP}')
eventually_equal 10 2 sh -c "curl -sf --max-time 2 'http://$ip/starts' | wc -l"
equal "one restart" "$(kn get pod keeps -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 1
equal "what was over stays over" "$(kn get pod over -o 'jsonpath={.status.phase}/{.status.containerStatuses[0].state.terminated.exitCode}/{.status.containerStatuses[0].restartCount}')" Failed/4/0
kn delete deployment web --wait=false
kn delete pod keeps over --grace-period=1 --wait=false
