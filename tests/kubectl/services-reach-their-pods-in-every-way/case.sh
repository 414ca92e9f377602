# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: coracle.local/demo:1
        command: [sh, -c, "hostname > /www/name; exec httpd -f -p 8080 -h /www"]
        ports: [{name: http, containerPort: 8080}, {name: names, containerPort: 5353, protocol: UDP}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho; timeout 3 wget -qO- http://$QUERY_STRING 2>&1 || echo failed\\n' > /www/cgi-bin/get; chmod +x /www/cgi-bin/get; exec httpd -f -p 80 -h /www"]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: web, port: 80, targetPort: http}, {name: alt, port: 8081, targetPort: 8080}, {name: names, port: 53, protocol: UDP, targetPort: names}]}
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {selector: {app: web}, sessionAffinity: ClientIP, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: none}
spec: {selector: {app: nothing}, ports: [{name: t, port: 80}, {name: u, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: manual}
spec: {ports: [{name: p, port: 80, targetPort: 1234}]}
---
apiVersion: v1
kind: Service
metadata: {name: mirrored}
spec: {ports: [{name: p, port: 80}]}
Y

kn rollout status deployment/web --timeout=30s
kn wait --for=condition=Ready pod/client --timeout=20s
vip() { kn get service "$1" -o 'jsonpath={.spec.clusterIP}'; }
get() { curl -sf --max-time 3 "http://$1"; }
web=$(vip web) sticky=$(vip sticky) none=$(vip none) manual=$(vip manual) mirrored=$(vip mirrored)
client=$(kn get pod client -o 'jsonpath={.status.podIP}')
eventually 10 get "$web/name"
eventually 10 get "$sticky/name"
seen() { for _ in $(seq 1 "$2"); do get "$1/name"; done | sort -u | wc -l; }
equal "spreads over all" "$(seen "$web" 60)" 3
equal "another port" "$(seen "$web:8081" 60)" 3
equal "sticks to one" "$(seen "$sticky" 30)" 1
from_pod() { get "$client/cgi-bin/get?$1"; }
contains "pod to VIP" "$(from_pod "$web/name")" web-
equal "a pod sticks, too" "$(for _ in $(seq 1 10); do from_pod "$sticky/name"; done | sort -u | wc -l)" 1

# UDP: busybox has no server for it, so one is put into the network of each pod.
server='import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 5353))
while True:
    data, peer = s.recvfrom(100); s.sendto(data + socket.gethostname().encode(), peer)'
ask='import socket, sys
def once(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2); s.connect((sys.argv[1], port))
    try: s.send(b"hi "); return s.recv(100).decode()
    except OSError as e: return type(e).__name__
print(*sorted({once(int(sys.argv[2])) for _ in range(int(sys.argv[3]))}))'
servers=()
for pid in $(pgrep -f 'httpd -f -p 8080'); do nsenter -t "$pid" -n -u python3 -c "$server" & servers+=($!); done
sleep 0.5
equal "udp spreads, too" "$(python3 -c "$ask" "$web" 53 60 | wc -w)" 6
equal "udp without endpoints, where it is sent" "$(python3 -c "$ask" "$none" 53 1)" PermissionError
inside=$(pgrep -f 'httpd -f -p 80 -h')
equal "udp without endpoints, in a pod" "$(nsenter -t "$inside" -n python3 -c "$ask" "$none" 53 1)" ConnectionRefusedError
kill "${servers[@]}"
equal "headless has no address" "$(vip headless)" None
equal "headless has endpoints" "$(kn get endpoints headless -o 'jsonpath={.subsets[0].addresses[*].ip}' | wc -w)" 3

# Hairpin: the only pod behind a Service reaches itself.
kn label pod client self=yes
kn apply -f - <<'Y'
apiVersion: v1
kind: Service
metadata: {name: self}
spec: {selector: {self: "yes"}, ports: [{port: 80}]}
Y
self=$(vip self)
eventually 10 sh -c "curl -s --max-time 3 'http://$client/cgi-bin/get?$self/cgi-bin/get?$web/name' | grep -q web-"

# Without endpoints: refused at once, from the host and from a pod.
refused() {
  local at; at=$(date +%s%N)
  curl -s --max-time 3 "http://$1/" > /dev/null && fail "$1 answered" || equal "curl of $1" $? 7
  [ $(($(date +%s%N) - at)) -lt 900000000 ] || fail "$1 was not refused at once"
}
refused "$none"; refused "$manual"; refused "$mirrored"
at=$(date +%s%N)
contains "refused for a pod" "$(from_pod "$none/")" "Connection refused"
[ $(($(date +%s%N) - at)) -lt 1500000000 ] || fail "a pod was not refused at once"

# Endpoints by hand, in both forms.
kn apply -f - <<Y
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: manual-1, labels: {kubernetes.io/service-name: manual}}
addressType: IPv4
ports: [{name: p, port: 80, protocol: TCP}]
endpoints: [{addresses: [$client], conditions: {ready: true}}]
---
apiVersion: v1
kind: Endpoints
metadata: {name: mirrored}
subsets: [{addresses: [{ip: $client}], ports: [{name: p, port: 80}]}]
Y
for ip in $manual $mirrored; do eventually 10 sh -c "curl -s --max-time 3 'http://$ip/cgi-bin/get?$web/name' | grep -q web-"; done

# A daemon that dies leaves the rules; the one that follows finds them and ends up with the same.
rules() {  # what a set holds has no order
  nft -s list ruleset | tr ',' '\n' | sed 's/ expires [0-9a-z]*//; s/elements = {//; s/}//; s/^[[:space:]]*//; s/[[:space:]]*$//' | sort
}
namespaces() { k get namespaces -o name | grep -c '/t-'; }
eventually_equal 15 1 namespaces  # what other cases leave behind goes while this one looks
# Chains once needed stay until a daemon fills the table anew: only what it began with can be compared.
handles=$(nft -a list chain ip coracle services)
stop_server
start_server
refilled() { [ "$(nft -a list chain ip coracle services)" != "$handles" ]; }
eventually 5 refilled
before=$(rules)
chosen=$(get "$sticky/name")
kill -9 "$(cat "$WORK/server.pid")"
while server_alive; do sleep 0.02; done
equal "rules without a daemon" "$(rules)" "$before"
eventually 3 get "$web/name"
( for _ in $(seq 1 40); do get "$web/name" > /dev/null || echo lost; sleep 0.02; done ) > "$WORK/during.log" & asking=$!
start_server
wait $asking
equal "answers during the restart" "$(cat "$WORK/during.log")" ""
for _ in $(seq 1 50); do [ "$(rules)" = "$before" ] && break || sleep 0.1; done
[ "$(rules)" = "$before" ] || fail "rules after a restart: $(diff <(echo "$before") <(rules))"
equal "affinity outlives the daemon" "$(get "$sticky/name")" "$chosen"

# Pods that come do not move a client; one that goes does. A brief timeout is forgotten.
kn scale deployment/web --replicas=5
eventually_equal 20 5 sh -c "$KUBECTL -n $NS get endpointslices -l kubernetes.io/service-name=sticky -o 'jsonpath={.items[*].endpoints[*].addresses[0]}' | wc -w"
for _ in $(seq 1 8); do equal "affinity outlives other pods" "$(get "$sticky/name")" "$chosen"; done
kn delete pod "$chosen" --wait=false
moved() { get "$sticky/name" | grep -v "$chosen"; }
eventually 10 moved
equal "sticks again" "$(seen "$sticky" 10)" 1
kn patch service sticky -p '{"spec":{"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":1}}}}'
brief() { nft list table ip coracle | grep -q 'timeout 1s'; }
eventually 5 brief
forgets() { for _ in 1 2 3 4; do get "$sticky/name"; sleep 1.3; done | sort -u | wc -l | grep -q '[234]'; }
eventually 20 forgets

# What changes is followed, what is deleted goes.
kn scale deployment/web --replicas=1
one() { [ "$(seen "$web" 12)" = 1 ]; }
eventually 20 one
kn delete service web sticky none manual mirrored self headless
gone() { ! nft list ruleset | grep -qE "($web|$sticky|$none|$manual|$mirrored|$self)[ ,.]"; }
eventually 10 gone
eventually_equal 10 endpointslice.discovery.k8s.io/manual-1 kn get endpointslices,endpoints -o name
kn delete deployment/web pod/client endpointslice/manual-1 --wait=false
