# SPDX-License-Identifier: GPL-2.0-or-later
trap 'k delete priorityclass "$NS-high" --ignore-not-found > /dev/null' EXIT
cat <<Y | k apply -f -
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: $NS-high}
value: 1000
Y
# Two fit on the node, a third does not.
cores=$(k get node node-1 -o 'jsonpath={.status.allocatable.cpu}')
seat=$((${cores%m} * 400))m
case $cores in *m) seat=$((${cores%m} * 4 / 10))m ;; esac
seat() {  # NAME PRIORITYCLASS
  cat <<Y | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $1}}
spec:
  priorityClassName: "$2"
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sleep, "3600"]
    resources: {requests: {cpu: "$seat"}}
Y
}
seat first ''
seat second ''
kn wait --for=condition=Ready pod/first pod/second --timeout=20s
seat third ''
eventually 5 sh -c "'$KUBECTL' -n $NS describe pod third | grep -q '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'"
seat urgent "$NS-high"
kn wait --for=condition=Ready pod/urgent --timeout=30s
equal 'one had to go' "$(kn get pods first second -o name --ignore-not-found | wc -l)" 1
contains why "$(kn get events)" 'Preempted by pod'
equal 'the third still waits' "$(kn get pod third -o 'jsonpath={.status.phase}')" Pending
kn delete pod urgent --now
kn wait --for=condition=Ready pod/third --timeout=30s
kn delete pods --all --now
