# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: main, image: "coracle.local/demo:1", command: [sh, -c, "hostname > /www/name; exec httpd -f -p 8080 -h /www"], ports: [{name: http, containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: db}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: away}
spec: {type: ExternalName, externalName: example.test}
---
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: replaced.test}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "1000"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: on-host}
spec:
  terminationGracePeriodSeconds: 0
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "cat /etc/resolv.conf; sleep 1000"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: own}
spec:
  terminationGracePeriodSeconds: 0
  dnsPolicy: None
  dnsConfig: {nameservers: [192.0.2.53], searches: [a.test], options: [{name: ndots, value: "2"}]}
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "cat /etc/resolv.conf; sleep 1000"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec:
  terminationGracePeriodSeconds: 0
  dnsPolicy: Default
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "cat /etc/resolv.conf; sleep 1000"]}]
Y
kn patch service alias -p "{\"spec\":{\"externalName\":\"web.$NS.svc.cluster.local\"}}"
kn wait --for=condition=Ready pod --all --timeout=30s
kn rollout status statefulset/db --timeout=30s

equal "address of kube-dns" "$(k -n kube-system get service kube-dns -o 'jsonpath={.spec.clusterIP}')" 10.43.0.10
contains "resolv.conf on the host's network" "$(kn logs on-host)" "nameserver 10.43.0.10"
equal "resolv.conf of one's own" "$(kn logs own | tr '\n' ' ')" "search a.test nameserver 192.0.2.53 options ndots:2 "
lacks "resolv.conf as the node's" "$(kn logs plain)" 10.43.0.10

# Asks from inside the network of a pod, with its own resolv.conf, or from the node itself.
pid_of() { pgrep -n -f "$1"; }
client=$(kn get pod client -o 'jsonpath={.status.podIP}')
dns=$TOP/tests/kubectl/dns.py
inside=$(for pid in $(pgrep -x sleep); do nsenter -t "$pid" -n ip -4 -o addr 2>/dev/null | grep -q " $client/" && echo "$pid" && break; done)
[ -n "$inside" ] || fail "no process of the pod was found"
ask() { nsenter -t "$inside" -n python3 "$dns" 10.43.0.10 "$@"; }
zone=$NS.svc.cluster.local
web=$(kn get service web -o 'jsonpath={.spec.clusterIP}')
pods=$(kn get pods -l app=db -o 'jsonpath={.items[*].status.podIP}' | tr ' ' '\n' | sort | tr '\n' ' ')
one() { kn get pod "$1" -o 'jsonpath={.status.podIP}'; }
all_there() { [ "$(ask "db.$zone" A)" = "NOERROR $pods" ]; }
eventually 10 all_there
equal "service" "$(ask "web.$zone" A)" "NOERROR $web "
equal "service, over TCP" "$(ask "web.$zone" A tcp)" "NOERROR $web "
equal "from the node" "$(python3 "$dns" 10.43.0.10 "web.$zone" A)" "NOERROR $web "
equal "from the node, over TCP" "$(python3 "$dns" 10.43.0.10 "web.$zone" A tcp)" "NOERROR $web "
equal "no IPv6" "$(ask "web.$zone" AAAA)" "NOERROR "
equal "no such service" "$(ask "nobody.$zone" A)" "NXDOMAIN "
equal "pod of a StatefulSet" "$(ask "db-1.db.$zone" A)" "NOERROR $(one db-1) "
equal "port" "$(ask "_http._tcp.web.$zone" SRV)" "NOERROR 80:web.$zone "
equal "ports of pods" "$(ask "_http._tcp.db.$zone" SRV)" "NOERROR 8080:db-0.db.$zone 8080:db-1.db.$zone "
equal "name of an address" "$(ask "$(echo "$web" | awk -F. '{print $4"."$3"."$2"."$1}').in-addr.arpa" PTR)" "NOERROR web.$zone "
equal "pod by its address" "$(ask "${client//./-}.$NS.pod.cluster.local" A)" "NOERROR $client "
equal "alias inside" "$(ask "alias.$zone" A)" "NOERROR web.$zone $web "
equal "version" "$(ask dns-version.cluster.local TXT)" "NOERROR 1.1.0 "

# As programs ask: by the pod's own resolv.conf, with its search list.
kn delete pod plain own on-host --wait=false
resolv=$(cat "/proc/$inside/root/etc/resolv.conf")
echo "$resolv" > "$WORK/resolv.conf"
in_pod() {
  nsenter -t "$inside" -n unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$WORK/resolv.conf" "$@"
}
contains "resolv.conf" "$resolv" "search $NS.svc.cluster.local svc.cluster.local cluster.local"
contains "resolv.conf" "$resolv" "nameserver 10.43.0.10"
contains "resolv.conf" "$resolv" "ndots:5"
contains "by its short name" "$(in_pod curl -s --max-time 5 http://web/name)" db-
equal "a pod by its name" "$(in_pod curl -s --max-time 5 http://db-0.db:8080/name)" db-0
contains "by name and namespace" "$(in_pod curl -s --max-time 5 "http://web.$NS/name")" db-
contains "the API by name" "$(in_pod getent ahostsv4 kubernetes.default.svc)" 10.43.0.1

# Other names: the node's name servers are asked; without one the answer comes at once.
at=$(date +%s%N)
equal "without a name server" "$(ask example.test A)" "SERVFAIL "
[ $(($(date +%s%N) - at)) -lt 1000000000 ] || fail "took long to say that nobody can be asked"
equal "alias to nowhere" "$(ask "away.$zone" A)" "SERVFAIL "

# Pods that come and go are followed; a daemon that dies is back with the same rules.
kn scale statefulset/db --replicas=1
only_first() { [ "$(ask "db.$zone" A)" = "NOERROR $(one db-0) " ]; }
eventually 20 only_first
kill -9 "$(cat "$WORK/server.pid")"
while server_alive; do sleep 0.02; done
equal "without a daemon" "$(ask "web.$zone" A)" "refused"
start_server
equal "after a restart" "$(ask "web.$zone" A)" "NOERROR $web "
