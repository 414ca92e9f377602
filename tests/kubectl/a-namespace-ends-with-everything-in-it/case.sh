# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
k create namespace doomed
k -n doomed create configmap x
k -n doomed create deployment web --image=coracle.local/demo:1 -- sleep 1000
k -n doomed patch deployment web -p '{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"},"template":{"spec":{"terminationGracePeriodSeconds":1}}}}'
k -n doomed delete pods --all --grace-period=1
k -n doomed rollout status deployment/web --timeout=40s
eventually_equal 20 1 k -n doomed get deployment web -o 'jsonpath={.status.readyReplicas}'
k delete namespace doomed --timeout=60s
refuses NotFound k get namespace doomed
refuses 'not found' k -n doomed create configmap y
