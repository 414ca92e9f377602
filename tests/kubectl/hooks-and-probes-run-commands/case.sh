# SPDX-License-Identifier: GPL-2.0-or-later
kn apply -f - > /dev/null <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: probed}
spec:
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, 'while :; do sleep 1; done']
    readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 1}
    livenessProbe: {exec: {command: [sh, -c, '! test -e /tmp/sick']}, periodSeconds: 1, failureThreshold: 2}
  terminationGracePeriodSeconds: 1
---
apiVersion: v1
kind: Pod
metadata: {name: hooked}
spec:
  terminationGracePeriodSeconds: 10
  volumes: [{name: notes, emptyDir: {}}]
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, 'trap "echo told to stop at $(date +%s) >> /notes/log; exit 0" TERM; while :; do sleep 0.1; done']
    volumeMounts: [{name: notes, mountPath: /notes}]
    lifecycle:
      postStart: {exec: {command: [sh, -c, 'sleep 5; echo prepared > /notes/log']}}
      preStop: {exec: {command: [sh, -c, 'echo finishing >> /notes/log; sleep 1; echo finished >> /notes/log']}}
  - name: watch
    image: coracle.local/demo:1
    command: [sh, -c, 'tail -F /notes/log 2> /dev/null']
    volumeMounts: [{name: notes, mountPath: /notes}]
    lifecycle: {preStop: {sleep: {seconds: 5}}}
---
apiVersion: v1
kind: Pod
metadata: {name: unhooked}
spec:
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, 'while :; do sleep 1; done']
    lifecycle: {postStart: {exec: {command: [sh, -c, 'echo cannot; exit 3']}}}
  terminationGracePeriodSeconds: 1
---
apiVersion: v1
kind: Pod
metadata: {name: secure}
spec:
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sleep, "100"]
    readinessProbe: {httpGet: {scheme: HTTPS, host: 127.0.0.1, port: 6443, path: /readyz}, periodSeconds: 1}
  terminationGracePeriodSeconds: 1
Y
# Not running before the hook is done.
started() { kn get events --field-selector involvedObject.name=hooked,reason=Started | grep -q 'Container started'; }
eventually 10 started
equal "hook under way" "$(kn get pod hooked -o 'jsonpath={.status.containerStatuses[?(@.name=="main")].state.waiting.reason}')" ContainerCreating
kn wait --for=condition=Ready pod/hooked --timeout=20s
kn wait --for=condition=Ready pod/secure --timeout=20s
equal "hook done" "$(kn exec hooked -c main -- cat /notes/log)" prepared
# A failed hook ends the container.
failed_hook() { kn get events | grep -q 'FailedPostStartHook.*cannot'; }
eventually 10 failed_hook
eventually_equal 20 CrashLoopBackOff kn get pod unhooked -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'
# Readiness follows the command, with its words in the event.
unready() { kn get events | grep -q "Readiness probe failed: cat: can't open"; }
eventually 10 unready
equal "not ready" "$(kn get pod probed -o 'jsonpath={.status.containerStatuses[0].ready}')" false
kn exec probed -- touch /tmp/ready
kn wait --for=condition=Ready pod/probed --timeout=20s
kn exec probed -- rm /tmp/ready
kn wait --for=condition=Ready=false pod/probed --timeout=20s
kn exec probed -- touch /tmp/sick
eventually_equal 20 1 kn get pod probed -o 'jsonpath={.status.containerStatuses[0].restartCount}'
# The order of a stop: hook, signal, end.
kn logs -f hooked -c watch > "$WORK/hooked.log" &
follow=$!
sleep 0.5
kn delete pod hooked
wait $follow || true
equal "order" "$(sed 's/ at .*//' "$WORK/hooked.log")" "$(printf 'prepared\nfinishing\nfinished\ntold to stop')"
