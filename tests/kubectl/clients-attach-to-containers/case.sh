# SPDX-License-Identifier: GPL-2.0-or-later
kn apply -f - > /dev/null <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: talks}
spec:
  containers:
  - {name: main, image: coracle.local/demo:1, stdin: true, command: [sh, -c, 'while read line; do echo got $line; echo also $line >&2; done']}
---
apiVersion: v1
kind: Pod
metadata: {name: ticks}
spec:
  containers:
  - {name: main, image: coracle.local/demo:1, command: [sh, -c, 'i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.2; done']}
Y
kn wait --for=condition=Ready pod/talks pod/ticks --timeout=20s
# shows FILE TEXT: waits for it, so that a client's input stays open that long
shows() { for _ in $(seq 1 150); do grep -q "$2" "$1" 2> /dev/null && break || sleep 0.1; done; }
n=0
for kubectl in $(some_kubectls); do
  for websockets in true false; do
    export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=$websockets
    n=$((n + 1))
    what="$(basename "$kubectl") websockets=$websockets"
    contains "output, $what" "$(timeout 10 "$kubectl" -n "$NS" attach ticks 2>/dev/null | head -n 1 || true)" "tick"
    { echo "line $n"; shows "$WORK/said-$n" "also line $n"; } | timeout 15 "$kubectl" -n "$NS" attach -i talks > "$WORK/said-$n" 2>&1 & attached=$!
    eventually 5 grep "got line $n" "$WORK/said-$n"
    eventually 5 grep "also line $n" "$WORK/said-$n"
    kill $attached
    # Of its own: stdinOnce, so that the container ends with the client's input.
    said=$(echo "to sort $n" | timeout 30 "$kubectl" -n "$NS" run "sorts-$n" -i --rm --restart=Never --image=coracle.local/demo:1 --command -- sh -c 'sleep 1; cat' 2>&1)
    contains "run -i --rm, $what" "$said" "to sort $n"
    refuses NotFound kn get pod "sorts-$n"
    : > "$WORK/tty-$n"
    { shows "$WORK/tty-$n" /dev/pts/0; echo word; shows "$WORK/tty-$n" "read word"; } | timeout 60 script -qfec "$kubectl -n $NS run tty-$n -it --rm --restart=Never --image=coracle.local/demo:1 --command -- sh -c 'sleep 1; tty; read x; echo read \$x'" /dev/null > "$WORK/tty-$n" || true
    contains "run -it, $what" "$(cat "$WORK/tty-$n")" /dev/pts/0
    contains "run -it reads, $what" "$(cat "$WORK/tty-$n")" "read word"
  done
done
unset KUBECTL_REMOTE_COMMAND_WEBSOCKETS
contains "in the log too" "$(kn logs talks)" "got line 1"
equal "still running" "$(kn get pod talks -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
