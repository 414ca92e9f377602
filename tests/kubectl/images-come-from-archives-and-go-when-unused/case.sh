# SPDX-License-Identifier: GPL-2.0-or-later
image() { "$CORACLE" image "$@" --data-dir "$WORK/data" --run-dir "$WORK/run"; }
dir=$WORK/images; mkdir -p "$dir"
reason() { kn get pod "$1" -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'; }
contains ls "$(image ls)" coracle.local/demo:1

# Nothing to run yet: reported, and mended by loading.
kn run late --image=coracle.local/late:1 --command -- sleep 3600
kn run never --image=coracle.local/late:1 --image-pull-policy=Never --command -- sleep 3600
kn run always --image=coracle.local/late:1 --image-pull-policy=Always --command -- sleep 3600
kn run wrong --image=x --overrides='{"spec":{"containers":[{"name":"wrong","image":"UPPER/not valid"}]}}'
eventually_equal 10 ErrImageNeverPull reason never
eventually_equal 10 InvalidImageName reason wrong
eventually_equal 20 ImagePullBackOff reason late
events=$(kn get events --field-selector involvedObject.name=late)
for word in 'Pulling image "coracle.local/late:1"' 'Failed to pull image "coracle.local/late:1"' 'Error: ErrImagePull' 'Back-off pulling image "coracle.local/late:1"' 'Error: ImagePullBackOff'; do contains events "$events" "$word"; done
contains "the message says how" "$(kn get pod late -o 'jsonpath={.status.containerStatuses[0].state.waiting.message}')" 'Back-off pulling image "coracle.local/late:1"'
equal phase "$(kn get pod late -o 'jsonpath={.status.phase}')" Pending
"$TOP/tools/demo_image.sh" "$dir/base.tar" coracle.local/late:1
mkdir -p "$dir/x" && tar -C "$dir/x" -xf "$dir/base.tar" && sed -i 's#"PATH=/bin"#"PATH=/bin","LATE=1"#' "$dir/x/config.json"  # an image of its own, with the same layer
tar -C "$dir/x" -cf "$dir/late.tar" manifest.json config.json layer.tar
gzip -c "$dir/late.tar" > "$dir/late.tar.gz"
contains gzip "$(image load "$dir/late.tar.gz")" "loaded coracle.local/late:1"
for name in late never always; do eventually_equal 25 Running kn get pod $name -o 'jsonpath={.status.phase}'; done
kn get pod late -o 'jsonpath={.status.containerStatuses[0].imageID}' | grep -q sha256: || fail "no image id"
contains "node knows" "$(k get node node-1 -o 'jsonpath={.status.images[*].names}')" coracle.local/late:1

# In use, also between restarts: refused; the same again: harmless; then it goes, space and all.
refuses 'is used by' image rm coracle.local/late:1
kn delete pod late never always wrong --grace-period=1
kn run loops --image=coracle.local/late:1 --command -- false
eventually_equal 10 CrashLoopBackOff reason loops
refuses 'is used by' image rm coracle.local/late:1
contains again "$(image load "$dir/late.tar")" "loaded coracle.local/late:1"
kn delete pod loops --grace-period=1
image rm coracle.local/late:1
lacks removed "$(image ls)" late
refuses 'not found' image rm coracle.local/late:1
kn run demo --image=coracle.local/demo:1 --command -- sleep 3600   # shares its layer with what went
kn wait --for=condition=Ready pod/demo --timeout=20s

# What is not an image is refused and leaves nothing.
blobs() { find "$WORK/data/images" | sort | md5sum; }
before=$(blobs)
head -c 700000 "$dir/late.tar" > "$dir/cut.tar"; refuses ':' image load "$dir/cut.tar"
head -c 300000 "$dir/late.tar.gz" > "$dir/cut.tar.gz"; refuses ':' image load "$dir/cut.tar.gz"
head -c 100000 /dev/urandom > "$dir/noise.tar"; refuses ':' image load "$dir/noise.tar"
: > "$dir/empty.tar"; refuses ':' image load "$dir/empty.tar"
refuses 'no such file' image load "$dir/absent.tar"
sed -i 's#sha256:........#sha256:deadbeef#' "$dir/x/config.json"  # not what the layer is
tar -C "$dir/x" -cf "$dir/altered.tar" manifest.json config.json layer.tar; refuses 'does not match the diff ID' image load "$dir/altered.tar"
equal "nothing is left of them" "$(blobs)" "$before"
lacks "not listed" "$(image ls)" late

if ! command -v umoci > /dev/null || ! command -v skopeo > /dev/null; then
  echo "skipped: no umoci and skopeo: OCI layouts were not tried"
else
  skopeo copy -q "docker-archive:$dir/late.tar" "oci:$dir/layout:base" || fail skopeo
  umoci unpack --rootless --image "$dir/layout:base" "$dir/bundle" > /dev/null
  mkdir -p "$dir/bundle/rootfs/data"; echo built > "$dir/bundle/rootfs/data/file"; rm "$dir/bundle/rootfs/bin/vi"
  umoci repack --image "$dir/layout:built" "$dir/bundle" > /dev/null
  umoci config --image "$dir/layout:built" --config.entrypoint sh --config.entrypoint -c --config.cmd 'id -u; pwd; cat file; echo $FLAVOUR; ls /bin/vi' --config.workingdir /data --config.user 65534 --config.env FLAVOUR=sweet
  skopeo copy -q "oci:$dir/layout:built" "oci-archive:$dir/built.tar:coracle.local/built:2" || fail skopeo
  contains oci "$(image load "$dir/built.tar")" "loaded coracle.local/built:2"
  kn run built --image=coracle.local/built:2 --restart=Never
  eventually_equal 10 Failed kn get pod built -o 'jsonpath={.status.phase}'
  contains "what the image says" "$(kn logs built)" $'65534\n/data\nbuilt\nsweet\n'
  contains whiteout "$(kn logs built)" '/bin/vi: No such file'
  kn delete pod built
  image rm coracle.local/built:2
  skopeo copy -q "oci:$dir/layout:built" "docker-archive:$dir/named.tar:docker.io/library/short:1" || fail skopeo
  image load "$dir/named.tar"
  kn run short --image=short:1 --image-pull-policy=IfNotPresent --restart=Never
  eventually_equal 10 Failed kn get pod short -o 'jsonpath={.status.phase}'
  kn delete pod short
  image rm short:1
fi
kn delete pod demo --grace-period=1 --wait=false
