# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
Y
kn rollout status statefulset/db --timeout=30s
equal names "$(kn get pods -l app=db -o name | tr '\n' ' ')" 'pod/db-0 pod/db-1 '
equal 'row' "$(kn get statefulset db --no-headers | awk '{print $2}')" 2/2
equal hostname "$(kn get pod db-1 -o 'jsonpath={.spec.hostname}.{.spec.subdomain}')" db-1.db
equal index "$(kn get pod db-1 -o 'jsonpath={.metadata.labels.apps\.kubernetes\.io/pod-index}')" 1
[ "$(kn get pod db-0 -o 'jsonpath={.status.startTime}')" \< "$(kn get pod db-1 -o 'jsonpath={.status.startTime}')z" ] || fail 'db-1 came first'

kn scale statefulset/db --replicas=3
kn rollout status statefulset/db --timeout=30s
kn scale statefulset/db --replicas=1
eventually_equal 15 'pod/db-0' kn get pods -l app=db -o name
contains events "$(kn get events --field-selector involvedObject.name=db)" 'delete Pod db-2 in StatefulSet db successful'

# The update keeps the name; the partition keeps the pod.
kn scale statefulset/db --replicas=2
kn rollout status statefulset/db --timeout=30s
uid=$(kn get pod db-0 -o 'jsonpath={.metadata.uid}')
kn patch statefulset db -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":1}}}}'
kn set env statefulset/db ROUND=2
eventually_equal 20 1 kn get statefulset db -o 'jsonpath={.status.updatedReplicas}'
kn rollout status statefulset/db --timeout=30s
equal 'db-0 is kept' "$(kn get pod db-0 -o 'jsonpath={.metadata.uid}')" "$uid"
kn patch statefulset db -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'
kn rollout status statefulset/db --timeout=30s
equal 'db-0 is new' "$(kn get pod db-0 -o 'jsonpath={.spec.containers[0].env[0].value}')" 2
equal settled "$(kn get statefulset db -o 'jsonpath={.status.currentRevision}')" "$(kn get statefulset db -o 'jsonpath={.status.updateRevision}')"

# A pod that is deleted comes back under its name.
kn delete pod db-1 --wait=true
kn wait --for=condition=Ready pod/db-1 --timeout=20s
kn rollout undo statefulset/db
kn rollout status statefulset/db --timeout=30s
kn delete statefulset db
eventually_equal 15 '' kn get pods -l app=db -o name
