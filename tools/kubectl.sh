#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the kubectl binaries of this machine, oldest first: versioned ones (kubectl.1.27 ...) that lie beside the
# plain one are preferred, since the plain one may be a dispatcher that picks a version by itself. KUBECTL overrides.
set -eu
if [ -n "${KUBECTL:-}" ]; then
  printf '%s\n' $KUBECTL
  exit 0
fi
plain=$(command -v kubectl || true)
[ -n "$plain" ] || { echo "no kubectl found" >&2; exit 1; }
folder=$(dirname "$(readlink -f "$plain")")
versioned=$(ls "$folder" 2>/dev/null | grep -E '^kubectl\.[0-9]+\.[0-9]+$' | sort -t. -k2,2n -k3,3n || true)
if [ -n "$versioned" ]; then
  for name in $versioned; do echo "$folder/$name"; done
else
  echo "$plain"
fi
