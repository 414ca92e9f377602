# SPDX-License-Identifier: GPL-2.0-or-later
manifest() { cat > "$WORK/m.yaml"; }
manifest <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: one, image: "demo:1", args: [a, b], env: [{name: A, value: a}, {name: B, value: b}]}
      - {name: two, image: "demo:1"}
Y
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  contains 'dry create' "$(kn apply --dry-run=server -f "$WORK/m.yaml")" 'created (server dry run)'
  refuses NotFound kn get deployment web
  kn apply -f "$WORK/m.yaml"
  contains same "$(kn apply -f "$WORK/m.yaml")" unchanged
  kn diff -f "$WORK/m.yaml"
  kn set env deployment/web -c one C=theirs
  sed 's/, env: .*}]}/, env: [{name: B, value: new}]}/; s/args: \[a, b\]/args: [c]/; /name: two/d' "$WORK/m.yaml" > "$WORK/n.yaml"
  status=0; difference=$(kn diff -f "$WORK/n.yaml") || status=$?
  equal 'status of diff' $status 1
  contains difference "$difference" '-      - image: demo:1'
  contains 'dry change' "$(kn apply --dry-run=server -f "$WORK/n.yaml")" 'configured (server dry run)'
  equal 'still two' "$(kn get deployment web -o 'jsonpath={.spec.template.spec.containers[*].name}')" 'one two'
  kn apply -f "$WORK/n.yaml"
  equal merged "$(kn get deployment web -o 'jsonpath={.spec.template.spec.containers[*].name} {.spec.template.spec.containers[0].args} {.spec.template.spec.containers[0].env[*].value}')" \
    'one ["c"] new theirs'
  kn delete -f "$WORK/n.yaml"
done
refuses 'no matches for kind "Widget"' kn apply -f - <<'Y'
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
Y
refuses 'no matches for kind "FlowSchema"' kn apply -f - <<'Y'
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: f}
Y
refuses 'spec.loadBalancerSourceRanges: Forbidden: not supported' kn apply -f - <<'Y'
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {type: LoadBalancer, loadBalancerSourceRanges: [192.0.2.0/24], ports: [{port: 80}]}
Y
bad='apiVersion: apps/v1
kind: Deployment
metadata: {name: Bad_Name}
spec: {replicas: -1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: x}]}}}'
for part in 'metadata.name: Invalid value' 'spec.replicas: Invalid value: -1' '`selector` does not match template `labels`' 'containers[0].image: Required value'; do
  refuses "$part" kn apply -f - <<< "$bad"
done
pod='{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: x, image: a, ports: [{containerPorts: 1}]}], foo: 1}}'
refuses 'unknown field "spec.foo"' kn apply -f - <<< "$pod"
refuses 'unknown field "spec.containers[0].ports[0].containerPorts"' kn apply -f - <<< "$pod"
refuses 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal' kn create --validate=false -f - <<< '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: x, image: true}]}}'
map='{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, foo: 1}'
contains warned "$(kn apply --validate=warn -f - <<< "$map" 2>&1)" 'Warning: unknown field "foo"'
kn apply --validate=false -f - <<< "$map"
mkdir -p "$WORK/set"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {set: x}}\n' > "$WORK/set/a.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, labels: {set: x}}\n' > "$WORK/set/b.yaml"
kn apply -f "$WORK/set"
rm "$WORK/set/b.yaml"
contains pruned "$(kn apply -f "$WORK/set" --prune -l set=x --prune-allowlist=core/v1/ConfigMap)" 'configmap/b pruned'
kn get configmap a
refuses 'the server doesn'"'"'t have a resource type' k get certificatesigningrequests
