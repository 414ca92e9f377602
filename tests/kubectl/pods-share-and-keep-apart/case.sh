# SPDX-License-Identifier: GPL-2.0-or-later
sed "s#\$WORK#$WORK#" <<'Y' | kn apply -f -
apiVersion: v1
kind: Pod
metadata: {name: pair}
spec:
  restartPolicy: Never
  containers:
  - {name: server, image: "coracle.local/demo:1", command: [sh, -c, "httpd -p 8080 -h /w; until [ -e /w/done ]; do sleep 0.1; done"], volumeMounts: [{name: w, mountPath: /w}]}
  - {name: client, image: "coracle.local/demo:1", command: [sh, -c, "echo shared > /w/file; until wget -qO- http://127.0.0.1:8080/file 2>/dev/null; do sleep 0.1; done; ls /proc | grep -c '^[0-9]'; hostname; touch /w/done"], volumeMounts: [{name: w, mountPath: /w}]}
  volumes: [{name: w, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: host}
spec:
  restartPolicy: Never
  hostNetwork: true
  hostPID: true
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "ip -o addr show lan0; ls /proc | grep -c '^[0-9]'; hostname; echo $IP"], env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: confined}
spec:
  restartPolicy: Never
  securityContext: {runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000], runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}, sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]}
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "id -u; id -g; id -G; stat -c %g /w; echo x > /w/x && stat -c %g /w/x; echo x 2>/dev/null > /tmp/x || echo read-only; grep -E 'Cap(Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/sys/net/ipv4/ip_unprivileged_port_start"]
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: w, mountPath: /w}]
  volumes: [{name: w, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: root-refused}
spec:
  securityContext: {runAsNonRoot: true}
  containers: [{name: main, image: "coracle.local/demo:1", command: [sleep, "99"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: limited}
spec:
  terminationGracePeriodSeconds: 0
  hostname: chosen
  subdomain: sub
  hostAliases: [{ip: 10.9.8.7, hostnames: [other, another.example]}]
  dnsPolicy: None
  dnsConfig: {nameservers: [192.0.2.53], searches: [a.example], options: [{name: ndots, value: "2"}]}
  containers:
  - name: main
    image: coracle.local/demo:1
    command: [sh, -c, "cat /proc/self/cgroup; hostname; cat /etc/hosts /etc/resolv.conf; grep Cap /proc/self/status; ls -l /dev; exec sleep 77777"]
    resources: {limits: {cpu: 250m, memory: 48Mi}, requests: {cpu: 100m}}
    securityContext: {capabilities: {add: [NET_ADMIN]}}
---
apiVersion: v1
kind: Pod
metadata: {name: privileged}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "coracle.local/demo:1", command: [sh, -c, "grep CapEff /proc/self/status; ls /dev | wc -l; mount -t tmpfs x /tmp && echo mounted"], securityContext: {privileged: true}}]
Y
for name in pair host confined privileged; do eventually_equal 15 Succeeded kn get pod $name -o 'jsonpath={.status.phase}'; done
equal pair "$(kn logs pair -c client | sed '2s/^[2-6]$/few/' | tr '\n' ' ')" "shared few pair "
host=$(kn logs host)
contains "the host's address" "$host" 172.30.0.1/24; contains "the host's name" "$host" coracle-test
equal "pod address" "$(kn get pod host -o 'jsonpath={.status.podIP}')" 172.30.0.1
confined=$(kn logs confined)
equal ids "$(echo "$confined" | head -n 6 | tr '\n' ';')" "1000;2000;2000 3000 4000;3000;3000;read-only;"
for word in $'CapEff:\t0000000000000000' $'CapBnd:\t0000000000000000' $'NoNewPrivs:\t1' $'Seccomp:\t2'; do contains confined "$confined" "$word"; done
equal sysctl "$(echo "$confined" | tail -n 1)" 0
eventually_equal 10 CreateContainerConfigError kn get pod root-refused -o 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'
contains "root refused" "$(kn get pod root-refused -o 'jsonpath={.status.containerStatuses[0].state.waiting.message}')" "container has runAsNonRoot and image will run as root"
contains privileged "$(kn logs privileged)" mounted
kn wait --for=condition=Ready pod/limited --timeout=20s
seen=$(kn logs limited)
for word in chosen $'10.9.8.7\tother\tanother.example' "chosen.sub.$NS.svc.cluster.local" "nameserver 192.0.2.53" "search a.example" "options ndots:2" null; do contains limited "$seen" "$word"; done
pid=$(pgrep -f 'sleep 77777')
find_limit() {  # in the group of the process or of a parent: v1 and v2 names
  local line path
  while IFS= read -r line; do
    path=${line##*:}
    for root in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -e "$root$path/$1" ] && { cat "$root$path/$1"; return; }; done
  done < "/proc/$pid/cgroup"
}
cpu=$(find_limit cpu.cfs_quota_us || true); [ -n "$cpu" ] || cpu=$(find_limit cpu.max | cut -d' ' -f1)
equal "cpu quota" "$cpu" 25000
memory=$(find_limit memory.limit_in_bytes || true); [ -n "$memory" ] || memory=$(find_limit memory.max)
equal "memory limit" "$memory" $((48 * 1024 * 1024))
shares=$(find_limit cpu.shares || true); [ -z "$shares" ] || equal "cpu shares" "$shares" 102
equal qos "$(kn get pod limited -o 'jsonpath={.status.qosClass}')" Burstable
at=$SECONDS; kn delete pods --all --grace-period=1; [ $((SECONDS - at)) -le 4 ] || fail "took $((SECONDS - at)) s"
