# SPDX-License-Identifier: GPL-2.0-or-later
# A claim gets a directory of the node when a pod first needs it; the data outlive the pods and go with the claim.
pod() {  # pod NAME VOLUME COMMAND
  kn apply -f - << YAML
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, fsGroup: 2000}
  containers:
  - {name: c, image: coracle.local/demo:1, command: [sh, -c, '$3'], volumeMounts: [{name: d, mountPath: /d}]}
  volumes: [{name: d, $2}]
YAML
}
claim='persistentVolumeClaim: {claimName: data}'
pod writer "$claim" 'echo kept > /d/file && stat -c %g:%a /d && sleep 600'
eventually_equal 5 Pending kn get pod writer -o 'jsonpath={.status.phase}'
told() { kn describe pod writer | grep -q 'persistentvolumeclaim "data" not found'; }
eventually 5 told
kn apply -f - << 'YAML'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
YAML
kn wait --for=condition=Ready pod/writer --timeout=30s
eventually_equal 5 '2000:2777' kn logs writer
equal claim "$(kn get pvc data -o 'jsonpath={.status.phase} {.spec.storageClassName}')" 'Bound local-path'
volume=$(kn get pvc data -o 'jsonpath={.spec.volumeName}')
directory=$(k get pv "$volume" -o 'jsonpath={.spec.local.path}')
equal 'where it lies' "$directory" "$WORK/data/storage/$volume"
equal 'what lies there' "$(cat "$directory/file")" kept

# Claims in use are kept until the last pod is gone.
kn delete pod writer
pod reader "persistentVolumeClaim: {claimName: data, readOnly: true}" 'cat /d/file; touch /d/more; exit 0'
kn wait --for=jsonpath='{.status.phase}'=Succeeded pod/reader --timeout=30s
equal 'what another pod reads' "$(kn logs reader)" "$(printf 'kept\ntouch: /d/more: Read-only file system')"
kn delete pod reader
kn delete pvc data --wait
eventually_equal 20 '' k get pv "$volume" --ignore-not-found
[ ! -e "$directory" ] || fail "$directory is still there"

# A volume of a pod alone comes and goes with it.
pod brief 'ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}}' \
  'echo x > /d/x; sleep 600'
kn wait --for=condition=Ready pod/brief --timeout=30s
equal 'its claim' "$(kn get pvc brief-d -o 'jsonpath={.status.phase} {.metadata.ownerReferences[0].name}')" 'Bound brief'
kn delete pod brief
eventually_equal 20 '' kn get pvc brief-d --ignore-not-found
