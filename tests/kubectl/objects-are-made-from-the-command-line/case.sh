# SPDX-License-Identifier: GPL-2.0-or-later
printf 'plain' > "$WORK/plain.txt"
head -c 300 /dev/urandom > "$WORK/bytes.bin"
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  for dry in client server; do
    contains "deployment $dry" "$(kn create deployment d --image=a:1 --replicas=2 --port=80 --dry-run=$dry -o yaml)" 'containerPort: 80'
    contains "service $dry" "$(kn create service clusterip s --tcp=80:8080 --dry-run=$dry -o yaml)" 'targetPort: 8080'
    contains "configmap $dry" "$(kn create configmap c --from-literal=a=b --dry-run=$dry -o yaml)" 'a: b'
    contains "secret $dry" "$(kn create secret generic s --from-literal=a=b --dry-run=$dry -o yaml)" 'a: Yg=='
    contains "namespace $dry" "$(k create namespace n9 --dry-run=$dry -o yaml)" 'kind: Namespace'
    contains "account $dry" "$(kn create serviceaccount a --dry-run=$dry -o yaml)" 'kind: ServiceAccount'
    contains "pod $dry" "$(kn run p --image=a:1 --dry-run=$dry -o yaml)" 'image: a:1'
  done
  contains defaults "$(kn create deployment d --image=a:1 --dry-run=server -o yaml)" 'progressDeadlineSeconds: 600'
  equal 'nothing was stored' "$(kn get deployments,services,secrets,pods -o name)" ''
  kn create configmap c --from-file="$WORK/plain.txt" --from-file=other="$WORK/bytes.bin" --from-literal=a=b
  equal files "$(kn get configmap c -o 'jsonpath={.data.plain\.txt} {.data.a}')" 'plain b'
  equal bytes "$(kn get configmap c -o 'jsonpath={.binaryData.other}' | base64 -d | cksum)" "$(cksum < "$WORK/bytes.bin")"
  kn create secret docker-registry pull --docker-username=a --docker-password=b
  contains type "$(kn get secret pull)" kubernetes.io/dockerconfigjson
  kn create service externalname away --external-name=example.com
  contains away "$(kn get service away)" example.com
  kn run web --image=coracle.local/demo:1 --env=A=b --env=C=d --labels=app=web,tier=front --port=8080 --expose --command -- sleep 1000
  equal run "$(kn get pod web -o 'jsonpath={.spec.containers[0].env[*].value} {.spec.containers[0].ports[0].containerPort} {.metadata.labels.tier}')" 'b d 8080 front'
  equal exposed "$(kn get service web -o 'jsonpath={.spec.selector} {.spec.ports[0].port}')" '{"app":"web","tier":"front"} 8080'
  kn set selector service web app=other
  equal selector "$(kn get service web -o 'jsonpath={.spec.selector}')" '{"app":"other"}'
  kn expose pod web --name=again --port=81 --target-port=8080 --selector=app=web
  equal ports "$(kn get service again -o 'jsonpath={.spec.ports[0].port} {.spec.ports[0].targetPort} {.spec.type}')" '81 8080 ClusterIP'
  kn expose pod web --name=outside --port=81 --type=NodePort
  contains 'node port' "$(kn get service outside --no-headers)" '81:3'
  kn delete service outside
  kn create service loadbalancer outside --tcp=80:80
  contains 'load balancer' "$(kn get service outside --no-headers)" '<pending>'
  kn delete service outside
  kn create job j --image=a
  equal 'job' "$(kn get job j -o 'jsonpath={.spec.template.spec.containers[0].image} {.spec.backoffLimit}')" 'a 6'
  kn delete job j
  kn label configmap c a=1
  refuses 'already has a value' kn label configmap c a=2
  kn label configmap c a=2 --overwrite
  equal label "$(kn get configmap c -o 'jsonpath={.metadata.labels.a}')" 2
  kn label configmap c a-
  equal unlabelled "$(kn get configmap c -o 'jsonpath={.metadata.labels}')" ''
  refuses 'is invalid' kn label configmap c 'bad key!=1'
  kn annotate configmap c note=1
  refuses 'already has a value' kn annotate configmap c note=2
  kn annotate configmap c note=2 --overwrite
  kn annotate configmap c note-
  equal unannotated "$(kn get configmap c -o 'jsonpath={.metadata.annotations}')" ''
  kn delete configmap/c secret/pull service/away service/web service/again
  kn delete pod web --grace-period=0 --force
done
head -c 4000000 /dev/zero | tr '\0' x > "$WORK/huge"
refuses 'limit is 3145728' kn create configmap huge --from-file="$WORK/huge"
