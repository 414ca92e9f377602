# SPDX-License-Identifier: GPL-2.0-or-later
cat <<'Y' | kn apply -f -
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: "hello"}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: sesame}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: coracle.local/demo:1
        command: [sh, -c, "echo main; exec sleep 3600"]
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 10m, memory: 8Mi}, limits: {memory: 32Mi}}
        volumeMounts: [{name: page, mountPath: /www}]
      - {name: side, image: "coracle.local/demo:1", command: [sh, -c, "echo side; exec sleep 3600"]}
      volumes: [{name: page, configMap: {name: page}}]
Y
kn rollout status deployment/web --timeout=20s
kn expose deployment web --port=80 --target-port=http
kn expose deployment web --port=80 --target-port=8080 --name=headless --cluster-ip=None --type=ClusterIP
eventually_equal 5 1 sh -c "'$KUBECTL' -n $NS get endpointslices -l kubernetes.io/service-name=web -o 'jsonpath={.items[0].endpoints[*].addresses[0]}' | wc -w"
pod=$(kn get pods -o 'jsonpath={.items[0].metadata.name}')
ip=$(kn get pod "$pod" -o 'jsonpath={.status.podIP}')
head_of() { kn get "$@" | head -n 1 | tr -s ' ' | sed 's/ $//'; }
for kubectl in $(some_kubectls); do
  KUBECTL=$kubectl
  contains pod "$(kn describe pod "$pod")" 'Successfully assigned'
  contains 'pod resources' "$(kn describe pod "$pod")" 'QoS Class:                   Burstable'
  contains deployment "$(kn describe deployment web)" '1 desired | 1 updated | 1 total | 1 available | 0 unavailable'
  contains rs "$(kn describe rs -l app=web)" 'Controlled By:  Deployment/web'
  contains service "$(kn describe service web)" "$ip:8080"
  contains headless "$(kn describe service headless)" 'None'
  contains endpoints "$(kn describe endpoints web)" "$ip"
  contains slices "$(kn describe endpointslices -l kubernetes.io/service-name=web)" "TargetRef:  Pod/$pod"
  contains configmap "$(kn describe configmap page)" 'hello'
  contains secret "$(kn describe secret key)" 'password:  6 bytes'
  contains serviceaccount "$(kn describe serviceaccount default)" 'Image pull secrets:'
  contains namespace "$(k describe namespace "$NS")" 'Status:       Active'
  contains node "$(k describe node node-1)" 'KubeletReady'
  contains 'node pods' "$(k describe node node-1)" "$pod"
  contains lease "$(k -n kube-node-lease describe lease node-1)" 'Holder Identity:'
  contains event "$(kn describe events)" 'Container started'
  equal pods "$(head_of pods -o wide)" 'NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES'
  equal deployments "$(head_of deployments -o wide)" 'NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR'
  equal replicasets "$(head_of replicasets -o wide)" 'NAME DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR'
  equal services "$(head_of services -o wide)" 'NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR'
  equal endpoints "$(head_of endpoints 2>/dev/null)" 'NAME ENDPOINTS AGE'
  equal slices "$(head_of endpointslices)" 'NAME ADDRESSTYPE PORTS ENDPOINTS AGE'
  equal configmaps "$(head_of configmaps)" 'NAME DATA AGE'
  equal secrets "$(head_of secrets)" 'NAME TYPE DATA AGE'
  contains serviceaccounts "$(head_of serviceaccounts)" NAME
  equal namespaces "$(head_of namespaces)" 'NAME STATUS AGE'
  equal nodes "$(head_of nodes -o wide)" 'NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME'
  equal leases "$(head_of leases -n kube-node-lease)" 'NAME HOLDER AGE'
  equal events "$(head_of events)" 'LAST SEEN TYPE REASON OBJECT MESSAGE'
  equal 'wide events' "$(head_of events -o wide)" 'LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME'
  contains 'kubectl events' "$(kn events --for "pod/$pod")" Scheduled
  contains 'events by reason' "$(kn get events --field-selector "reason=Started,involvedObject.kind=Pod,type!=Warning")" "pod/$pod"
  equal logs "$(kn logs "$pod" --all-containers | sort)" "$(printf 'main\nside')"
  equal side "$(kn logs deployment/web -c side 2>/dev/null)" side
  equal prefix "$(kn logs -l app=web --prefix --tail=1 -c side)" "[pod/$pod/side] side"
  refuses 'is not valid for pod' kn logs "$pod" -c none
  refuses 'previous terminated container "side"' kn logs "$pod" -c side --previous
done
steps=$(kn get events --field-selector "involvedObject.name=$pod" -o 'jsonpath={.items[*].reason}')
equal 'events sort as they happened' "${steps%% *}" Scheduled
