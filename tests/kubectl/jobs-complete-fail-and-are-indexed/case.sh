# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: batch/v1
kind: Job
metadata: {name: three}
spec:
  completions: 3
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "coracle.local/demo:1", command: ["true"]}]
Y
kn wait --for=condition=Complete job/three --timeout=30s
equal counted "$(kn get job three -o 'jsonpath={.status.succeeded} {.status.uncountedTerminatedPods}')" '3 {}'
contains row "$(kn get job three --no-headers)" '3/3'
equal 'nothing is held back' "$(kn get pods -l job-name=three -o 'jsonpath={.items[*].metadata.finalizers}')" ''
eventually 5 sh -c "'$KUBECTL' -n $NS describe job three | grep -q 'Job completed'"

cat <<'Y' | kn apply -f -
apiVersion: batch/v1
kind: Job
metadata: {name: bad}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "coracle.local/demo:1", command: ["false"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: indexed}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  ttlSecondsAfterFinished: 5
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "echo index $JOB_COMPLETION_INDEX on $(hostname)"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: slow}
spec:
  activeDeadlineSeconds: 2
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
Y
kn wait --for=condition=Complete job/indexed --timeout=30s
equal indexes "$(kn get job indexed -o 'jsonpath={.status.completedIndexes}')" 0,1
contains 'output of index 1' "$(kn logs -l batch.kubernetes.io/job-completion-index=1)" 'index 1 on indexed-1'
kn wait --for=condition=Failed job/bad --timeout=30s
equal why "$(kn get job bad -o 'jsonpath={.status.conditions[?(@.type=="Failed")].reason}')" BackoffLimitExceeded
equal failures "$(kn get job bad -o 'jsonpath={.status.failed}')" 1
kn wait --for=condition=Failed job/slow --timeout=30s
equal 'too slow' "$(kn get job slow -o 'jsonpath={.status.conditions[?(@.type=="Failed")].reason}')" DeadlineExceeded

# A TTL that is over takes Job and pods along.
eventually_equal 15 '' kn get job indexed -o name --ignore-not-found
eventually_equal 15 '' kn get pods -l job-name=indexed -o name
kn delete job three bad slow
eventually_equal 15 '' kn get pods -o name
