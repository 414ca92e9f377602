#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a docker-archive of one layer with Debian's static busybox: $1 = tar to write, $2 = image name.
set -eu
out=$1
name=${2:-coracle.local/demo:1}
[ -s "$out" ] && exit 0
busybox=$(command -v busybox)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/www" "$work/root/tmp" "$work/root/etc" "$work/image"
chmod 1777 "$work/root/tmp"
cp "$busybox" "$work/root/bin/busybox"
for applet in $("$busybox" --list); do
  [ "$applet" = busybox ] || ln -s busybox "$work/root/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' > "$work/root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$work/root/etc/group"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$work/root" -cf "$work/image/layer.tar" .
diff=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
case "$(uname -m)" in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; armv7*) arch=arm ;; *) arch=$(uname -m) ;; esac
cat > "$work/image/config.json" <<EOT
{"architecture":"$arch","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:$diff"]}}
EOT
printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$name" > "$work/image/manifest.json"
tar -C "$work/image" -cf "$out.part" manifest.json config.json layer.tar
mv "$out.part" "$out"
