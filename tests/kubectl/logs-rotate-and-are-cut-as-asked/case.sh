# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: talks}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - {name: much, image: "coracle.local/demo:1", command: [sh, -c, "awk 'BEGIN {for (i = 1; i <= 250000; i++) printf \"line %08d of a text that is as long as such lines are\\n\", i}'; sleep 3600"]}
  - {name: little, image: "coracle.local/demo:1", command: [sh, -c, "echo early; sleep 3; echo late; printf 'no newline'"]}
Y
kn wait --for=condition=Ready pod/talks --timeout=20s
eventually 20 sh -c "'$KUBECTL' -n $NS logs talks -c much --tail=1 | grep -q 'line 00250000'"
uid=$(kn get pod talks -o 'jsonpath={.metadata.uid}')
files=$(find "$WORK/data/pods/$uid/logs/much" -type f | wc -l)
[ "$files" -ge 2 ] || fail "the log was not rotated"
for file in $(find "$WORK/data/pods/$uid/logs/much" -type f); do
  [ "$(stat -c %s "$file")" -le $((11 * 1024 * 1024)) ] || fail "$file is too large"
done
equal "across the rotation" "$(kn logs talks -c much --tail=200000 | awk '{if (NR > 1 && $2 != last + 1) bad++; last = $2} END {print NR, bad + 0, last + 0}')" "200000 0 250000"
equal "whole log ends" "$(kn logs talks -c much | tail -n 1 | cut -d' ' -f2)" 00250000
equal bytes "$(kn logs talks -c much --limit-bytes=1000 | wc -c)" 1000
refuses 'container nosuch is not valid for pod talks' kn logs talks -c nosuch
contains both "$(kn logs talks --all-containers --tail=1 --prefix)" '[pod/talks/little]'
eventually 8 sh -c "'$KUBECTL' -n $NS logs talks -c little | grep -q 'no newline'"
equal partial "$(kn logs talks -c little)" $'early\nlate\nno newline'
equal since "$(kn logs talks -c little --since=1000s | head -n 1)" early
middle=$(kn logs talks -c little --timestamps | sed -n 's/ late//p')
equal "since a time" "$(kn logs talks -c little --since-time="$middle" | head -n 1)" late
kn logs -f talks -c little > "$WORK/follow-end.log" & follower=$!
sleep 0.3
kn delete pod talks --grace-period=1
wait $follower || true
contains "followed to the end" "$(cat "$WORK/follow-end.log")" late
