# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
kn run sleeper --image=coracle.local/demo:1 --command -- sleep 100000
kn wait --for=condition=Ready pod/sleeper --timeout=20s
before=$(pgrep -f 'sleep 100000')
[ -n "$before" ] || fail "no process"
started=$(kn get pod sleeper -o 'jsonpath={.status.containerStatuses[0].state.running.startedAt}')
kill -9 "$(cat "$WORK/server.pid")"
sleep 0.2
equal "pids while down" "$(pgrep -f 'sleep 100000')" "$before"
start_server
equal "pids after restart" "$(pgrep -f 'sleep 100000')" "$before"
kn wait --for=condition=Ready pod/sleeper --timeout=10s
equal started "$(kn get pod sleeper -o 'jsonpath={.status.containerStatuses[0].state.running.startedAt}')" "$started"
equal restarts "$(kn get pod sleeper -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
kn delete pod sleeper --grace-period=1
eventually_equal 10 "" pgrep -f 'sleep 100000'
