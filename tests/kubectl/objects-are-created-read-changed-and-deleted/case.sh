# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
for kubectl in $KUBECTLS_LIST; do
  KUBECTL=$kubectl
  kn create configmap greeting --from-literal=hello=world
  equal data "$(kn get configmap greeting -o 'jsonpath={.data.hello}')" world
  equal name "$(kn get configmap greeting -o name)" configmap/greeting
  kn get configmap greeting -o yaml | grep -q "hello: world" || fail "yaml"
  kn get configmaps -l a=b 2>&1 | grep -q "No resources found" || fail "label selector"
  kn label configmap greeting a=b
  equal labelled "$(kn get configmaps -l a=b -o name)" configmap/greeting
  kn annotate configmap greeting note=x
  kn patch configmap greeting -p '{"data":{"strategic":"1"}}'
  kn patch configmap greeting --type=merge -p '{"data":{"merge":"1"}}'
  kn patch configmap greeting --type=json -p '[{"op":"add","path":"/data/json","value":"1"}]'
  equal keys "$(kn get configmap greeting -o 'jsonpath={.data}')" '{"hello":"world","json":"1","merge":"1","strategic":"1"}'
  equal selected "$(kn get configmaps --field-selector metadata.name=greeting -o name)" configmap/greeting
  kn get configmaps --sort-by=.metadata.name > /dev/null
  kn create secret generic key --from-literal=p=q
  equal secret "$(kn get secret key -o 'jsonpath={.data.p}')" cQ==
  kn create serviceaccount robot
  kn create service clusterip web --tcp=80:8080
  refuses 'already exists' kn create configmap greeting
  kn get configmap greeting -o json | sed 's/"world"/"moon"/' | kn replace -f -
  equal replaced "$(kn get configmap greeting -o 'jsonpath={.data.hello}')" moon
  KUBE_EDITOR='sed -i s/moon/mars/' kn edit configmap greeting
  equal edited "$(kn get configmap greeting -o 'jsonpath={.data.hello}')" mars
  contains describe "$(kn describe configmap greeting)" mars
  kn delete configmap/greeting secret/key serviceaccount/robot service/web
  refuses NotFound kn get configmap greeting
done
