# SPDX-License-Identifier: GPL-2.0-or-later
# Environment, command line, volumes of every kind and the service account, seen from inside.
kn create configmap settings --from-literal=COLOR=red --from-literal=SHAPE=round
kn create secret generic keys --from-literal=USER=ann --from-literal=PASSWORD=sesame
mkdir -p "$WORK/host/there"; echo from-host > "$WORK/host/file"
cat <<Y | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: seen, labels: {app: seen, tier: edge}, annotations: {note: "two words"}}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "\$(SHELL_WORD) \"\$0\" \"\$@\"; echo 'escaped \$\$(SHELL_WORD)'; pwd; env | sort; . /scripts/look.sh", "\$(GREETING)", "\$(UNKNOWN)", second]
    args: [third]
    workingDir: /made/for/us
    envFrom: [{prefix: CM_, configMapRef: {name: settings}}, {secretRef: {name: keys}}, {configMapRef: {name: absent, optional: true}}]
    env:
    - {name: SHELL_WORD, value: echo}
    - {name: PLAIN, value: plain}
    - {name: GREETING, value: "hello \$(PLAIN) \$(COLOR_OF) \$(LATER) \$\$(PLAIN)"}
    - {name: COLOR_OF, valueFrom: {configMapKeyRef: {name: settings, key: COLOR}}}
    - {name: AFTER, value: "\$(COLOR_OF)"}
    - {name: LATER, value: "x"}
    - {name: SECRET_OF, valueFrom: {secretKeyRef: {name: keys, key: PASSWORD}}}
    - {name: MAYBE, valueFrom: {configMapKeyRef: {name: settings, key: none, optional: true}}}
    - {name: USER, value: overrides}
    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: SPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
    - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
    - {name: TIER, valueFrom: {fieldRef: {fieldPath: "metadata.labels['tier']"}}}
    - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['note']"}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    - {name: CPU_M, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
    - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: ASKED, valueFrom: {resourceFieldRef: {resource: requests.memory}}}
    resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {memory: 32Mi}}
    volumeMounts:
    - {name: scripts, mountPath: /scripts}
    - {name: disk, mountPath: /disk}
    - {name: ram, mountPath: /ram}
    - {name: all, mountPath: /settings}
    - {name: some, mountPath: /some, readOnly: true}
    - {name: keys, mountPath: /keys}
    - {name: gone, mountPath: /gone}
    - {name: all, mountPath: /etc/color.conf, subPath: COLOR}
    - {name: disk, mountPath: /sub, subPath: a/b}
    - {name: disk, mountPath: /expr, subPathExpr: of-\$(POD)}
    - {name: pod, mountPath: /pod}
    - {name: both, mountPath: /both}
    - {name: dir, mountPath: /host}
    - {name: file, mountPath: /hostfile, readOnly: true}
    - {name: fresh, mountPath: /fresh}
  volumes:
  - {name: scripts, configMap: {name: look}}
  - {name: disk, emptyDir: {}}
  - {name: ram, emptyDir: {medium: Memory, sizeLimit: 8Mi}}
  - {name: all, configMap: {name: settings}}
  - {name: some, configMap: {name: settings, defaultMode: 0400, items: [{key: COLOR, path: deep/er/color, mode: 0640}, {key: SHAPE, path: shape}]}}
  - {name: keys, secret: {secretName: keys, defaultMode: 0400}}
  - {name: gone, configMap: {name: absent, optional: true}}
  - name: pod
    downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}, {path: notes, fieldRef: {fieldPath: metadata.annotations}}, {path: limit, resourceFieldRef: {containerName: main, resource: limits.memory}}]}
  - name: both
    projected: {sources: [{configMap: {name: settings, items: [{key: COLOR, path: c}]}}, {secret: {name: keys, items: [{key: USER, path: u}]}}, {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}, {serviceAccountToken: {path: token, audience: vault, expirationSeconds: 900}}]}
  - {name: dir, hostPath: {path: $WORK/host, type: Directory}}
  - {name: file, hostPath: {path: $WORK/host/file, type: File}}
  - {name: fresh, hostPath: {path: $WORK/host/new/one, type: DirectoryOrCreate}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: look}
binaryData: {raw: AAEC}
data:
  look.sh: |
    echo modes \$(stat -Lc %a /some/deep/er/color) \$(stat -Lc %a /some/shape) \$(stat -Lc %a /keys/USER) \$(stat -Lc %a /settings/COLOR)
    echo texts \$(cat /some/deep/er/color) \$(cat /some/shape) \$(cat /keys/PASSWORD) \$(cat /etc/color.conf) \$(ls /gone | wc -l)
    echo raw \$(od -An -tx1 /scripts/raw)
    echo x > /disk/x && mkdir -p /sub && echo y > /sub/y && cat /disk/a/b/y && ls -d /disk/of-seen
    echo ram \$(stat -f -c %T /ram) \$(df -k /ram | awk 'END {print \$2}')
    dd if=/dev/zero of=/ram/big bs=1M count=9 2>/dev/null || echo ram-full
    echo z 2>/dev/null > /settings/COLOR || echo configmap-read-only
    echo z 2>/dev/null > /hostfile || echo hostfile-read-only
    cat /hostfile; echo back > /host/there/back; echo new > /fresh/new
    cat /pod/labels; echo; cat /pod/notes; echo; cat /pod/limit; echo
    echo both \$(cat /both/c) \$(cat /both/u) \$(cat /both/name)
    cut -d. -f2 /both/token | tr _- /+ | sed 's/\$/==/' | base64 -d 2>/dev/null; echo
    a=/var/run/secrets/kubernetes.io/serviceaccount
    echo account \$(cat \$a/namespace) \$(head -n 1 \$a/ca.crt) \$(tr -cd . < \$a/token | wc -c)
    echo ca "\$(cat \$a/ca.crt)"
    echo token "\$(cat \$a/token)"
    cat /etc/hosts; hostname; cat /etc/resolv.conf
    echo done > /dev/termination-log
