# SPDX-License-Identifier: GPL-2.0-or-later
map() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: %s\n' "$1"; }
map '{a: "1", b: "1"}' | kn apply --server-side --field-manager=one -f -
contains managers "$(kn get configmap m -o yaml --show-managed-fields)" "manager: one"
lacks hidden "$(kn get configmap m -o yaml)" managedFields
map '{a: "1", b: "1"}' | kn apply --server-side --field-manager=one -f - | grep -q serverside-applied
if out=$(map '{a: "2"}' | kn apply --server-side --field-manager=two -f - 2>&1); then fail "no conflict"; fi
contains conflict "$out" 'conflict with "one": .data.a'
map '{a: "2"}' | kn apply --server-side --field-manager=two --force-conflicts -f -
equal taken "$(kn get configmap m -o 'jsonpath={.data.a}')" 2
map '{}' | kn apply --server-side --field-manager=one -f -
equal "dropped what was its own alone" "$(kn get configmap m -o 'jsonpath={.data}')" '{"a":"2"}'
# From the old kind of apply to the new one.
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second}\ndata: {a: "1", b: "1"}\n' > "$WORK/n.yaml"
kn apply -f "$WORK/n.yaml"
sed -i 's/a: "1"/a: "2"/' "$WORK/n.yaml"
kn apply --server-side -f "$WORK/n.yaml"
equal moved "$(kn get configmap second -o 'jsonpath={.data.a}')" 2
sed -i 's/, b: "1"//' "$WORK/n.yaml"
kn apply --server-side -f "$WORK/n.yaml"
equal dropped "$(kn get configmap second -o 'jsonpath={.data}')" '{"a":"2"}'
