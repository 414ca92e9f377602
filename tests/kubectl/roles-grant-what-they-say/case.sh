# SPDX-License-Identifier: GPL-2.0-or-later
equal "no right yet" "$(kn auth can-i list pods --as ann || true)" no
kn create role reader --verb=get,list,watch --resource=pods,pods/log
kn create rolebinding reader --role=reader --user=ann
eventually_equal 5 yes kn auth can-i list pods --as ann
equal "only here" "$(k -n default auth can-i list pods --as ann || true)" no
equal "only these" "$(kn auth can-i delete pods --as ann || true)" no
contains list "$(kn auth can-i --list --as ann)" pods/log
refuses 'cannot list resource "secrets"' kn get secrets --as ann
kn get pods --as ann
# Upstream's roles, gathered by label.
contains view "$(k get clusterrole view -o yaml)" resourcequotas
eventually 10 sh -c "'$KUBECTL' get clusterrole admin -o yaml | grep -q rolebindings"
kn create rolebinding editors --clusterrole=edit --serviceaccount="$NS:default"
SA="system:serviceaccount:$NS:default"
eventually_equal 5 yes kn auth can-i create deployments.apps --as "$SA"
equal "no roles" "$(kn auth can-i create roles.rbac.authorization.k8s.io --as "$SA" || true)" no
equal "not elsewhere" "$(k -n default auth can-i create deployments.apps --as "$SA" || true)" no
# A token of the account may what the account may.
TOKEN=$(kn create token default)
SERVER=$(k config view --raw -o 'jsonpath={.clusters[0].cluster.server}')
as_account() { "$KUBECTL" --kubeconfig=/dev/null --server "$SERVER" --insecure-skip-tls-verify --token "$TOKEN" -n "$NS" "$@"; }
as_account create configmap made --from-literal=a=b
refuses forbidden as_account get nodes
# Nobody gives what they do not have.
kn create rolebinding keeper --clusterrole=admin --user=joe
eventually_equal 5 yes kn auth can-i create roles.rbac.authorization.k8s.io --as joe
kn create role small --verb=get --resource=pods --as joe
refuses "attempting to grant RBAC permissions not currently held" kn create rolebinding big --clusterrole=cluster-admin --user=joe --as joe
contains described "$(kn describe rolebinding reader)" ann
contains wide "$(kn get rolebinding reader -o wide)" Role/reader
k auth whoami > /dev/null
