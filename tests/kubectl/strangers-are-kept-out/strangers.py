# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS versions and suites, certificates, tokens, and what each kind of user may do."""
import base64
import json
import os
import ssl
import sys
import time

sys.path.insert(0, "..")
from api_client import Api, Checks, Connection, credentials, tls_context, until  # noqa: E402

NS, WORK = os.environ["NS"], os.environ["WORK"]
PATHS = credentials(os.environ["KUBECONFIG"], WORK)
STRANGER = tls_context(PATHS, with_certificate=False)
admin = Api(tls_context(PATHS))
check = Checks()
HOME = f"/api/v1/namespaces/{NS}"


def user(name):
    folder = os.path.join(WORK, name)
    os.makedirs(folder, exist_ok=True)
    return Api(tls_context(credentials(os.path.join(WORK, name + ".kubeconfig"), folder)))


def handshake(change):
    context = tls_context(PATHS)
    change(context)
    try:
        connection = Connection(context, timeout=5)
        connection.send(b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n")  # TLS 1.3 refuses a certificate only after its own end
        connection.answer()
        told = connection.socket.version(), connection.socket.cipher()[0]
        connection.close()
        return told
    except (ssl.SSLError, EOFError, ConnectionError) as problem:
        return getattr(problem, "reason", None) or repr(problem)


def tls():
    def old(context, version):
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        told = handshake(lambda context, version=version: old(context, version))
        check.that(f"{version.name} is refused by the server", "ALERT" in str(told), told)
    for suites, fine in (("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
                         ("ECDHE-ECDSA-CHACHA20-POLY1305", True), ("ECDHE-ECDSA-AES128-SHA256", False), ("ECDHE-ECDSA-AES128-SHA", False),
                         ("AES128-GCM-SHA256", False), ("DHE-RSA-AES128-GCM-SHA256", False), ("ECDHE-ECDSA-AES128-CCM", False)):
        def choose(context, suites=suites):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(suites + ":@SECLEVEL=0")
        told = handshake(choose)
        check.that(f"suite {suites}", (told == ("TLSv1.2", suites)) if fine else "ALERT" in str(told), str(told))
    told = handshake(lambda context: context.load_cert_chain(f"{WORK}/foreign.crt", f"{WORK}/foreign.key"))
    check.that("another authority's certificate", not isinstance(told, tuple), str(told))
    told = handshake(lambda context: None)
    check.that("ours", isinstance(told, tuple), str(told))
    strict = ssl.create_default_context(cafile=PATHS["certificate-authority"])
    for name, fine in (("localhost", True), ("kubernetes.default.svc", True), ("example.com", False)):
        try:
            import socket
            with strict.wrap_socket(socket.create_connection(("127.0.0.1", 6443), 5), server_hostname=name):
                named = True
        except ssl.SSLCertVerificationError:
            named = False
        check.that(f"the certificate names {name}", named == fine, str(named))


def as_bearer(token, path=None):
    return Api(STRANGER).request("GET", path or HOME + "/configmaps", b"", [("authorization", "Bearer " + token)])


def token_of(account, **spec):
    answer = admin.request("POST", f"{HOME}/serviceaccounts/{account}/token", {"spec": spec})
    return answer.json().get("status", {}).get("token", "")


def valid(what, token):
    check.answer(what, as_bearer(token), 403, "Forbidden", "cannot list resource")


def invalid(what, token):
    check.answer(what, as_bearer(token), 401, "Unauthorized")


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def tokens():
    admin.request("POST", HOME + "/serviceaccounts", {"metadata": {"name": "robot"}})
    token = token_of("robot")
    valid("a good token", token)
    valid("again, from the cache", token)
    head, claims, signature = token.split(".")
    for what, wrong in (
            ("claims changed", f"{head}.{encoded({**decoded(claims), 'sub': 'system:serviceaccount:kube-system:x'})}.{signature}"),
            ("later end", f"{head}.{encoded({**decoded(claims), 'exp': 4102444800})}.{signature}"),
            ("signature changed", f"{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"), ("no signature", f"{head}.{claims}."),
            ("algorithm none", f"{encoded({'alg': 'none'})}.{claims}."), ("algorithm none, signed", f"{encoded({'alg': 'none'})}.{claims}.{signature}"),
            ("unknown key", f"{encoded({**decoded(head), 'kid': 'x'})}.{claims}.{signature}"), ("two parts", f"{head}.{claims}"),
            ("four parts", token + ".x"), ("white space", f"{head}. {claims}.{signature}"), ("padding", token + "="),
            ("zero signature", f"{head}.{claims}.{'A' * 86}"), ("high bits", f"{head}.{claims}.{signature[:-1]}_")):
        if wrong != token:
            invalid(what, wrong)
    invalid("another audience", token_of("robot", audiences=["elsewhere"]))
    valid("two audiences", token_of("robot", audiences=["elsewhere", decoded(claims)["aud"][0]]))
    check.answer("too short", admin.request("POST", f"{HOME}/serviceaccounts/robot/token", {"spec": {"expirationSeconds": 10}}), 422, "Invalid")
    check.answer("of nobody", admin.request("POST", f"{HOME}/serviceaccounts/nobody/token", {"spec": {}}), 404, "NotFound")
    review = admin.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}}).json()
    check.that("review", review["status"].get("authenticated") is True, str(review["status"]))

    pod = {"metadata": {"name": "holder"}, "spec": {"serviceAccountName": "robot", "nodeSelector": {"no": "where"}, "containers": [{"name": "a", "image": "x"}]}}
    uid = admin.request("POST", HOME + "/pods", pod).json()["metadata"]["uid"]
    bound = token_of("robot", boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "holder", "uid": uid})
    valid("bound to a pod", bound)
    check.answer("bound to another uid", admin.request("POST", f"{HOME}/serviceaccounts/robot/token", {"spec": {"boundObjectRef": {
        "kind": "Pod", "apiVersion": "v1", "name": "holder", "uid": "11111111-2222-3333-4444-555555555555"}}}), 409, "Conflict")
    check.answer("not the pod's account", admin.request("POST", f"{HOME}/serviceaccounts/default/token", {"spec": {"boundObjectRef": {
        "kind": "Pod", "apiVersion": "v1", "name": "holder"}}}), 400, "BadRequest")
    admin.request("DELETE", HOME + "/pods/holder?gracePeriodSeconds=0")
    invalid("the pod is gone", bound)
    admin.request("POST", HOME + "/pods", pod)
    invalid("another pod of its name", bound)
    admin.request("DELETE", HOME + "/pods/holder?gracePeriodSeconds=0")
    valid("the account is still there", token)
    admin.request("DELETE", HOME + "/serviceaccounts/robot")
    invalid("the account is gone", token)
    admin.request("POST", HOME + "/serviceaccounts", {"metadata": {"name": "robot"}})
    invalid("another account of its name", token)


