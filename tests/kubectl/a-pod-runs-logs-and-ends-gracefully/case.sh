# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
kn run hello --image=coracle.local/demo:1 --restart=Never --command -- sh -c 'echo one; echo two; echo three >&2; exit 3'
eventually_equal 20 Failed kn get pod hello -o 'jsonpath={.status.phase}'
equal code "$(kn get pod hello -o 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}')" 3
equal reason "$(kn get pod hello -o 'jsonpath={.status.containerStatuses[0].state.terminated.reason}')" Error
equal logs "$(kn logs hello)" "$(printf 'one\ntwo\nthree')"
equal tail "$(kn logs hello --tail=1)" three
contains stamps "$(kn logs hello --timestamps --tail=1)" T
kn run stays --image=coracle.local/demo:1 --command -- sh -c 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done'
kn wait --for=condition=Ready pod/stays --timeout=20s
contains describe "$(kn describe pod stays)" "Started"
contains wide "$(kn get pod stays -o wide)" node-1
timeout 5 "$KUBECTL" -n "$NS" logs -f stays > "$WORK/follow.log" &
sleep 0.5
kn delete pod stays --grace-period=5
eventually 5 grep -q bye "$WORK/follow.log"
refuses NotFound kn get pod stays
kn delete pod hello
