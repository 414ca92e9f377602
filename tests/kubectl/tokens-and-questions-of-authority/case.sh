# SPDX-License-Identifier: GPL-2.0-or-later
for kubectl in $KUBECTLS_LIST; do
  KUBECTL=$kubectl
  equal can-i "$(kn auth can-i create pods)" yes
  # 1.27 asks for a beta version that v1.36 no longer serves.
  minor=${kubectl##*.}
  if [ "${minor:-0}" -ge 28 ] 2>/dev/null; then contains whoami "$(kn auth whoami)" admin; fi
  token=$(kn create token default)
  equal parts "$(echo "$token" | tr . '\n' | wc -l)" 3
done
out=$("$KUBECTL" --kubeconfig=/dev/null --server=https://127.0.0.1:6443 --insecure-skip-tls-verify --token="$token" get pods -n "$NS" 2>&1) && fail "a service account listed pods"
contains forbidden "$out" 'cannot list resource "pods"'
out=$("$KUBECTL" --kubeconfig=/dev/null --server=https://127.0.0.1:6443 --insecure-skip-tls-verify --token=x.y.z get pods -n "$NS" 2>&1) && fail "nonsense was accepted"
equal "anonymous health" "$(curl -sk https://127.0.0.1:6443/readyz)" ok
equal "anonymous pods" "$(curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1:6443/api/v1/pods)" 401
payload() { local part; part=$(cut -d. -f2 | tr '_-' '/+'); while [ $((${#part} % 4)) != 0 ]; do part+='='; done; echo "$part" | base64 -d; }
kn run bound --image=coracle.local/demo:1 --command -- sleep 1000
kn wait --for=condition=Ready pod/bound --timeout=20s
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  contains rules "$(kn auth can-i --list)" '*.*'
  equal nobody "$(kn auth can-i list pods --as=bob || true)" no
  equal account "$(kn auth can-i list pods --as="system:serviceaccount:$NS:default" || true)" no
  lacks 'rules of nobody' "$(kn auth can-i --list --as=bob)" '*.*'
  refuses 'may not specify a duration less than 10 minutes' kn create token default --duration=5m
  refuses 'serviceaccounts "none" not found' kn create token none
  refuses 'not found' kn create token default --bound-object-kind=Secret --bound-object-name=none
  claims=$(kn create token default --audience=a --audience=b --duration=20m --bound-object-kind=Pod --bound-object-name=bound | payload)
  contains audience "$claims" '"aud":["a","b"]'
  contains pod "$claims" '"pod":{"name":"bound"'
  contains account "$claims" "\"sub\":\"system:serviceaccount:$NS:default\""
  [ $(($(echo "$claims" | sed 's/.*"exp":\([0-9]*\).*/\1/') - $(echo "$claims" | sed 's/.*"iat":\([0-9]*\).*/\1/'))) = 1200 ] || fail "not 20 minutes: $claims"
done
equal impersonated "$("$KUBECTL" auth whoami --as=bob --as-group=x -o 'jsonpath={.status.userInfo.username} {.status.userInfo.groups}')" 'bob ["x","system:authenticated"]'
token=$(kn create token default --bound-object-kind=Pod --bound-object-name=bound)
me() { "$KUBECTL" --kubeconfig=/dev/null --server=https://127.0.0.1:6443 --insecure-skip-tls-verify --token="$token" auth whoami -o 'jsonpath={.status.userInfo.username}'; }
equal 'bound token' "$(me)" "system:serviceaccount:$NS:default"
kn delete pod bound --grace-period=0 --force
if me; then fail "a token outlived its pod"; fi
