# SPDX-License-Identifier: GPL-2.0-or-later
trap 'k uncordon node-1 > /dev/null || true' EXIT
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
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
Y
kn rollout status deployment/web --timeout=20s
eventually_equal 10 1 kn get poddisruptionbudget web -o 'jsonpath={.status.disruptionsAllowed}'
equal row "$(kn get pdb web --no-headers | awk '{print $2, $3, $4}')" '1 N/A 1'
# The node is cordoned: what is evicted cannot come back, so one pod stays.
refuses "Cannot evict pod as it would violate the pod's disruption budget." kn drain node-1 --pod-selector=app=web --ignore-daemonsets --timeout=6s
equal 'one is left' "$(kn get pods -l app=web --field-selector status.phase=Running -o name | wc -l)" 1
equal 'none may go' "$(kn get poddisruptionbudget web -o 'jsonpath={.status.disruptionsAllowed}')" 0
k uncordon node-1
kn rollout status deployment/web --timeout=20s
eventually_equal 10 1 kn get poddisruptionbudget web -o 'jsonpath={.status.disruptionsAllowed}'
kn delete pdb web
kn drain node-1 --pod-selector=app=web --ignore-daemonsets --timeout=20s
k uncordon node-1
