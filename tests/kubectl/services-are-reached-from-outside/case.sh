# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: coracle.local/demo:1
        command: [sh, -c, "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' > /www/cgi-bin/who; chmod +x /www/cgi-bin/who; hostname > /www/name; exec httpd -f -p 8080 -h /www"]
        ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: port}
spec: {type: NodePort, selector: {app: web}, ports: [{name: web, port: 80, targetPort: http, nodePort: 30080}, {name: other, port: 81, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: local}
spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30081}]}
---
apiVersion: v1
kind: Service
metadata: {name: balanced}
spec: {type: LoadBalancer, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: outer}
spec: {externalIPs: [192.0.2.8], selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {type: NodePort, selector: {app: nothing}, ports: [{port: 80, nodePort: 30082}]}
Y
kn rollout status deployment/web --timeout=30s
node_port() { kn get service "$1" -o "jsonpath={.spec.ports[$2].nodePort}"; }
equal "chosen by the user" "$(node_port port 0)" 30080
given=$(node_port port 1)
[ "$given" -ge 30000 ] && [ "$given" -le 32767 ] || fail "given port: $given"
contains "as people see it" "$(kn get service port --no-headers)" "80:30080/TCP,81:$given/TCP"
contains "pending" "$(kn get service balanced --no-headers)" "<pending>"

# A machine on the node's network that knows nothing of the cluster.
ip netns add out 2>/dev/null || { mkdir -p /run/netns; ip netns add out; }
ip link add name out0 type veth peer name eth0 netns out
ip link set out0 master lan0 up
ip -n out addr add 172.30.0.9/24 dev eth0
ip -n out link set eth0 up
ip -n out link set lo up
ip -n out route add 192.0.2.0/24 via 172.30.0.1
far() { ip netns exec out curl -s --max-time 3 "$@"; }
reached() { far "http://172.30.0.1:30080/name" | grep -q '^web-'; }
eventually 10 reached
seen() { for _ in $(seq 1 30); do far "http://$1/name"; done | sort -u | wc -l; }
equal "spreads" "$(seen 172.30.0.1:30080)" 2
contains "the port that was given" "$(far "http://172.30.0.1:$given/name")" web-
contains "hidden client" "$(far http://172.30.0.1:30080/cgi-bin/who)" 10.42.0.1
ip -n out route add 10.42.0.0/16 via 172.30.0.1
contains "client that is seen" "$(far http://172.30.0.1:30081/cgi-bin/who)" 172.30.0.9
contains "external address" "$(far http://192.0.2.8/name)" web-
contains "from the node" "$(curl -s --max-time 3 http://172.30.0.1:30080/name)" web-
far http://172.30.0.1:30082/ && fail "nobody answered" || equal "without endpoints" $? 7

# Whoever balances load says so in the status; what it leads here is served.
equal "node port of a load balancer" "$(seen "172.30.0.1:$(node_port balanced 0)")" 1
kn patch service balanced --subresource=status --type=merge -p '{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.7"}]}}}'
balanced() { far http://192.0.2.7/name | grep -q '^web-'; }
eventually 10 balanced
contains "balanced" "$(kn get service balanced --no-headers)" 192.0.2.7

# Ports belong to one Service, and go with it.
refuses "provided port is already allocated" kn create service nodeport second --tcp=80 --node-port=30080
refuses "The range of valid ports is 30000-32767" kn create service nodeport second --tcp=80 --node-port=80
refuses "may not be used when \`type\` is 'ClusterIP'" kn patch service outer --type=json -p '[{"op":"add","path":"/spec/ports/0/nodePort","value":30090}]'
kn patch service port -p '{"spec":{"ports":[{"name":"web","port":80,"targetPort":"http","nodePort":null}]}}'
equal "kept by an update that leaves it out" "$(node_port port 0)" 30080
kn patch service port -p '{"spec":{"type":"ClusterIP"}}'
equal "gone with the type" "$(node_port port 0)" ""
closed() { ! far http://172.30.0.1:30080/name; }
eventually 10 closed
kn create service nodeport second --tcp=80:8080 --node-port=30080
kn delete service second local balanced outer nobody port
kn create service nodeport third --tcp=80:8080 --node-port=30081
kn delete service third
ip netns del out
kn delete deployment web --wait=false
