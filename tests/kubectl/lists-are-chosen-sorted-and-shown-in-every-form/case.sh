# SPDX-License-Identifier: GPL-2.0-or-later
for name in a b c; do kn create configmap "$name" --from-literal=n="$name"; done
kn label configmap a tier=front env=prod
kn label configmap b tier=back env=prod
kn label configmap c tier=back env=test
kn run web --image=coracle.local/demo:1 --labels=app=web --command -- sleep 1000
kn run lost --image=coracle.local/demo:1 --labels=app=lost --overrides='{"spec":{"nodeSelector":{"no":"where"}}}'
kn wait --for=condition=Ready pod/web --timeout=20s
names() { kn get "$@" -o 'jsonpath={.items[*].metadata.name}'; }
mine='tier'
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  equal in "$(names cm -l 'tier in (front,back),env=prod')" 'a b'
  equal notin "$(names cm -l "$mine,env notin (test)")" 'a b'
  equal exists "$(names cm -l "$mine")" 'a b c'
  equal absent "$(names cm -l '!tier')" kube-root-ca.crt
  equal unequal "$(names cm -l "$mine,tier!=back")" a
  equal field "$(names cm --field-selector 'metadata.name!=a,metadata.name!=kube-root-ca.crt')" 'b c'
  equal node "$(names pods --field-selector spec.nodeName=node-1)" web
  equal 'no node' "$(names pods --field-selector spec.nodeName!=node-1,status.phase=Pending)" lost
  refuses 'field label not supported: spec.bad' kn get pods --field-selector spec.bad=1
  refuses 'unable to parse requirement' kn get pods -l 'app in web'
  equal chunks "$(names cm -l "$mine" --chunk-size=1)" 'a b c'
  equal sorted "$(kn get cm -l "$mine" --sort-by=.metadata.labels.env --no-headers -o custom-columns=N:.metadata.name | tail -n 1)" c
  equal columns "$(kn get pod web -o custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image)" \
    "$(printf 'NAME   IMAGES\nweb    coracle.local/demo:1')"
  equal template "$(kn get cm -l tier=back -o go-template='{{range .items}}{{.data.n}}{{end}}')" bc
  equal range "$(kn get cm -l tier=back -o 'jsonpath={range .items[*]}{.metadata.name}={.data.n};{end}')" 'b=b;c=c;'
  contains wide "$(kn get pod web -o wide)" node-1
  contains 'wide head' "$(kn get pod web -o wide)" 'NOMINATED NODE   READINESS GATES'
  contains labels "$(kn get pods --show-labels)" app=web
  contains 'label column' "$(kn get pods -L app | head -n 1)" APP
  contains everywhere "$(k get pods -A --no-headers)" "$NS"
  contains json "$(kn get cm a -o json)" '"kind": "ConfigMap"'
  contains yaml "$(kn get cm a -o yaml)" 'kind: ConfigMap'
  lacks 'managed fields' "$(kn get cm a -o yaml)" managedFields
  equal name "$(kn get cm/a pod/web -o name)" "$(printf 'configmap/a\npod/web')"
  equal nothing "$(kn get pods -l app=none 2>&1)" "No resources found in $NS namespace."
  equal ignored "$(kn get pod none --ignore-not-found)" ''
  contains all "$(kn get all)" pod/web
  refuses "the server doesn't have a resource type" kn get nothings
done
timeout 5 "$KUBECTL" -n "$NS" get pods -w > "$WORK/table.log" &
watcher=$!
timeout 5 "$KUBECTL" -n "$NS" get pods --watch-only --output-watch-events > "$WORK/only.log" &
sleep 0.4
kn delete pod lost --now
eventually 3 grep -q "DELETED .*lost" "$WORK/only.log"
equal 'one head' "$(grep -c '^NAME ' "$WORK/table.log")" 1
contains 'rows' "$(cat "$WORK/table.log")" 'web    1/1'
kill $watcher
k get --raw "/api/v1/namespaces/$NS/pods?limit=1" | grep -q '"kind":"PodList"' || fail raw
kn delete pod web --grace-period=0 --force
