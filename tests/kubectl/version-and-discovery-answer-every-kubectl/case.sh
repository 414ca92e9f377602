# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
for kubectl in $KUBECTLS_LIST; do
  contains "version of $kubectl" "$("$kubectl" version 2>&1)" "Server Version"
  contains "cluster-info of $kubectl" "$("$kubectl" cluster-info)" "control plane"
  resources=$("$kubectl" api-resources)
  for name in namespaces nodes pods services endpoints endpointslices configmaps secrets serviceaccounts events leases deployments replicasets; do
    contains "api-resources of $kubectl" "$resources" "$name"
  done
  contains "api-versions" "$("$kubectl" api-versions)" "apps/v1"
  "$kubectl" get nodes,namespaces -o wide > /dev/null
done
