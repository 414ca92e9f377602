# SPDX-License-Identifier: GPL-2.0-or-later
workload() {
  cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: demo, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
Y
  kn rollout status deployment/web --timeout=20s
}
workload
kn delete deployment web  # in the background: returns before the pods are gone
eventually_equal 10 '' kn get rs,pods -o name
workload
kn delete deployment web --cascade=foreground --timeout=20s
equal 'foreground waits for all' "$(kn get rs,pods -o name)" ''
workload
kn delete deployment web --cascade=orphan
eventually_equal 5 '' kn get rs -o 'jsonpath={.items[0].metadata.ownerReferences}'
kn delete rs --all --cascade=orphan
pod=$(kn get pods -o name)
[ -n "$pod" ] || fail "the pod went with its ReplicaSet"
equal 'no owner' "$(kn get "$pod" -o 'jsonpath={.metadata.ownerReferences}')" ''
kn delete "$pod" --grace-period=3
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  kn run stubborn --image=coracle.local/demo:1 --command -- sleep 1000
  kn wait --for=condition=Ready pod/stubborn --timeout=20s
  kn delete pod stubborn --wait=false --grace-period=600
  contains terminating "$(kn get pod stubborn)" Terminating
  equal grace "$(kn get pod stubborn -o 'jsonpath={.metadata.deletionGracePeriodSeconds}')" 600
  kn delete pod stubborn --grace-period=0 --force
  refuses NotFound kn get pod stubborn
  refuses NotFound kn delete pod stubborn
  kn delete pod stubborn --ignore-not-found
done
kn run quick --image=coracle.local/demo:1 --command -- sleep 1000
kn wait --for=condition=Ready pod/quick --timeout=20s
kn delete pod quick --now  # a grace period of one second
kn create configmap a; kn create configmap b; kn create configmap held
kn label configmap a b held group=x
kn patch configmap held --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}'
contains 'dry run' "$(kn delete configmap a --dry-run=server)" 'server dry run'
kn get configmap a
kn delete configmap -l group=x --wait=false
equal held "$(kn get configmap -l group=x -o name)" configmap/held
refuses 'timed out' kn delete configmap held --timeout=1s
kn patch configmap held --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'
refuses NotFound kn get configmap held
k create namespace "$NS-x"
k -n "$NS-x" create configmap inside
k delete namespace "$NS-x" --timeout=20s
refuses 'is forbidden' k delete namespace kube-system
