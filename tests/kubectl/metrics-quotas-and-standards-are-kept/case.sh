# SPDX-License-Identifier: GPL-2.0-or-later
# What pods use is shown, what a namespace may use is kept, and what its pods may do is judged.

kn run busy --image=coracle.local/demo:1 --restart=Never --command -- sleep 600 > /dev/null
kn wait --for=condition=Ready pod/busy --timeout=30s > /dev/null

top_shows() { "$KUBECTL" "$@" --no-headers 2>&1 | grep -Eq "$PATTERN"; }
PATTERN='^node-1 +[0-9]+m +[0-9]+% +[0-9]+Mi +[0-9]+%' eventually 10 top_shows top node
PATTERN='^busy +[0-9]+m +[0-9]+Mi' eventually 10 top_shows -n "$NS" top pod
PATTERN='^busy +busy +[0-9]+m' eventually 10 top_shows -n "$NS" top pod busy --containers

kn create quota small --hard=pods=2,configmaps=2 > /dev/null
kn run second --image=coracle.local/demo:1 --restart=Never --command -- sleep 600 > /dev/null
refuses 'exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2' \
  kn run third --image=coracle.local/demo:1 --restart=Never --command -- sleep 600
kn delete pod second --now > /dev/null
kn run third --image=coracle.local/demo:1 --restart=Never --command -- sleep 600 > /dev/null
eventually_equal 10 2 kn get quota small -o 'jsonpath={.status.used.pods}'
kn delete quota small > /dev/null

k label namespace "$NS" pod-security.kubernetes.io/enforce=restricted > "$WORK/label.out" 2>&1
contains label "$(cat "$WORK/label.out")" 'existing pods in namespace'
refuses 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false' \
  kn run fourth --image=coracle.local/demo:1 --restart=Never --command -- sleep 600
k label namespace "$NS" pod-security.kubernetes.io/enforce=baseline --overwrite > /dev/null 2>&1
kn run fourth --image=coracle.local/demo:1 --restart=Never --command -- sleep 600 > /dev/null
k label namespace "$NS" pod-security.kubernetes.io/enforce- > /dev/null

kn autoscale deployment nothing --max=3 --cpu-percent=60 2> "$WORK/scale.err" \
  || kn create -f - > /dev/null <<'YAML'
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: nothing}
spec: {maxReplicas: 3, targetCPUUtilizationPercentage: 60, scaleTargetRef: {kind: Deployment, name: nothing}}
YAML
contains hpa "$(kn get hpa nothing --no-headers)" 'Deployment/nothing'
equal old "$(k get --raw "/apis/autoscaling/v1/namespaces/$NS/horizontalpodautoscalers/nothing" \
  | grep -o '"targetCPUUtilizationPercentage":60')" '"targetCPUUtilizationPercentage":60'
contains events "$(kn get events.v1.events.k8s.io -o name)" event.events.k8s.io/
