# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
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
      containers:
      - {name: main, image: "coracle.local/demo:1", command: [sleep, "3600"], env: [{name: GENERATION, value: one}]}
Y
kn rollout status deployment/web --timeout=30s
equal ready "$(kn get deployment web -o 'jsonpath={.status.readyReplicas}')" 2
kn scale deployment/web --replicas=3
kn rollout status deployment/web --timeout=30s
equal scaled "$(kn get pods -l app=web --field-selector=status.phase=Running -o name | wc -l)" 3
kn set env deployment/web GENERATION=two
kn rollout status deployment/web --timeout=60s
equal revision "$(kn get deployment web -o 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')" 2
contains history "$(kn rollout history deployment/web)" 2
kn rollout undo deployment/web
kn rollout status deployment/web --timeout=60s
equal undone "$(kn get deployment web -o 'jsonpath={.spec.template.spec.containers[0].env[0].value}')" one
kn rollout restart deployment/web
kn rollout status deployment/web --timeout=60s
kn rollout pause deployment/web
kn set image deployment/web main=coracle.local/demo:none
equal paused "$(kn get rs -o name | wc -l)" 3
kn rollout undo deployment/web 2>/dev/null || true
kn delete deployment web --cascade=foreground --timeout=30s
eventually_equal 20 "" kn get pods,rs -o name
