# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
kn create deployment web --image=coracle.local/demo:1 -- sleep 1000
kn rollout status deployment/web --timeout=30s
kn delete deployment web --cascade=orphan
sleep 1
equal "orphaned replica sets" "$(kn get rs -o name | wc -l)" 1
equal "no owner" "$(kn get rs -o 'jsonpath={.items[0].metadata.ownerReferences}')" ""
kn delete rs --all
eventually 5 sh -c "'$KUBECTL' -n $NS get pods -o 'jsonpath={.items[*].metadata.deletionTimestamp}' | grep -q T"
kn delete pods --all --grace-period=1 --timeout=20s  # sleep ignores SIGTERM as process 1: not the full 30 s
