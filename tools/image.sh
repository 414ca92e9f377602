#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make image`: what goes into a device's root file system, laid out under build/image/root: stripped binaries and
# rootfs-overlay/. A Buildroot or Yocto recipe copies this tree; whole flashable images come with the boards.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 root=build/image/root
rm -rf build/image
mkdir -p "$root/usr/bin"
cp "$build/coracle" "$build/coracle-shim" "$root/usr/bin/"
strip "$root/usr/bin/coracle"
cp -a rootfs-overlay/. "$root/"
find "$root" -type f -printf '%8s  /%P\n'
du -sk "$root" | awk '{print $1 " KiB in all"}'