Y
eventually_equal 20 Succeeded kn get pod seen -o 'jsonpath={.status.phase}'
out=$(kn logs seen)
has() { contains "the container's view" "$out" "$1"; }
has 'hello plain $(COLOR_OF) $(LATER) $(PLAIN) $(UNKNOWN) second third'
has 'escaped $(SHELL_WORD)'; has /made/for/us
for word in CM_COLOR=red CM_SHAPE=round USER=overrides PASSWORD=sesame COLOR_OF=red AFTER=red SECRET_OF=sesame POD=seen "SPACE=$NS" \
  POD_UID="$(kn get pod seen -o 'jsonpath={.metadata.uid}')" NODE=node-1 ACCOUNT=default POD_IP="$(kn get pod seen -o 'jsonpath={.status.podIP}')" \
  HOST_IP=172.30.0.1 TIER=edge 'NOTE=two words' $'\nCPU=1\n' CPU_M=500 MEMORY=64 ASKED=33554432 KUBERNETES_SERVICE_HOST=10.43.0.1 \
  KUBERNETES_SERVICE_PORT=443 HOSTNAME=seen PATH=/bin; do has "$word"; done
lacks environment "$out" MAYBE=
has 'modes 640 400 400 644'; has 'texts red round sesame red 0'; has 'raw 00 01 02'; has $'\ny\n/disk/of-seen'
has 'ram tmpfs 8192'; has ram-full; has configmap-read-only; has hostfile-read-only; has from-host
has 'tier="edge"'; has 'note="two words"'; has $'\n67108864\n'; has 'both red ann seen'
has '"aud":["vault"]'; has "system:serviceaccount:$NS:default"; has "account $NS -----BEGIN CERTIFICATE----- 2"
has "$(kn get pod seen -o 'jsonpath={.status.podIP}')"$'\tseen'
equal "host files" "$(cat "$WORK/host/there/back" "$WORK/host/new/one/new")" $'back\nnew'
equal message "$(kn get pod seen -o 'jsonpath={.status.containerStatuses[0].state.terminated.message}')" done
# The token opens the API as the account that it is, and nothing more.
token=$(kn logs seen | sed -n 's/^token //p')
as_pod() { "$KUBECTL" --kubeconfig=/dev/null --server=https://127.0.0.1:6443 --insecure-skip-tls-verify --token="$token" "$@"; }
refuses "system:serviceaccount:$NS:default" as_pod get pods -n "$NS"
contains "own rights" "$(as_pod auth whoami -o yaml)" "authentication.kubernetes.io/pod-name"
# The Service of the API and its certificate, as a program in a pod would use them.
kn logs seen | sed -n '/^ca -----BEGIN/,/END/p' | sed 's/^ca //' > "$WORK/pod-ca.crt"
inside() { curl -s --max-time 3 --cacert "$WORK/pod-ca.crt" --resolve "kubernetes.default.svc:443:10.43.0.1" -H "Authorization: Bearer $token" "https://kubernetes.default.svc$1"; }
contains "version from a pod" "$(inside /version)" '"major"'
contains "forbidden from a pod" "$(inside /api/v1/secrets)" "system:serviceaccount:$NS:default"
kn delete pod seen
# refused or held back, with the reason
kn run lacking --image=coracle.local/demo:1 --overrides='{"spec":{"containers":[{"name":"lacking","image":"coracle.local/demo:1","command":["sleep","9"],"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"later","key":"k"}}}]}]}}'
eventually_equal 10 CreateContainerConfigError kn get pod lacking -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'
equal why "$(kn get pod lacking -o 'jsonpath={.status.containerStatuses[0].state.waiting.message}')" 'secret "later" not found'
kn run unmounted --image=coracle.local/demo:1 --overrides='{"spec":{"containers":[{"name":"unmounted","image":"coracle.local/demo:1","command":["sleep","9"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v","configMap":{"name":"later"}}]}}'
eventually 10 sh -c "'$KUBECTL' -n $NS get events --field-selector involvedObject.name=unmounted | grep -q 'FailedMount.*configmap \"later\" not found'"
equal held "$(kn get pod unmounted -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}')" ContainerCreating
kn create secret generic later --from-literal=k=v
kn create configmap later --from-literal=k=v
eventually_equal 20 "Running Running" kn get pods lacking unmounted -o 'jsonpath={.items[*].status.phase}'
kn delete pod lacking unmounted --grace-period=1 --wait=false
