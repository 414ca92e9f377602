# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ds}
spec:
  selector: {matchLabels: {app: ds}}
  template:
    metadata: {labels: {app: ds}}
    spec: {nodeSelector: {nowhere: "true"}, containers: [{name: c, image: "coracle.local/demo:1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cj}
spec:
  schedule: "0 3 * * *"
  suspend: true
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "coracle.local/demo:1"}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  suspend: true
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: "coracle.local/demo:1"}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pdb}
spec: {minAvailable: 1, selector: {matchLabels: {app: none}}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: lr}
spec: {limits: [{type: Container, max: {cpu: "2"}, default: {cpu: 500m}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: rq}
spec: {hard: {configmaps: "100"}}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: rc}
spec:
  replicas: 0
  selector: {app: rc}
  template:
    metadata: {labels: {app: rc}}
    spec: {containers: [{name: c, image: "coracle.local/demo:1"}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: pvc}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ing}
spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}}]}
Y
for kind in daemonset cronjob job poddisruptionbudget limitrange resourcequota replicationcontroller pvc ingress; do
  contains "list of $kind" "$(kn get "$kind")" NAME
  contains "description of $kind" "$(kn describe "$kind")" Name
  kn get "$kind" -o wide > /dev/null
done
contains selector "$(kn get job job -o yaml)" batch.kubernetes.io/controller-uid
kn create cronjob made --image=coracle.local/demo:1 --schedule="*/5 * * * *"
kn create job from --from=cronjob/cj
kn create quota small --hard=pods=3
kn create poddisruptionbudget more --selector=app=x --min-available=50%
k create priorityclass "high-$NS" --value=10
contains classes "$(k get priorityclass)" system-node-critical
k delete priorityclass "high-$NS"
refuses "must be no more than 52 characters" kn create cronjob a-name-that-is-longer-than-the-fifty-two-characters-it-may-be --image=i --schedule="* * * * *"
refuses "field is immutable" kn patch job job -p '{"spec":{"completionMode":"Indexed","completions":1}}'
kn delete daemonset,cronjob,job,pdb,limitrange,resourcequota,rc,pvc,ingress --all --timeout=30s
