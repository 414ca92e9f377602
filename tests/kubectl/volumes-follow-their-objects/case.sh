# SPDX-License-Identifier: GPL-2.0-or-later
# Judged at the end: what is written beyond a limit ends its pod.
kn apply -f - << 'Y'
apiVersion: v1
kind: Pod
metadata: {name: greedy}
spec:
  terminationGracePeriodSeconds: 60
  containers:
  - name: c
    image: coracle.local/demo:1
    command: [sh, -c, 'head -c 2000000 /dev/zero > /scratch/x; sleep 600']
    volumeMounts: [{name: scratch, mountPath: /scratch}]
  volumes: [{name: scratch, emptyDir: {sizeLimit: 1Mi}}]
Y
kn create configmap live --from-literal=a=1 --from-literal=b=1
kn create secret generic live --from-literal=s=1
kn create configmap still --from-literal=k=1
kn patch configmap still -p '{"immutable":true}'
refuses 'field is immutable when `immutable` is set' kn patch configmap still -p '{"data":{"k":"2"}}'
cat <<'Y' | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: watcher, labels: {mood: calm}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: coracle.local/demo:1
    command:
    - sh
    - -c
    - |
      httpd -p 8080 -h /
      while :; do d=$(readlink /live/..data); a=$(cat /live/$d/a 2>/dev/null) b=$(cat /live/$d/b 2>/dev/null); [ "$a" = "$b" ] || [ ! -e /live/$d/a ] || [ ! -e /live/b ] || [ "$d" != "$(readlink /live/..data)" ] || echo torn $a $b; done
    volumeMounts: [{name: live, mountPath: /live}, {name: live, mountPath: /fixed, subPath: a}, {name: all, mountPath: /all}]
  volumes:
  - {name: live, configMap: {name: live}}
  - {name: all, projected: {sources: [{secret: {name: live}}, {downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}, {configMap: {name: coming, optional: true}}]}}
Y
kn wait --for=condition=Ready pod/watcher --timeout=20s
ip=$(kn get pod watcher -o 'jsonpath={.status.podIP}')
page() { curl -sf --max-time 2 "http://$ip:8080$1"; }
eventually_equal 5 1 page /live/a
for i in 2 3 4 5; do
  kn patch configmap live -p "{\"data\":{\"a\":\"$i\",\"b\":\"$i\"}}"
  eventually_equal 20 $i page /live/b
done
equal "a subPath stays" "$(page /fixed)" 1
kn patch secret live -p '{"stringData":{"s":"2","t":"new"}}'
eventually_equal 20 2 page /all/s
eventually_equal 20 new page /all/t
kn patch configmap live --type=json -p '[{"op":"remove","path":"/data/b"},{"op":"add","path":"/data/a","value":"6"}]'
eventually_equal 20 6 page /live/a
page /live/b && fail "a removed key is still there"
kn label pod watcher mood=merry --overwrite
eventually_equal 20 'mood="merry"' page /all/labels
kn create configmap coming --from-literal=c=here
eventually_equal 20 here page /all/c
equal "nothing torn" "$(kn logs watcher)" ""
kn delete pod watcher --grace-period=1 --wait=false

eventually_equal 30 Evicted kn get pod greedy -o 'jsonpath={.status.reason}'
equal 'its phase' "$(kn get pod greedy -o 'jsonpath={.status.phase}')" Failed
contains 'its message' "$(kn get pod greedy -o 'jsonpath={.status.message}')" 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". '
ended() { [ -n "$(kn get pod greedy -o 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}')" ]; }
eventually 10 ended
kn delete pod greedy
