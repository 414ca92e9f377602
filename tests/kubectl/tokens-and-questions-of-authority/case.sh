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
