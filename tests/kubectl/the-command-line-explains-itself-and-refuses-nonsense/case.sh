# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
for verb in server kubeconfig image status check stop version help; do
  contains "help of $verb" "$("$CORACLE" "$verb" --help)" "Usage: coracle $verb"
  contains "overview" "$("$CORACLE" help)" "$verb"
done
code_of() { local code=0; "$@" > "$WORK/cli.out" 2>&1 || code=$?; echo $code; }
equal "unknown command" "$(code_of "$CORACLE" servr)" 2
contains suggestion "$(cat "$WORK/cli.out")" 'did you mean "server"?'
equal "unknown flag" "$(code_of "$CORACLE" server --data-dirr x)" 2
contains suggestion "$(cat "$WORK/cli.out")" 'did you mean "data-dir"?'
equal "flag of another command" "$(code_of "$CORACLE" status --port 1)" 2
equal "number out of range" "$(code_of "$CORACLE" server --port 99999)" 2
equal "bad number in the environment" "$(code_of env CORACLE_PORT=abc "$CORACLE" server)" 2
mkdir -p "$WORK/conf/c.yaml.d"
echo 'port: 6555' > "$WORK/conf/c.yaml"
echo 'data-dri: /x' > "$WORK/conf/c.yaml.d/10-typo.yaml"
equal "unknown key in a drop-in" "$(code_of "$CORACLE" server --config "$WORK/conf/c.yaml")" 2
contains "names the file" "$(cat "$WORK/cli.out")" 10-typo.yaml
contains suggestion "$(cat "$WORK/cli.out")" 'did you mean "data-dir"?'
equal "overlapping networks" "$(code_of "$CORACLE" server --data-dir "$WORK/d2" --run-dir "$WORK/r2" --service-cidr 10.42.0.0/16)" 2
# A second server on the same run directory is refused and harms nothing.
equal "second server" "$(code_of "$CORACLE" server --data-dir "$WORK/data" --run-dir "$WORK/run" --pid-file "$WORK/run/coracle.pid" --pid-file "$WORK/coracle.pid")" 1
server_alive || fail "the first server died"
status=$("$CORACLE" status --data-dir "$WORK/data" --kubeconfig "$KUBECONFIG")
contains "status shows the node" "$status" node-1
contains "status shows Pods" "$status" Pods
"$CORACLE" kubeconfig alice staff --data-dir "$WORK/data" --server https://127.0.0.1:6443 > "$WORK/alice.kubeconfig"
refuses Forbidden "$KUBECTL" --kubeconfig "$WORK/alice.kubeconfig" -n "$NS" get pods
contains "alice is known" "$("$KUBECTL" --kubeconfig "$WORK/alice.kubeconfig" -n "$NS" get pods 2>&1)" alice
"$CORACLE" kubeconfig --data-dir "$WORK/data" --server https://127.0.0.1:6443 > "$WORK/admin2.kubeconfig"
"$KUBECTL" --kubeconfig "$WORK/admin2.kubeconfig" -n "$NS" get pods
equal "kubeconfig is private" "$(stat -c %a "$KUBECONFIG")" 600
"$CORACLE" check --data-dir "$WORK/data" > "$WORK/check.out" || fail "check: $(grep MISSING "$WORK/check.out")"
