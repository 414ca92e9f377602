# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: demo, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
Y
kn annotate deployment web kubernetes.io/change-cause=first
contains waits "$(kn rollout status deployment/web --timeout=20s)" 'successfully rolled out'
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  refuses 'Expected replicas to be 5, was 2' kn scale deployment web --current-replicas=5 --replicas=1
  kn scale deployment web --current-replicas=2 --replicas=3
  kn scale -f - --replicas=2 <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
Y
  kn rollout pause deployment web
  refuses 'is already paused' kn rollout pause deployment web
  refuses "can't restart paused deployment" kn rollout restart deployment web
  kn rollout resume deployment web
  refuses 'unable to find specified revision 99 in history' kn rollout undo deployment web --to-revision=99
  contains 'undo dry run' "$(kn rollout history deployment web)" 'REVISION  CHANGE-CAUSE'
done
kn set env deployment/web GENERATION=two
kn set image deployment/web demo=coracle.local/demo:1
kn annotate deployment web kubernetes.io/change-cause=second --overwrite
kn set resources deployment web --limits=memory=64Mi --requests=cpu=1m
kn create serviceaccount robot
kn set serviceaccount deployment web robot
kn rollout status deployment/web --timeout=30s
equal set "$(kn get deployment web -o 'jsonpath={.spec.template.spec.containers[0].env[0].value} {.spec.template.spec.containers[0].resources} {.spec.template.spec.serviceAccountName}')" \
  'two {"limits":{"memory":"64Mi"},"requests":{"cpu":"1m"}} robot'
equal 'pods follow' "$(kn get pods -l app=web --field-selector spec.serviceAccountName=robot -o name | wc -l)" 2
contains 'first revision' "$(kn rollout history deployment web)" 'first'
contains 'its template' "$(kn rollout history deployment web --revision=2)" 'GENERATION:	two'
kn rollout undo deployment web --to-revision=1
kn rollout status deployment/web --timeout=30s
equal undone "$(kn get deployment web -o 'jsonpath={.spec.template.spec.containers[0].env}')" ''
lacks 'revision 1 became the newest' "$(kn rollout history deployment web | awk '{print $1}' | grep -x 1 || true)" 1
kn rollout restart deployment web
contains restarted "$(kn get deployment web -o 'jsonpath={.spec.template.metadata.annotations}')" restartedAt
kn rollout status deployment/web --timeout=30s
# What cannot come up: the deadline passes, and undo mends it.
kn patch deployment web -p '{"spec":{"progressDeadlineSeconds":1}}'
kn set image deployment/web demo=coracle.local/demo:none
refuses 'exceeded its progress deadline' kn rollout status deployment/web --timeout=20s
equal reason "$(kn get deployment web -o 'jsonpath={.status.conditions[?(@.type=="Progressing")].reason}')" ProgressDeadlineExceeded
equal 'old ones serve' "$(kn get deployment web -o 'jsonpath={.status.readyReplicas}')" 2
kn rollout undo deployment web
kn rollout status deployment/web --timeout=30s
contains events "$(kn describe deployment web)" 'Scaled up replica set web-'
kn scale deployment web --replicas=0
kn wait --for=delete pod -l app=web --timeout=20s
