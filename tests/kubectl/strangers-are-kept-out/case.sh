# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
# TLS, certificates, tokens, and what a node, a service account and nobody may do.
equal "mode of the kubeconfig" "$(stat -c %a "$KUBECONFIG")" 600
equal "mode of the data directory" "$(stat -c %a "$WORK/data")" 700
equal "others can read" "$(find "$WORK/data" -type f -perm /077 -path '*pki*' | wc -l)" 0

# A certificate of another authority with our administrator's names, and nodes of ours.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/O=system:masters/CN=admin" \
  -keyout "$WORK/foreign.key" -out "$WORK/foreign.crt" 2> /dev/null
for node in node-1 node-2; do
  "$CORACLE" kubeconfig "system:node:$node" system:nodes --data-dir "$WORK/data" --server https://127.0.0.1:6443 > "$WORK/$node.kubeconfig"
done
"$CORACLE" kubeconfig somebody --data-dir "$WORK/data" --server https://127.0.0.1:6443 > "$WORK/somebody.kubeconfig"
export KUBECONFIG WORK NS PYTHONDONTWRITEBYTECODE=1
python3 -W ignore::DeprecationWarning strangers.py
