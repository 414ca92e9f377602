# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: probed, labels: {app: probed}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "httpd -p 8080 -h /www; sleep 3600"]
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1, failureThreshold: 1}
    livenessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, failureThreshold: 2}
    volumeMounts: [{name: www, mountPath: /www}]
  volumes: [{name: www, configMap: {name: www, optional: true}}]
---
apiVersion: v1
kind: Pod
metadata: {name: sick}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sleep, "3600"]
    livenessProbe: {httpGet: {path: /, port: 81}, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: slow}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "sleep 2; exec httpd -f -p 90"]
    startupProbe: {tcpSocket: {port: 90}, periodSeconds: 1, failureThreshold: 30}
    livenessProbe: {tcpSocket: {port: 90}, periodSeconds: 1, failureThreshold: 1}
---
apiVersion: v1
kind: Service
metadata: {name: probed}
spec: {selector: {app: probed}, ports: [{port: 80, targetPort: http}]}
Y
eventually_equal 10 true kn get pod probed -o 'jsonpath={.status.containerStatuses[0].started}'
equal "not ready" "$(kn get pod probed -o 'jsonpath={.status.containerStatuses[0].ready}')" false
eventually_equal 5 false kn get endpointslices -l kubernetes.io/service-name=probed -o 'jsonpath={.items[0].endpoints[0].conditions.ready}'
eventually 10 sh -c "'$KUBECTL' -n $NS get events --field-selector involvedObject.name=probed | grep -q 'Unhealthy.*Readiness probe failed: HTTP probe failed with statuscode: 404'"
equal "slow waits" "$(kn get pod slow -o 'jsonpath={.status.containerStatuses[0].started}')" false
kn create configmap www --from-literal=ready=yes
eventually_equal 90 true kn get pod probed -o 'jsonpath={.status.containerStatuses[0].ready}'
eventually_equal 5 true kn get endpointslices -l kubernetes.io/service-name=probed -o 'jsonpath={.items[0].endpoints[0].conditions.ready}'
vip=$(kn get service probed -o 'jsonpath={.spec.clusterIP}')
eventually_equal 5 yes curl -sf --max-time 2 "http://$vip/ready"
kn delete configmap www
kn create configmap www --from-literal=unready=yes
eventually_equal 90 false kn get endpointslices -l kubernetes.io/service-name=probed -o 'jsonpath={.items[0].endpoints[0].conditions.ready}'
equal "no restart" "$(kn get pod probed -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
eventually 15 sh -c "[ \$('$KUBECTL' -n $NS get pod sick -o 'jsonpath={.status.containerStatuses[0].restartCount}') -ge 1 ]"
events=$(kn get events --field-selector involvedObject.name=sick)
contains unhealthy "$events" "Liveness probe failed: Get \"http://$(kn get pod sick -o 'jsonpath={.status.podIP}'):81/\": dial tcp"
contains killing "$events" "Container main failed liveness probe, will be restarted"
equal "killed" "$(kn get pod sick -o 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}')" 137
eventually_equal 10 true kn get pod slow -o 'jsonpath={.status.containerStatuses[0].ready}'
equal "slow but healthy" "$(kn get pod slow -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
kn delete pods --all --grace-period=1 --wait=false