def rights():
    admin.request("POST", HOME + "/secrets", {"metadata": {"name": "jewel"}, "stringData": {"a": "b"}})
    robot = token_of("default")
    for path in (HOME + "/secrets", HOME + "/secrets/jewel", "/api/v1/nodes", "/api/v1/secrets", "/metrics", "/logs"):
        check.answer("a service account reads " + path, as_bearer(robot, path), 403, "Forbidden")
    check.that("a service account discovers", as_bearer(robot, "/apis").status == 200)
    somebody = user("somebody")
    check.answer("somebody", somebody.request("GET", HOME + "/pods"), 403, "Forbidden", 'User "somebody" cannot list resource "pods"')
    for header in ("impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-x"):
        answer = somebody.request("GET", HOME + "/pods", b"", [(header, "system:masters")])
        check.that("somebody sends " + header, answer.status in (400, 403), str(answer.status))
    answer = admin.request("GET", HOME + "/pods", b"", [("impersonate-user", "somebody")])
    check.answer("admin as somebody", answer, 403, "Forbidden", 'User "somebody"')


def node():
    node = user("node-1")
    other = user("node-2")
    check.that("own node", node.request("GET", "/api/v1/nodes/node-1").status == 200)
    check.answer("another node", other.request("GET", "/api/v1/nodes/node-1"), 403, "Forbidden")
    patch = [("content-type", "application/merge-patch+json")]
    rows = [
        ("PATCH", "/api/v1/nodes/node-1", {"metadata": {"labels": {"x": "y"}}}), ("PATCH", "/api/v1/nodes/node-1/status", {"status": {}}),
        ("DELETE", "/api/v1/nodes/node-1", None), ("PATCH", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1", {}),
        ("GET", HOME + "/secrets/jewel", None), ("GET", HOME + "/secrets", None), ("GET", HOME + "/configmaps", None),
        ("POST", HOME + "/configmaps", {"metadata": {"name": "x"}}), ("POST", HOME + "/pods", {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}),
        ("POST", HOME + "/serviceaccounts/default/token", {"spec": {}}), ("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}}),
        ("GET", "/apis/apps/v1/deployments", None), ("DELETE", HOME, None),
        ("GET", HOME + "/secrets?fieldSelector=metadata.name%3Djewel&watch=1", None),
    ]
    for method, path, body in rows:
        answer = other.request(method, path, body if body is not None else b"", patch if method == "PATCH" else ())
        check.answer(f"node-2: {method} {path}", answer, 403, "Forbidden")
    own = [
        ("restricted label", {"metadata": {"labels": {"node-restriction.kubernetes.io/x": "y"}}}), ("taints", {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}),
        ("owner", {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "x"}]}}),
    ]
    for what, body in own:
        check.answer(f"own node: {what}", node.request("PATCH", "/api/v1/nodes/node-1", body, patch), 403, "Forbidden")
    check.answer("another's node name", node.request("POST", "/api/v1/nodes", {"metadata": {"name": "node-9"}}), 403, "Forbidden")

    # What a pod on the node needs becomes readable to that node only, while it is there.
    pod = {"metadata": {"name": "wears"}, "spec": {"nodeName": "node-1", "automountServiceAccountToken": False, "containers": [
        {"name": "a", "image": "coracle.local/none:1", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "jewel", "key": "a"}}}]}]}}
    uid = admin.request("POST", HOME + "/pods", pod).json()["metadata"]["uid"]
    check.that("its pod's secret", node.request("GET", HOME + "/secrets/jewel").status == 200)
    check.answer("not the other node's", other.request("GET", HOME + "/secrets/jewel"), 403, "Forbidden")
    check.answer("not to write", node.request("PUT", HOME + "/secrets/jewel", {"metadata": {"name": "jewel"}}), 403, "Forbidden")
    check.answer("the pod's status from elsewhere", other.request("PATCH", HOME + "/pods/wears/status", {"status": {"phase": "Failed"}}, patch), 403, "Forbidden")
    check.answer("the pod from elsewhere", other.request("DELETE", HOME + "/pods/wears"), 403, "Forbidden")
    bind = {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "wears", "uid": uid}}}
    check.that("its pod's token", node.request("POST", HOME + "/serviceaccounts/default/token", bind).status == 201)
    check.answer("the token from elsewhere", other.request("POST", HOME + "/serviceaccounts/default/token", bind), 403, "Forbidden")
    check.that("list of its pods", node.request("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1").status == 200)
    check.answer("list of all pods", other.request("GET", "/api/v1/pods"), 403, "Forbidden")
    check.answer("list of another's pods", other.request("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1"), 403, "Forbidden")
    check.answer("another's pod", other.request("GET", HOME + "/pods/wears"), 403, "Forbidden")
    admin.request("DELETE", HOME + "/pods/wears?gracePeriodSeconds=0")
    gone = until(10, lambda: admin.request("GET", HOME + "/pods/wears").status == 404)
    check.that("the pod ends", gone)
    check.answer("no longer its secret", node.request("GET", HOME + "/secrets/jewel"), 403, "Forbidden")


for group in (tls, tokens, rights, node):
    try:
        group()
    except (EOFError, OSError, KeyError) as problem:
        check.that(group.__name__, False, repr(problem))
check.finish()
