# SPDX-License-Identifier: GPL-2.0-or-later
sed "s#\$WORK#$WORK#" <<'Y' | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: deaf}
spec:
  terminationGracePeriodSeconds: 2
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: polite}
spec:
  terminationGracePeriodSeconds: 20
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "trap 'echo term >> /h/log; exit 0' TERM; while :; do sleep 0.1; done"]
    lifecycle: {preStop: {sleep: {seconds: 1}}}
    volumeMounts: [{name: h, mountPath: /h}]
  volumes: [{name: h, hostPath: {path: $WORK/polite, type: DirectoryOrCreate}}]
---
apiVersion: v1
kind: Pod
metadata: {name: called}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho called > /h/log; echo; echo ok\\n' > /www/cgi-bin/bye; chmod +x /www/cgi-bin/bye; exec httpd -f -p 8080 -h /www"]
    lifecycle: {preStop: {httpGet: {path: /cgi-bin/bye, port: 8080}}}
    volumeMounts: [{name: h, mountPath: /h}]
  volumes: [{name: h, hostPath: {path: $WORK/called, type: DirectoryOrCreate}}]
---
apiVersion: v1
kind: Pod
metadata: {name: expires}
spec:
  activeDeadlineSeconds: 1
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "3600"]}]
Y
kn wait --for=condition=Ready pod/deaf pod/polite pod/called --timeout=20s
since() { echo $((($(date +%s%N) - $1) / 1000000)); }
at=$(date +%s%N); kn delete pod deaf; took=$(since "$at")
[ "$took" -ge 1800 ] && [ "$took" -le 4500 ] || fail "a deaf pod took $took ms to go, with 2 s of grace"
at=$(date +%s%N); kn delete pod polite; took=$(since "$at")
equal "the signal arrived" "$(cat "$WORK/polite/log")" term
[ "$took" -ge 900 ] && [ "$took" -le 4500 ] || fail "a polite pod took $took ms to go, with a hook of 1 s"
kn delete pod called
equal "the hook was called" "$(cat "$WORK/called/log")" called
eventually_equal 10 Failed kn get pod expires -o 'jsonpath={.status.phase}'
equal reason "$(kn get pod expires -o 'jsonpath={.status.reason}')" DeadlineExceeded
contains event "$(kn get events --field-selector involvedObject.name=deaf)" "Stopping container main"
kn run forced --image=coracle.local/demo:1 --command -- sleep 54321
kn wait --for=condition=Ready pod/forced --timeout=20s
at=$(date +%s%N); kn delete pod forced --force --grace-period=0; took=$(since "$at")
[ "$took" -le 2000 ] || fail "a forced deletion took $took ms"
eventually_equal 10 "" pgrep -f 'sleep 54321'
kn delete pod expires
