# SPDX-License-Identifier: GPL-2.0-or-later
kn create configmap watched
timeout 5 "$KUBECTL" -n "$NS" get configmaps -w -o name > "$WORK/watch.log" 2>/dev/null &
watcher=$!
sleep 0.5
kn create configmap second
kn delete configmap watched
eventually 3 grep -q configmap/second "$WORK/watch.log"
kill $watcher 2>/dev/null || true
kn run waiter --image=coracle.local/demo:1 --command -- sleep 1000
kn wait --for=condition=Ready pod/waiter --timeout=20s
kn wait --for=jsonpath='{.status.phase}'=Running pod/waiter --timeout=5s
kn delete pod waiter --grace-period=0 --force --wait=false
kn wait --for=delete pod/waiter --timeout=20s
for word in pods pods.spec.containers deployments.spec.strategy services.spec.ports; do
  contains "explain $word" "$(k explain $word)" "FIELDS"
done
contains "get -A" "$(k get pods -A 2>&1)" ""
contains "get all" "$(kn get all 2>&1)" ""
contains recursive "$(k explain pods --recursive)" 'creationTimestamp	<string>'
refuses 'field "none" does not exist' k explain pods.none
refuses "the server doesn't have a resource type" k explain flowschemas
refuses 'not found' kn wait --for=condition=Ready pod/none --timeout=2s
kn wait --for=delete pod/none --timeout=2s
refuses 'timed out waiting for the condition' kn wait --for=jsonpath='{.data.a}'=b configmap/second --timeout=1s
minor=$("$KUBECTL" version --client 2>/dev/null | sed -n 's/.*v1\.\([0-9]*\)\..*/\1/p' | head -n 1)
if [ "${minor:-0}" -ge 31 ]; then
  (sleep 0.5; kn create configmap later) &
  kn wait --for=create configmap/later --timeout=5s
  kn wait --for=jsonpath='{.metadata.uid}' configmap/later --timeout=2s
  wait $!
fi
