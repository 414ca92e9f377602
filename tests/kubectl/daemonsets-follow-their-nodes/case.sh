# SPDX-License-Identifier: GPL-2.0-or-later
trap 'k label node node-1 wanted- > /dev/null || true' EXIT
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      nodeSelector: {wanted: "yes"}
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
Y
eventually_equal 5 1 kn get daemonset agent -o 'jsonpath={.status.observedGeneration}'
equal 'no node wants it' "$(kn get daemonset agent -o 'jsonpath={.status.desiredNumberScheduled}')" 0
k label node node-1 wanted=yes
kn rollout status daemonset/agent --timeout=20s
equal row "$(kn get daemonset agent --no-headers | awk '{print $2, $3, $4, $5, $6, $7}')" '1 1 1 1 1 wanted=yes'
pod=$(kn get pods -l app=agent -o name)
equal node "$(kn get "$pod" -o 'jsonpath={.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values[0]}')" node-1

kn set env daemonset/agent ROUND=2
kn rollout status daemonset/agent --timeout=30s
[ "$(kn get pods -l app=agent -o name)" != "$pod" ] || fail 'the pod was not replaced'
equal revisions "$(kn get controllerrevisions -l app=agent -o name | wc -l)" 2
contains history "$(kn rollout history daemonset/agent)" '2         <none>'
kn rollout undo daemonset/agent
kn rollout status daemonset/agent --timeout=30s
equal 'no variable' "$(kn get daemonset agent -o 'jsonpath={.spec.template.spec.containers[0].env}')" ''
equal 'revisions after undo' "$(kn get controllerrevisions -l app=agent -o name | wc -l)" 2

# A cordoned node keeps its daemons, and a deleted one comes back.
k cordon node-1
kn delete pods -l app=agent --wait=true > /dev/null
kn rollout status daemonset/agent --timeout=20s
k uncordon node-1
contains events "$(kn get events --field-selector involvedObject.name=agent)" 'Created pod: agent-'
k label node node-1 wanted-
eventually_equal 10 '' kn get pods -l app=agent -o name
kn delete daemonset agent
