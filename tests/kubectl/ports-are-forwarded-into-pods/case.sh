# SPDX-License-Identifier: GPL-2.0-or-later
kn apply -f - > /dev/null <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: main
    image: coracle.local/demo:1
    ports: [{name: http, containerPort: 8080}]
    command: [sh, -c, 'mkdir /www; echo page > /www/index.html; head -c 5000000 /dev/zero > /www/big; httpd -p 127.0.0.1:8080 -h /www; while :; do nc -l -p 9090 -e cat; done']
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
Y
kn wait --for=condition=Ready pod/web --timeout=20s
port=18000
for kubectl in $(some_kubectls); do
  for websockets in true false; do
    export KUBECTL_PORT_FORWARD_WEBSOCKETS=$websockets
    what="$(basename "$kubectl") websockets=$websockets"
    port=$((port + 10))
    "$kubectl" -n "$NS" port-forward pod/web $port:8080 $((port + 1)):9090 $((port + 2)):7 > "$WORK/forward.log" 2>&1 &
    forward=$!
    eventually 10 grep -q "127.0.0.1:$((port + 2))" "$WORK/forward.log"
    equal "page, $what" "$(curl -s -m 10 http://127.0.0.1:$port/)" page
    equal "large, $what" "$(curl -s -m 20 http://127.0.0.1:$port/big | wc -c)" 5000000
    for i in 1 2 3 4 5 6; do curl -s -m 10 "http://127.0.0.1:$port/?$i" > "$WORK/forward.$i" & fetches[i]=$!; done
    for i in 1 2 3 4 5 6; do wait "${fetches[i]}"; equal "at once, $what" "$(cat "$WORK/forward.$i")" page; done
    equal "echo, $what" "$(echo there and back | timeout 10 busybox nc 127.0.0.1 $((port + 1)))" "there and back"
    curl -s -m 5 http://127.0.0.1:$((port + 2))/ > /dev/null || true
    eventually 5 grep -q 'failed to connect to localhost:7 inside namespace' "$WORK/forward.log"
    kill $forward 2> /dev/null || true
    wait $forward 2> /dev/null || true
  done
done
unset KUBECTL_PORT_FORWARD_WEBSOCKETS
"$KUBECTL" -n "$NS" port-forward service/web 18500:80 > "$WORK/forward.log" 2>&1 &
forward=$!
eventually 10 grep -q 127.0.0.1:18500 "$WORK/forward.log"
equal "by service" "$(curl -s -m 10 http://127.0.0.1:18500/)" page
kill $forward; wait $forward 2> /dev/null || true
