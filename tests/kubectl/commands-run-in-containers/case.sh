# SPDX-License-Identifier: GPL-2.0-or-later
kn apply -f - > /dev/null <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers:
  - {name: first, image: coracle.local/demo:1, command: [sh, -c, 'while :; do sleep 1; done'], env: [{name: WHO, value: first}],
     workingDir: /tmp, securityContext: {runAsUser: 1000, runAsGroup: 2000}}
  - {name: second, image: coracle.local/demo:1, command: [sh, -c, 'while :; do sleep 1; done'], env: [{name: WHO, value: second}]}
Y
kn wait --for=condition=Ready pod/two --timeout=20s
for kubectl in $(some_kubectls); do
  for websockets in true false; do  # newer ones fall back to SPDY when told
    export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=$websockets
    run() { timeout 30 "$kubectl" -n "$NS" "$@"; }
    what="$(basename "$kubectl") websockets=$websockets"
    equal "output, $what" "$(run exec two -c first -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out
    equal "errors, $what" "$(run exec two -c first -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
    equal "who, $what" "$(run exec two -c second -- sh -c 'echo $WHO')" second
    equal "user and place, $what" "$(run exec two -c first -- sh -c 'echo $(id -u) $(id -g) $(pwd)')" "1000 2000 /tmp"
    contains "default container, $what" "$(run exec two -- true 2>&1)" 'Defaulted container "first" out of: first, second'
    code=0; said=$(run exec two -c first -- sh -c 'exit 42' 2>&1) || code=$?
    equal "exit code, $what" "$code $said" "42 command terminated with exit code 42"
    code=0; run exec two -c first -- sh -c 'kill -9 $$' 2> /dev/null || code=$?
    equal "killed, $what" "$code" 137
    equal "stdin, $what" "$(echo hello | run exec -i two -c first -- cat)" hello
    equal "large input, $what" "$(head -c 3000000 /dev/zero | run exec -i two -c first -- wc -c)" 3000000
    equal "large output, $what" "$(run exec two -c first -- head -c 3000000 /dev/zero | wc -c)" 3000000
    equal "no stdin, $what" "$(run exec two -c first -- cat < /dev/null)" ""
    refuses 'no-such-program' run exec two -c first -- no-such-program
    refuses 'container nobody is not valid for pod two' run exec two -c nobody -- true
    refuses 'pods "none" not found' run exec none -- true
    # A terminal: script(1) gives kubectl one.
    tty=$(script -qec "stty rows 41 cols 123; $kubectl -n $NS exec -it two -c first -- sh -c 'sleep 0.5; tty; stty size; echo \$TERM; exit 5'" /dev/null < /dev/null || true)
    contains "terminal, $what" "$tty" /dev/pts/0
    contains "size, $what" "$tty" "41 123"
    contains "kind of terminal, $what" "$tty" xterm
    # Files both ways; tar runs in the container.
    mkdir -p "$WORK/cp/in"; head -c 500000 /dev/urandom > "$WORK/cp/in/big"; echo small > "$WORK/cp/in/small"
    run cp "$WORK/cp/in" two:/tmp/there -c second
    run cp two:/tmp/there "$WORK/cp/out" -c second > /dev/null
    diff -r "$WORK/cp/in" "$WORK/cp/out" || fail "cp, $what"
    run exec two -c second -- rm -r /tmp/there
    rm -r "$WORK/cp"
  done
done
unset KUBECTL_REMOTE_COMMAND_WEBSOCKETS
# Who leaves takes the command along.
timeout 1 "$KUBECTL" -n "$NS" exec two -c first -- sleep 4711 || true
gone() { ! kn exec two -c first -- sh -c 'ps | grep -v grep | grep -q "sleep 4711"'; }
eventually 5 gone
# What has ended cannot be entered.
kn run brief --image=coracle.local/demo:1 --restart=Never --command -- true
eventually_equal 20 Succeeded kn get pod brief -o 'jsonpath={.status.phase}'
refuses 'cannot exec into a container in a completed pod' kn exec brief -- true
# Each right by itself.
kn create serviceaccount reader > /dev/null
kn create role pods-only --verb=get,list --resource=pods > /dev/null
kn create rolebinding reader --role=pods-only --serviceaccount="$NS:reader" > /dev/null
refuses 'cannot create resource "pods/exec"' kn exec two -c first --as="system:serviceaccount:$NS:reader" -- true
kn create role exec --verb=create --resource=pods/exec > /dev/null
kn create rolebinding exec --role=exec --serviceaccount="$NS:reader" > /dev/null
KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false kn exec two -c first --as="system:serviceaccount:$NS:reader" -- true
