# SPDX-License-Identifier: GPL-2.0-or-later
mkdir -p "$WORK/apply"
cat > "$WORK/apply/a.yaml" <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {one: "1", two: "2"}}
data: {x: "1", y: "2"}
Y
cat > "$WORK/apply/b.yaml" <<'Y'
apiVersion: v1
kind: Secret
metadata: {name: b}
stringData: {password: sesame}
Y
contains first "$(kn apply -f "$WORK/apply")" created
contains second "$(kn apply -f "$WORK/apply/a.yaml")" unchanged
kn patch configmap a --type=merge -p '{"data":{"other":"kept"}}'
sed -i 's/, y: "2"//; s/x: "1"/x: "9"/' "$WORK/apply/a.yaml"
contains third "$(kn apply -f "$WORK/apply")" configured
equal merged "$(kn get configmap a -o 'jsonpath={.data}')" '{"other":"kept","x":"9"}'
equal folded "$(kn get secret b -o 'jsonpath={.data.password}')" c2VzYW1l
refuses 'unknown field' kn apply -f - <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
dta: {x: "1"}
Y
kn diff -f "$WORK/apply/a.yaml"
kn delete -f "$WORK/apply"
