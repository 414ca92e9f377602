# SPDX-License-Identifier: GPL-2.0-or-later
trap 'k uncordon node-1; k taint nodes node-1 test- || true' EXIT
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: Deployment
metadata: {name: drained}
spec:
  selector: {matchLabels: {app: drained}}
  template:
    metadata: {labels: {app: drained}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
Y
kn rollout status deployment/drained --timeout=20s
k cordon node-1
contains cordoned "$(k get node node-1)" 'Ready,SchedulingDisabled'
eventually 3 sh -c "'$KUBECTL' get node node-1 -o 'jsonpath={.spec.taints}' | grep -q node.kubernetes.io/unschedulable"
kn drain node-1 --pod-selector=app=drained --ignore-daemonsets --timeout=20s
eventually 5 sh -c "'$KUBECTL' -n $NS describe pod -l app=drained | grep -q '0/1 nodes are available: 1 node(s) were unschedulable'"
k uncordon node-1
kn rollout status deployment/drained --timeout=20s
k taint nodes node-1 test=a:NoSchedule
refuses 'already has' k taint nodes node-1 test=b:NoSchedule
k taint nodes node-1 test=b:NoSchedule --overwrite
contains taints "$(k describe node node-1)" 'test=b:NoSchedule'
kn run kept-out --image=coracle.local/demo:1 --command -- sleep 1000
eventually 5 sh -c "'$KUBECTL' -n $NS get events --field-selector involvedObject.name=kept-out | grep -q 'had untolerated taint'"
k taint nodes node-1 test-
refuses 'not found' k taint nodes node-1 test-
kn wait --for=condition=Ready pod/kept-out --timeout=20s
k label node node-1 disk=ssd
equal label "$(k get nodes -l disk=ssd -o name)" node/node-1
k label node node-1 disk-
kn delete pod kept-out --now
