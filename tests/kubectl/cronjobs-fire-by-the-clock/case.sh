# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: "@every 2s"
  timeZone: Europe/Berlin
  successfulJobsHistoryLimit: 1
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: "coracle.local/demo:1", command: [echo, tock]}]
Y
eventually 20 sh -c "[ -n \"\$('$KUBECTL' -n $NS get cronjob tick -o 'jsonpath={.status.lastSuccessfulTime}')\" ]"
contains events "$(kn describe cronjob tick)" 'Created job tick-'
eventually 5 sh -c "'$KUBECTL' -n $NS describe cronjob tick | grep -q 'Saw completed job: tick-'"
job=$(kn get jobs -o 'jsonpath={.items[0].metadata.name}')
equal owner "$(kn get job "$job" -o 'jsonpath={.metadata.ownerReferences[0].name}')" tick
kn patch cronjob tick -p '{"spec":{"suspend":true}}'
contains suspended "$(kn get cronjob tick --no-headers)" True
kn create job by-hand --from=cronjob/tick
kn wait --for=condition=Complete job/by-hand --timeout=30s
contains output "$(kn logs job/by-hand)" tock
refuses 'unknown time zone' kn patch cronjob tick -p '{"spec":{"timeZone":"No such"}}'
kn delete cronjob tick
eventually_equal 15 '' kn get jobs -o name
