# SPDX-License-Identifier: GPL-2.0-or-later
cat > "$WORK/patched.yaml" <<'Y'
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
      - {name: main, image: "demo:1", env: [{name: A, value: a}, {name: B, value: b}], ports: [{containerPort: 80}]}
      - {name: side, image: "demo:1"}
Y
kn create -f "$WORK/patched.yaml"
refuses 'already exists' kn create -f "$WORK/patched.yaml"
containers() { kn get deploy web -o 'jsonpath={range .spec.template.spec.containers[*]}{.name}:{.image} {end}'; }
change() { kn patch deploy web -p '{"spec":{"template":{"spec":{"containers":['"$1"']}}}}'; }
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  kn replace -f "$WORK/patched.yaml"
  change '{"name":"side","image":"demo:2"}'
  equal merged "$(containers)" 'main:demo:1 side:demo:2 '
  change '{"$patch":"delete","name":"side"}'
  equal deleted "$(containers)" 'main:demo:1 '
  kn patch deploy web -p '{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"first"},{"name":"main"}],"containers":[{"name":"first","image":"demo:1"}]}}}}'
  equal ordered "$(containers)" 'first:demo:1 main:demo:1 '
  change '{"name":"main","env":[{"name":"A","$patch":"delete"},{"name":"C","value":"c"}],"ports":[{"containerPort":80,"name":"http"}]}'
  equal env "$(kn get deploy web -o 'jsonpath={.spec.template.spec.containers[1].env[*].name}')" 'C B'
  equal ports "$(kn get deploy web -o 'jsonpath={.spec.template.spec.containers[1].ports[*].name}')" http
  change '{"$patch":"replace"},{"name":"only","image":"demo:1"}'
  equal replaced "$(containers)" 'only:demo:1 '
  kn patch deploy web -p '{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}'
  equal retained "$(kn get deploy web -o 'jsonpath={.spec.strategy}')" '{"type":"Recreate"}'
  kn patch deploy web --type=merge -p '{"spec":{"strategy":null,"template":{"spec":{"containers":[{"name":"merge","image":"demo:1"}]}}}}'
  equal "merge replaces lists" "$(containers)" 'merge:demo:1 '
  kn patch deploy web --type=json -p '[{"op":"test","path":"/spec/replicas","value":0},{"op":"copy","from":"/spec/template/spec/containers/0","path":"/spec/template/spec/containers/-"},{"op":"replace","path":"/spec/template/spec/containers/1/name","value":"json"}]'
  equal json "$(containers)" 'merge:demo:1 json:demo:1 '
  refuses 'the test failed' kn patch deploy web --type=json -p '[{"op":"test","path":"/spec/replicas","value":7}]'
  refuses 'the path does not exist' kn patch deploy web --type=json -p '[{"op":"remove","path":"/spec/none"}]'
  refuses 'must be greater than or equal to 0' kn patch deploy web -p '{"spec":{"replicas":-1}}'
  refuses 'field is immutable' kn patch deploy web -p '{"spec":{"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}}}}}'
  refuses 'not found' kn patch deploy none -p '{}'
  kn patch deploy web --subresource=scale --type=merge -p '{"spec":{"replicas":0}}'
  equal scale "$(kn get deploy web --subresource=scale -o 'jsonpath={.kind} {.status.selector}')" 'Scale app=web'
done
kn get deploy web -o yaml > "$WORK/old.yaml"
kn annotate deploy web touched=yes
sed -i 's/replicas: 0/replicas: 1/' "$WORK/old.yaml"
refuses 'the object has been modified; please apply your changes to the latest version and try again' kn replace -f "$WORK/old.yaml"
uid=$(kn get deploy web -o 'jsonpath={.metadata.uid}')
kn replace --force --grace-period=0 -f "$WORK/patched.yaml"
[ "$(kn get deploy web -o 'jsonpath={.metadata.uid}')" != "$uid" ] || fail "replace --force kept the object"
kn create configmap n --from-literal=a=1
refuses NotFound kn replace -f - <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: none}
Y
editor() {  # editor SED: what changes the file is a program of its own
  printf '#!/bin/sh\nsed -i %s "$1"\n' "'$1'" > "$WORK/editor"
  chmod +x "$WORK/editor"
  export KUBE_EDITOR=$WORK/editor
}
editor 's/^  a: .*/  a: "2"/'
kn edit configmap n
equal edited "$(kn get configmap n -o 'jsonpath={.data.a}')" 2
editor 's/"a": "2"/"a": "3"/'
kn edit configmap n -o json --save-config
contains saved "$(kn apply view-last-applied configmap n)" 'a: "3"'
KUBE_EDITOR=true
contains unchanged "$(kn edit configmap n 2>&1)" 'no changes made'
editor 's/replicas: 0/replicas: -1/'
refuses 'deployments.apps "web" is invalid' kn edit deploy web
