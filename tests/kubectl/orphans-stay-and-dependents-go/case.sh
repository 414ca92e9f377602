# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
kn create deployment web --image=coracle.local/demo:1 -- sleep 1000
kn rollout status deployment/web --timeout=30s
kn delete deployment web --cascade=orphan
sleep 1
equal "orphaned replica sets" "$(kn get rs -o name | wc -l)" 1
equal "no owner" "$(kn get rs -o 'jsonpath={.items[0].metadata.ownerReferences}')" ""
kn delete rs --all
eventually_equal 45 "" kn get pods -o name  # sleep ignores SIGTERM as process 1: the full grace period
