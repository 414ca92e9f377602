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
n=0
for kubectl in $(some_kubectls); do
  for websockets in true false; do
    export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=$websockets
    n=$((n + 1))
    what="$(basename "$kubectl") websockets=$websockets"
    contains "output, $what" "$(timeout 2 "$kubectl" -n "$NS" attach ticks 2>/dev/null || true)" "tick"
    said=$( (sleep 0.5; echo "line $n"; sleep 1) | timeout 2 "$kubectl" -n "$NS" attach -i talks 2>&1 || true)
    contains "answer, $what" "$said" "got line $n"
    contains "answer on stderr, $what" "$said" "also line $n"
    # Of its own: stdinOnce, so that the container ends with the client's input.
    said=$(echo "to sort $n" | timeout 30 "$kubectl" -n "$NS" run "sorts-$n" -i --rm --restart=Never --image=coracle.local/demo:1 --command -- sh -c 'sleep 1; cat' 2>&1)
    contains "run -i --rm, $what" "$said" "to sort $n"
    refuses NotFound kn get pod "sorts-$n"
    said=$(script -qec "$kubectl -n $NS run tty-$n -it --rm --restart=Never --image=coracle.local/demo:1 --command -- sh -c 'sleep 1; tty; read x; echo read \$x'" /dev/null < <(sleep 4; echo word; sleep 2) || true)
    contains "run -it, $what" "$said" /dev/pts/0
    contains "run -it reads, $what" "$said" "read word"
  done
done
unset KUBECTL_REMOTE_COMMAND_WEBSOCKETS
contains "in the log too" "$(kn logs talks)" "got line 1"
equal "still running" "$(kn get pod talks -o 'jsonpath={.status.containerStatuses[0].restartCount}')" 0
