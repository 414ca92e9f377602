# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
cat <<'Y' | kn apply -f -
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: "hello\n"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: coracle.local/demo:1
        command: [httpd, -f, -p, "8080", -h, /www]
        ports: [{name: http, containerPort: 8080}]
        volumeMounts: [{name: page, mountPath: /www}]
      volumes: [{name: page, configMap: {name: page}}]
Y
kn expose deployment web --port=80 --target-port=http
kn rollout status deployment/web --timeout=30s
vip=$(kn get service web -o 'jsonpath={.spec.clusterIP}')
eventually_equal 10 hello curl -sf --max-time 2 "http://$vip/"
equal endpoints "$(kn get endpointslices -l kubernetes.io/service-name=web -o 'jsonpath={.items[0].endpoints[*].addresses[0]}' | wc -w)" 2
kn patch configmap page -p '{"data":{"index.html":"changed\n"}}'
eventually_equal 90 changed curl -sf --max-time 2 "http://$vip/"
pod=$(kn get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
kn scale deployment/web --replicas=0
eventually_equal 20 "" kn get pods -l app=web -o name
if curl -sf --max-time 2 "http://$vip/"; then fail "a Service without endpoints answered"; fi
curl -s --max-time 2 "http://$vip/" && fail "answered" || equal "refused at once (curl code)" $? 7
