#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that building, running and testing need; does nothing when all are there.
set -eu
packages="g++ cmake ninja-build pkg-config libuv1-dev libmbedtls-dev libcjson-dev libyaml-dev libsqlite3-dev
libmnl-dev libnftnl-dev libnghttp2-dev zlib1g-dev libgtest-dev libbenchmark-dev lld-16
crun busybox-static iproute2 nftables procps python3 curl ca-certificates openssl tzdata bsdutils
clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev"
# Any kubectl will do; Debian's is used when there is none.
command -v kubectl >/dev/null 2>&1 || packages="$packages kubernetes-client"
missing=""
for package in $packages; do
  state=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  case "$state" in ii*) ;; *) missing="$missing $package" ;; esac
done
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "deps: this is not Debian; please install:$missing" >&2
  exit 1
fi
echo "deps: installing$missing"
mkdir -p build
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } > build/deps.log 2>&1 || {
  tail -n 20 build/deps.log >&2
  echo "deps: apt-get failed; see build/deps.log" >&2
  exit 1
}
