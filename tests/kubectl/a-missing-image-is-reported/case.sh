# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
kn run lost --image=nowhere.example/none:1
eventually_equal 20 True sh -c "'$KUBECTL' -n $NS get pod lost -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}' | grep -qE 'ErrImagePull|ImagePullBackOff' && echo True"
eventually 20 sh -c "'$KUBECTL' -n $NS get events --field-selector involvedObject.name=lost | grep -q Failed"
kn run never --image=nowhere.example/none:1 --image-pull-policy=Never
eventually_equal 20 ErrImageNeverPull kn get pod never -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'
kn delete pod lost never --grace-period=0 --force
