# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: steps}
spec:
  restartPolicy: Never
  initContainers:
  - {name: first, image: "coracle.local/demo:1", command: [sh, -c, "echo first >> /w/order"], volumeMounts: [{name: w, mountPath: /w}]}
  - {name: second, image: "coracle.local/demo:1", command: [sh, -c, "sleep 0.3; echo second >> /w/order"], volumeMounts: [{name: w, mountPath: /w}]}
  containers:
  - {name: main, image: "coracle.local/demo:1", command: [sh, -c, "echo main >> /w/order; cat /w/order"], volumeMounts: [{name: w, mountPath: /w}]}
  volumes: [{name: w, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec:
  initContainers: [{name: prepare, image: "coracle.local/demo:1", command: [sh, -c, "echo no luck; exit 7"]}]
  containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "99"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: gives-up}
spec:
  restartPolicy: Never
  initContainers: [{name: prepare, image: "coracle.local/demo:1", command: [sh, -c, "exit 7"]}]
  containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "99"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: crashes}
spec:
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "echo life $(cat /proc/sys/kernel/random/uuid); echo the end > /dev/termination-log; exit 5"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: on-failure}
spec:
  restartPolicy: OnFailure
  containers:
  - {name: main, image: "coracle.local/demo:1", command: [sh, -c, "[ -e /w/once ] && { echo second; exec sleep 3600; }; touch /w/once; echo first; exit 1"], volumeMounts: [{name: w, mountPath: /w}]}
  volumes: [{name: w, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: always}
spec:
  containers: [{name: main, image: "coracle.local/demo:1", command: ["true"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: no-such-command}
spec:
  containers: [{name: main, image: "coracle.local/demo:1", command: [/not/there]}]
---
apiVersion: v1
kind: Pod
metadata: {name: last-words}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "echo from the log; exit 1"], terminationMessagePolicy: FallbackToLogsOnError}]
---
apiVersion: v1
kind: Pod
metadata: {name: too-large}
spec:
  restartPolicy: Never
  containers:
  - {name: main, image: "coracle.local/demo:1", command: [sh, -c, "tail /dev/zero"], resources: {limits: {memory: 16Mi}}}
Y
state() { kn get pod "$1" -o "jsonpath={.status.containerStatuses[0].$2}"; }
eventually_equal 10 Succeeded kn get pod steps -o 'jsonpath={.status.phase}'
equal order "$(kn logs steps)" $'first\nsecond\nmain'
equal "init reasons" "$(kn get pod steps -o 'jsonpath={.status.initContainerStatuses[*].state.terminated.reason}')" "Completed Completed"
eventually_equal 10 Failed kn get pod gives-up -o 'jsonpath={.status.phase}'
contains "init failure" "$(kn get pod gives-up)" Init:Error
equal "never started" "$(state gives-up state.waiting.reason)" PodInitializing
eventually_equal 20 CrashLoopBackOff kn get pod stuck -o 'jsonpath={.status.initContainerStatuses[0].state.waiting.reason}'
contains "init loop" "$(kn get pod stuck)" Init:CrashLoopBackOff
equal "init log" "$(kn logs stuck -c prepare)" "no luck"
equal initialized "$(kn get pod stuck -o 'jsonpath={.status.conditions[?(@.type=="Initialized")].status}')" False

eventually_equal 20 CrashLoopBackOff state crashes state.waiting.reason
contains message "$(state crashes state.waiting.message)" "back-off 10s restarting failed container=main pod=crashes_$NS("
equal last "$(state crashes lastState.terminated.exitCode)/$(state crashes lastState.terminated.reason)/$(state crashes lastState.terminated.message)" "5/Error/the end"
contains event "$(kn get events --field-selector involvedObject.name=crashes)" "Back-off restarting failed container main in pod crashes_$NS("
contains row "$(kn get pod crashes)" CrashLoopBackOff
contains "log while waiting" "$(kn logs crashes)" life
refuses 'previous terminated container "main" in pod "steps" not found' kn logs steps --previous

eventually_equal 10 second kn logs on-failure
equal previous "$(kn logs on-failure --previous)" first
equal "one restart" "$(state on-failure restartCount)" 1
eventually_equal 10 Completed state always lastState.terminated.reason
eventually_equal 10 CrashLoopBackOff state no-such-command state.waiting.reason
equal "never started" "$(state no-such-command lastState.terminated.reason)/$(state no-such-command lastState.terminated.exitCode)" StartError/128
[ "$(state no-such-command restartCount)" -le 2 ] || fail "tried without a pause"
contains "why" "$(kn describe pod no-such-command)" /not/there
eventually_equal 10 Failed kn get pod last-words -o 'jsonpath={.status.phase}'
equal "from the log" "$(state last-words state.terminated.message)" "from the log"
eventually_equal 15 OOMKilled state too-large state.terminated.reason
equal "137" "$(state too-large state.terminated.exitCode)" 137
kn delete pods --all --grace-period=1 --wait=false
