# SPDX-License-Identifier: GPL-2.0-or-later
# Nodes of paper: nobody runs the pods that are bound to them.
trap 'kn delete pods --all --grace-period=0 --force > /dev/null 2>&1; k delete node paper-1 paper-2 paper-3 --ignore-not-found > /dev/null' EXIT
paper() {  # NAME ZONE
  cat <<Y | k create -f -
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: $1, namespace: kube-node-lease}
spec: {holderIdentity: $1, leaseDurationSeconds: 40}
---
apiVersion: v1
kind: Node
metadata: {name: $1, labels: {paper: "yes", kubernetes.io/hostname: $1, topology.kubernetes.io/zone: $2}}
Y
  k patch node "$1" --subresource=status -p '{"status":{"capacity":{"cpu":"8","memory":"8Gi","pods":"10"},"allocatable":{"cpu":"8","memory":"8Gi","pods":"10"},"conditions":[{"type":"Ready","status":"True"}]}}'
}
paper paper-1 east
paper paper-2 east
paper paper-3 west
eventually_equal 5 '' k get node paper-1 paper-2 paper-3 -o 'jsonpath={.items[*].spec.taints}'
spec='nodeSelector: {paper: "yes"}, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "coracle.local/demo:1"}]'
for i in 1 2 3 4; do
  cat <<Y | kn create -f -
apiVersion: v1
kind: Pod
metadata: {name: spread-$i, labels: {app: spread}}
spec: {$spec, topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: spread}}}]}
Y
done
eventually_equal 5 4 sh -c "'$KUBECTL' -n $NS get pods -l app=spread -o 'jsonpath={range .items[*]}{.spec.nodeName}{\"\n\"}{end}' | grep -c paper"
equal 'two in the west' "$(kn get pods -l app=spread --field-selector spec.nodeName=paper-3 -o name | wc -l)" 2

for i in 1 2 3 4; do
  cat <<Y | kn create -f -
apiVersion: v1
kind: Pod
metadata: {name: apart-$i, labels: {app: apart}}
spec: {$spec, affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: apart}}}]}}}
Y
done
eventually 5 sh -c "'$KUBECTL' -n $NS describe pod apart-4 | grep -q \"3 node(s) didn't match pod anti-affinity rules\""
equal 'one each' "$(kn get pods -l app=apart -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort | tr '\n' ' ')" ' paper-1 paper-2 paper-3 '
contains 'the real node does not suit' "$(kn describe pod apart-4)" "0/4 nodes are available: 1 node(s) didn't match Pod's node affinity/selector"
# One that goes makes room.
kn delete pod apart-1 --grace-period=0 --force
eventually 15 sh -c "'$KUBECTL' -n $NS get pod apart-4 -o 'jsonpath={.spec.nodeName}' | grep -q paper"
