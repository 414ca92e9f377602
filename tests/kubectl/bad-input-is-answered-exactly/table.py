# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of input that is refused, and exactly how."""
import base64
import json
import os
import sys

sys.path.insert(0, "..")
from api_client import Api, Checks, Connection, credentials, tls_context, until  # noqa: E402

NS = os.environ["NS"]
WORK = os.environ["WORK"]
MIB = 1024 * 1024
PATHS = credentials(os.environ["KUBECONFIG"], WORK)
ADMIN = tls_context(PATHS)
STRANGER = tls_context(PATHS, with_certificate=False)
api = Api(ADMIN)
check = Checks()
MAPS = f"/api/v1/namespaces/{NS}/configmaps"
PODS = f"/api/v1/namespaces/{NS}/pods"
SERVICES = f"/api/v1/namespaces/{NS}/services"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NS}/deployments"
JSON_PATCH = [("content-type", "application/json-patch+json")]
MERGE_PATCH = [("content-type", "application/merge-patch+json")]
STRATEGIC = [("content-type", "application/strategic-merge-patch+json")]
YAML = [("content-type", "application/yaml")]


def config_map(name, **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def pod(name, **spec):
    spec.setdefault("containers", [{"name": "main", "image": "coracle.local/none:1"}])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def deployment(name, **spec):
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name)["spec"]}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def post(what, path, body, status, reason="", part="", headers=(), causes=()):
    answer = api.request("POST", path, body, headers)
    check.answer(what, answer, status, reason, part, causes)
    return answer


def get(what, path, status, reason="", part="", headers=(), causes=()):
    answer = api.request("GET", path, b"", headers)
    check.answer(what, answer, status, reason, part, causes)
    return answer


def framing():
    """What breaks the framing is answered in plain text, and the connection is closed."""
    line = b"GET /api/v1/pods HTTP/1.1\r\n"
    host = b"host: x\r\n"
    begin = b"POST " + MAPS.encode() + b" HTTP/1.1\r\nhost: x\r\n"
    chunked = begin + b"transfer-encoding: chunked\r\n\r\n"
    rows = [
        ("garbage", b"\x16\x03\x01 nonsense\r\n\r\n", 400),
        ("no version", b"GET /\r\n\r\n", 400),
        ("two spaces", b"GET  / HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("absolute form", b"GET http://x/api HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("authority form", b"GET x:1 HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("encoded slash", b"GET /api%2fv1 HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("dot segments", b"GET /api/v1/../../x HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("double slash", b"GET //api HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("semicolon", b"GET /api;x HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("NUL in line", b"GET /\0 HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("NUL in header", line + host + b"a: \0\r\n\r\n", 400),
        ("bare LF", line.replace(b"\r", b"") + host + b"\r\n", 400),
        ("bare CR", line + b"a: b\rc: d\r\n" + host + b"\r\n", 400),
        ("folded header", line + host + b"a: b\r\n c\r\n\r\n", 400),
        ("space before colon", line + host + b"a : b\r\n\r\n", 400),
        ("no colon", line + host + b"abc\r\n\r\n", 400),
        ("no host", line + b"\r\n", 400),
        ("two hosts", line + host + host + b"\r\n", 400),
        ("CL+TE", begin + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("two CL", begin + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}", 400),
        ("CL list", begin + b"content-length: 2, 2\r\n\r\n{}", 400),
        ("CL sign", begin + b"content-length: +2\r\n\r\n{}", 400),
        ("CL hex", begin + b"content-length: 0x2\r\n\r\n{}", 400),
        ("chunk size", chunked + b"zz\r\n", 400),
        ("chunk size overflow", chunked + b"fffffffffffffffff\r\n", 400),
        ("chunk without end", chunked + b"2\r\n{}XX\r\n", 400),
        ("chunk bare LF", chunked + b"2\n{}\n0\n\n", 400),
        ("chunk trailer", chunked + b"2\r\n{}\r\n0\r\nbad trailer\r\n\r\n", 400),
        ("TE twice", begin + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        ("TE in 1.0", chunked.replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        ("TE gzip", begin + b"transfer-encoding: gzip\r\n\r\n", 501),
        ("unknown method", b"BREW / HTTP/1.1\r\n" + host + b"\r\n", 501),
        ("HTTP/2.0", b"GET / HTTP/2.0\r\n" + host + b"\r\n", 505),
        ("expect", begin + b"expect: tea\r\ncontent-length: 2\r\n\r\n", 417),
        ("long header", line + host + b"a: " + b"x" * 40000 + b"\r\n\r\n", 431),
        ("many headers", line + host + b"a: b\r\n" * 200 + b"\r\n", 431),
        ("long line", b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
        ("long query", b"GET /api?" + b"x" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
    ]
    for what, data, status in rows:
        connection = Connection(ADMIN)
        connection.send(data)
        try:
            answer = connection.answer()
        except (OSError, EOFError) as problem:
            check.that(what, False, repr(problem))
            continue
        check.answer(what, answer, status, part=str(status))
        kind = dict(answer.headers).get("content-type", "")
        check.that(what + " is plain text", kind.startswith("text/plain"), kind)
        check.that(what + " closes", connection.is_closed(), "stays open")
        connection.close()
    connection = Connection(ADMIN)
    connection.send(begin + b"content-length: 4194304\r\n\r\n")
    check.answer("announced 4 MiB", connection.answer(), 413, "RequestEntityTooLarge", "limit is 3145728")
    check.that("announced 4 MiB closes", connection.is_closed(), "stays open")
    connection.close()
    connection = Connection(ADMIN)
    connection.send(chunked)
    for _ in range(4):
        connection.send(b"100000\r\n" + b" " * MIB + b"\r\n")
    check.answer("chunked 4 MiB", connection.answer(), 413, "RequestEntityTooLarge", "limit is 3145728")
    connection.close()
    busy = [Connection(ADMIN) for _ in range(3)]
    for each in busy[:2]:
        each.send(begin + b"content-length: 3145728\r\n\r\n" + b" " * (3 * MIB - 1))
    try:
        busy[2].send(begin + b"content-length: 3145728\r\n\r\n" + b" " * (3 * MIB - 1))
    except OSError:
        pass  # answered before all of it was sent
    answer = busy[2].answer()
    check.answer("too many large bodies", answer, 429, "TooManyRequests")
    check.that("429 says when", ("retry-after", "1") in answer.headers, str(answer.headers))
    for each in busy:
        each.close()


def bodies():
    depth = '{"a":' * 70 + "1" + "}" * 70
    keys = json.dumps(config_map("k", data={f"k{i}": "" for i in range(10001)}))
    late = '"}'
    rows = [
        ("empty", ""), ("brace", "{"), ("array", "[]"), ("string", '"x"'), ("number", "1"), ("null", "null"),
        ("words", "hello"), ("trailing", json.dumps(config_map("t")) + "x"), ("two documents", "{}{}"),
        ("single quotes", "{'a':1}"), ("comment", "{}//"), ("NaN", '{"a":NaN}'), ("leading zero", '{"a":01}'),
        ("raw newline", '{"a":"\n"}'), ("bad escape", '{"a":"\\x"}'), ("half surrogate", '{"a":"\\ud800"}'),
        ("NUL in string", '{"kind":"ConfigMap","metadata":{"name":"n"},"data":{"a":"\\u0000"}}'),
        ("bad UTF-8", b'{"metadata":{"name":"n"},"data":{"a":"\xff\xfe"}}'), ("byte order mark", b"\xef\xbb\xbf{}"),
        ("deep", depth), ("deep arrays", "[" * 100000), ("many keys", keys),
        ("unclosed", '{"metadata":{"name":"u' + "x" * 100000), ("late", '{"a":"' + "x" * 2000000 + late[:-1]),
        ("data is a list", '{"metadata":{"name":"n"},"data":[]}'),
        ("data holds a number", '{"metadata":{"name":"n"},"data":{"a":1}}'),
        ("name is a number", '{"metadata":{"name":1}}'), ("metadata is text", '{"metadata":"x"}'),
        ("labels are text", '{"metadata":{"name":"n","labels":"x"}}'),
        ("generation overflows", '{"metadata":{"name":"n","generation":9223372036854775808}}'),
        ("generation is huge", '{"metadata":{"name":"n","generation":1e999}}'),
        ("generation is a fraction", '{"metadata":{"name":"n","generation":1.5}}'),
        ("time is no time", '{"metadata":{"name":"n","creationTimestamp":"yesterday"}}'),
    ]
    for what, body in rows:
        post(what, MAPS, body, 400, "BadRequest")
    post("pod grace overflows", PODS, json.dumps(pod("g")).replace('"containers"', '"terminationGracePeriodSeconds":1e30,"containers"'),
         400, "BadRequest")
    post("nodes of JSON", MAPS, '{"a":[' + "0," * 400000 + "0]}", 400, "BadRequest")
    post("3 MiB and a byte", MAPS, " " * (3 * MIB + 1), 413, "RequestEntityTooLarge", "limit is 3145728")
    post("exactly 3 MiB", MAPS, " " * (3 * MIB), 400, "BadRequest")
    large = deployment("large")
    large["spec"]["template"]["spec"]["containers"][0]["args"] = ["x" * (1600 * 1024)]
    post("object above 1.5 MiB", DEPLOYMENTS, large, 413, "RequestEntityTooLarge", "1572864")
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n"
    rows = [
        ("YAML anchor", head + "data: {a: &x b}\n"), ("YAML alias", head + "data: {a: &x b, c: *x}\n"),
        ("YAML documents", head + "---\n" + head), ("YAML brackets", "[" * 200000), ("YAML tab", "a:\n\t- b"),
        ("YAML list", "- a\n"), ("YAML text", "abc"), ("YAML tag", head + "data: !!binary aGk=\n"),
        ("YAML merge key", head + "data: {<<: {a: b}}\n"),
    ]
    for what, body in rows:
        if what in ("YAML merge key",):
            answer = api.request("POST", MAPS, body, YAML)
            check.that(what, answer.status in (201, 400, 422), f"{answer.status}")
            continue
        post(what, MAPS, body, 400, "BadRequest", headers=YAML)
    k8s = [("content-type", "application/vnd.kubernetes.protobuf")]
    for what, body in [("protobuf without magic", b"abc"), ("protobuf cut", b"k8s\x00\x0a"), ("protobuf varint", b"k8s\x00" + b"\xff" * 40),
                       ("protobuf length", b"k8s\x00\x12\xff\xff\xff\xff\x0f")]:
        post(what, MAPS, body, 400, "BadRequest", headers=k8s)


def fields():
    strict, warn, ignore = "?fieldValidation=Strict", "?fieldValidation=Warn", "?fieldValidation=Ignore"
    unknown = '{"metadata":{"name":"%s","colour":"red"},"dataa":{}}'
    twice = '{"metadata":{"name":"%s"},"data":{"a":"1","a":"2"}}'
    post("unknown, strict", MAPS + strict, unknown % "f", 400, "BadRequest", 'unknown field "metadata.colour"')
    post("duplicate, strict", MAPS + strict, twice % "f", 400, "BadRequest", 'duplicate field "data.a"')
    for number, (query, warns) in enumerate([("", True), (warn, True), (ignore, False)]):
        for kind, text, said in (("unknown", unknown, 'unknown field'), ("duplicate", twice, "duplicate field")):
            name = f"f-{kind}-{number}"
            answer = post(f"{kind} {query}", MAPS + query, text % name, 201)
            told = [value for header, value in answer.headers if header == "warning"]
            check.that(f"{kind} {query} warns", (said in "".join(told)) == warns, str(told))
            if kind == "duplicate":
                check.that("the last one counts", answer.json().get("data") == {"a": "2"}, answer.message)
    api.request("POST", MAPS, config_map("strict"))
    answer = api.request("PATCH", MAPS + "/strict" + strict, '{"colour":1}', MERGE_PATCH)
    check.answer("patch unknown, strict", answer, 422, "Invalid", "unknown field")
    for path in ("fieldValidation=Loose", "dryRun=Some", "fieldManager=" + "x" * 129):
        post(path[:20], MAPS + "?" + path, config_map("q"), 422, "Invalid")


def addresses():
    """Objects that do not belong where they are sent, verbs and media types."""
    post("wrong kind", MAPS, {**config_map("w"), "kind": "Secret"}, 400, "BadRequest")
    post("wrong version", MAPS, {**config_map("w"), "apiVersion": "v2"}, 400, "BadRequest")
    post("wrong namespace", MAPS, {"metadata": {"name": "w", "namespace": "default"}}, 400, "BadRequest", "does not match the namespace")
    put = lambda name, body: api.request("PUT", MAPS + "/" + name, body)  # noqa: E731
    check.answer("wrong name", put("there", config_map("other")), 400, "BadRequest", "does not match the name on the URL")
    check.answer("no name", put("there", {"metadata": {}}), 400, "BadRequest", "name must be provided")
    check.answer("update of nothing", put("nothing", config_map("nothing")), 404, "NotFound", 'configmaps "nothing" not found')
    get("missing", MAPS + "/nothing", 404, "NotFound", 'configmaps "nothing" not found')
    check.answer("delete missing", api.request("DELETE", MAPS + "/nothing"), 404, "NotFound")
    check.answer("patch missing", api.request("PATCH", MAPS + "/nothing", "{}", MERGE_PATCH), 404, "NotFound")
    post("in no namespace", "/api/v1/namespaces/nowhere-at-all/configmaps", config_map("x"), 404, "NotFound", 'namespaces "nowhere-at-all" not found')
    for path in ("/apis/none.example.com/v1/things", "/api/v1/things", "/api/v7/pods", "/nothing", "/apis/apps/v1/things/x",
                 f"{PODS}/x/nothing", f"{PODS}/x/status/more", "/api/v1/namespaces/x/nodes"):
        answer = get("unknown " + path, path, 404, part="404 page not found")
        check.that("plain text", dict(answer.headers)["content-type"].startswith("text/plain"), str(answer.headers))
    api.request("POST", MAPS, config_map("there"))
    for method, path in (("PUT", MAPS), ("PATCH", MAPS), ("POST", MAPS + "/there"), ("DELETE", "/api/v1/configmaps"),
                         ("POST", "/api/v1/configmaps"), ("OPTIONS", MAPS), ("HEAD", MAPS + "/there"), ("POST", "/api/v1"), ("DELETE", "/version"),
                         ("DELETE", f"{PODS}/x/status"), ("POST", f"{DEPLOYMENTS}/x/scale"), ("GET", f"{PODS}/x/eviction"), ("GET", f"{PODS}/x/binding")):
        answer = api.request(method, path, "{}" if method in ("PUT", "PATCH", "POST") else b"", MERGE_PATCH if method == "PATCH" else ())
        if method == "HEAD":
            check.that("HEAD", answer.status == 405, str(answer.status))
        else:
            check.answer(f"{method} {path}", answer, 405, "MethodNotAllowed")
    for accept in ("text/html", "application/xml", "application/vnd.kubernetes.protobuf", "application/json;as=Table;g=meta.k8s.io;v=v9"):
        get("accept " + accept, MAPS, 406, "NotAcceptable", headers=[("accept", accept)])
        get("accept one " + accept, MAPS + "/there", 406, "NotAcceptable", headers=[("accept", accept)])
    post("accept and write", MAPS, config_map("unseen"), 406, "NotAcceptable", headers=[("accept", "text/html")])
    get("nothing was written", MAPS + "/unseen", 404, "NotFound")
    for kind in ("text/plain", "application/xml", "application/json-patch+json", "application/cbor"):
        post("content " + kind, MAPS, config_map("m"), 415, "UnsupportedMediaType", headers=[("content-type", kind)])
    for kind in ("application/json", "text/plain", "application/apply-patch+cbor"):
        answer = api.request("PATCH", MAPS + "/there", "{}", [("content-type", kind)])
        check.answer("patch " + kind, answer, 415, "UnsupportedMediaType")


def names():
    """422 with every error at once."""
    many = ("FieldValueInvalid",)
    for name in ("UPPER", "a_b", "-a", "a.", "x" * 254, "a b", "a/b", "ümlaut", ".."):
        post("name " + name[:9], MAPS, config_map(name), 422, "Invalid", "metadata.name", causes=many)
    post("no name at all", MAPS, {"data": {}}, 422, "Invalid", "name or generateName is required", causes=("FieldValueRequired",))
    post("generateName", MAPS, {"metadata": {"generateName": "UPPER-"}}, 422, "Invalid", causes=many)
    for labels in ({"a b": "x"}, {"a": "x y"}, {"x" * 64: ""}, {"a": "x" * 64}, {"/a": ""}, {"UPPER.example/a/b": ""}):
        post("labels " + str(labels)[:20], MAPS, {"metadata": {"name": "l", "labels": labels}}, 422, "Invalid", "metadata.labels", causes=many)
    post("annotations", MAPS, {"metadata": {"name": "l", "annotations": {"a": "x" * (256 * 1024 + 1)}}}, 422, "Invalid", "metadata.annotations",
         causes=("FieldValueTooLong",))
    post("finalizer", MAPS, {"metadata": {"name": "l", "finalizers": ["no slash"]}}, 422, "Invalid", "metadata.finalizers", causes=many)
    post("owner", MAPS, {"metadata": {"name": "l", "ownerReferences": [{"kind": "X"}]}}, 422, "Invalid", "metadata.ownerReferences")
    post("ConfigMap above 1 MiB", MAPS, config_map("l", data={"a": "x" * (MIB + 1)}), 422, "Invalid", causes=("FieldValueTooLong",))
    post("ConfigMap key", MAPS, config_map("l", data={"a b": ""}), 422, "Invalid", causes=many)
    post("ConfigMap key twice", MAPS, config_map("l", data={"a": ""}, binaryData={"a": "eA=="}), 422, "Invalid", causes=many)
    post("base64", f"/api/v1/namespaces/{NS}/secrets", {"metadata": {"name": "s"}, "data": {"a": "***"}}, 400, "BadRequest")
    post("Secret above 1 MiB", f"/api/v1/namespaces/{NS}/secrets",
         {"metadata": {"name": "s"}, "data": {"a": base64.b64encode(b"x" * (MIB + 1)).decode()}}, 422, "Invalid", causes=("FieldValueTooLong",))
    post("namespace name", "/api/v1/namespaces", {"metadata": {"name": "a.b"}}, 422, "Invalid", causes=many)
    all_wrong = pod("UPPER", containers=[{"name": "A", "ports": [{"containerPort": 70000}], "resources": {"requests": {"cpu": "-1"}}},
                                         {"name": "A", "image": "x"}], restartPolicy="Sometimes")
    answer = post("all errors at once", PODS, all_wrong, 422, "Invalid",
                  causes=("FieldValueInvalid", "FieldValueRequired", "FieldValueDuplicate", "FieldValueNotSupported"))
    where = {cause["field"] for cause in answer.json().get("details", {}).get("causes", [])}
    for path in ("metadata.name", "spec.containers[0].name", "spec.containers[0].image", "spec.containers[0].ports[0].containerPort",
                 "spec.containers[0].resources.requests[cpu]", "spec.containers[1].name", "spec.restartPolicy"):
        check.that("causes name " + path, path in where, str(sorted(where)))
    post("quantity", PODS, pod("q", containers=[{"name": "a", "image": "x", "resources": {"limits": {"memory": "much"}}}]), 422, "Invalid", "limits[memory]", causes=many)
    post("no containers", PODS, pod("q", containers=[]), 422, "Invalid", "spec.containers", causes=("FieldValueRequired",))
    post("unknown priority class", PODS, pod("q", priorityClassName="none"), 403, "Forbidden")
    post("unknown account", PODS, pod("q", serviceAccountName="nobody"), 403, "Forbidden", 'serviceaccount "nobody" not found')
    post("no selector", DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": {"template": deployment("d")["spec"]["template"]}}, 422, "Invalid", "spec.selector")
    post("selector misses template", DEPLOYMENTS, deployment("d", selector={"matchLabels": {"a": "b"}}), 422, "Invalid", "spec.template.metadata.labels")
    post("replicas", DEPLOYMENTS, deployment("d", replicas=-1), 422, "Invalid", "spec.replicas", causes=many)
    for ports, part in (([], "spec.ports"), ([{"port": 70000}], "spec.ports[0].port"), ([{"port": 80, "protocol": "X"}], "spec.ports[0].protocol"),
                        ([{"port": 80}, {"port": 81}], "spec.ports[0].name")):
        post("ports " + part, SERVICES, {"metadata": {"name": "s"}, "spec": {"ports": ports}}, 422, "Invalid", part)
    post("service address", SERVICES, {"metadata": {"name": "s"}, "spec": {"clusterIP": "1.2.3.4", "ports": [{"port": 80}]}}, 422, "Invalid", "clusterIP")


def immutable():
    api.request("POST", MAPS, config_map("fixed", immutable=True, data={"a": "1"}))
    answer = api.request("PATCH", MAPS + "/fixed", {"data": {"a": "2"}}, MERGE_PATCH)
    check.answer("immutable data", answer, 422, "Invalid", "immutable")
    api.request("POST", DEPLOYMENTS, deployment("fixed"))
    answer = api.request("PATCH", DEPLOYMENTS + "/fixed", {"spec": {"selector": {"matchLabels": {"more": "x"}}}}, MERGE_PATCH)
    check.answer("immutable selector", answer, 422, "Invalid", "immutable")
    api.request("POST", SERVICES, {"metadata": {"name": "fixed"}, "spec": {"ports": [{"port": 80}]}})
    answer = api.request("PATCH", SERVICES + "/fixed", {"spec": {"clusterIP": "10.43.200.200", "clusterIPs": ["10.43.200.200"]}}, MERGE_PATCH)
    check.answer("immutable address", answer, 422, "Invalid", "may not change once set")
    api.request("POST", PODS, pod("fixed", nodeSelector={"no": "where"}))
    answer = api.request("PATCH", PODS + "/fixed", {"spec": {"restartPolicy": "Never"}}, MERGE_PATCH)
    check.answer("immutable pod", answer, 422, "Invalid", "pod updates may not change fields")
    answer = api.request("PATCH", MAPS + "/there", {"metadata": {"uid": "11111111-2222-3333-4444-555555555555"}}, MERGE_PATCH)
    check.answer("another uid", answer, 409, "Conflict")


def queries():
    for query in ("limit=x", "limit=1.5", "timeoutSeconds=x", "resourceVersion=x", "resourceVersion=-1", "labelSelector=a%20b", "labelSelector=,",
                  "labelSelector=a%20in", "labelSelector=a%20in%20(", "labelSelector=!!a", "fieldSelector=a", "fieldSelector=spec.no=x",
                  "fieldSelector=metadata.name", "continue=x", "continue=e30", "continue=" + "A" * 4000,
                  "continue=" + base64.urlsafe_b64encode(b'{"v":"meta.k8s.io/v1","rv":5,"start":"../x!"}').decode().rstrip("=")):
        get("query " + query[:40], f"{MAPS}?{query}", 400, "BadRequest")
    for query in ("resourceVersion=x&watch=1", "labelSelector=,&watch=1", "fieldSelector=spec.no=x&watch=1", "timeoutSeconds=x&watch=1"):
        get("query " + query, f"{MAPS}?{query}", 400, "BadRequest")
    for query in ("resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=1&resourceVersionMatch=Near",
                  "sendInitialEvents=true", "watch=1&sendInitialEvents=true", "watch=1&resourceVersionMatch=NotOlderThan"):
        get("query " + query, f"{MAPS}?{query}", 422, "Invalid")
    get("get at no version", MAPS + "/there?resourceVersion=x", 400, "BadRequest")
    future = "resourceVersion=99999999999"
    for path in (f"{MAPS}?{future}", f"{MAPS}/there?{future}", f"{MAPS}?{future}&resourceVersionMatch=NotOlderThan",
                 f"{MAPS}?{future}&resourceVersionMatch=Exact", f"{MAPS}?{future}&watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"):
        answer = get("future " + path, path, 504, "Timeout", "Too large resource version", causes=("ResourceVersionTooLarge",))
        check.that("future says when", answer.json().get("details", {}).get("retryAfterSeconds") == 1, answer.message)
    for body in ({"propagationPolicy": "Upwards"}, {"propagationPolicy": "Orphan", "orphanDependents": True}, {"dryRun": ["Some"]}):
        check.answer(f"delete {body}", api.request("DELETE", MAPS + "/there", body), 422, "Invalid")
    check.answer("delete grace", api.request("DELETE", MAPS + "/there?gracePeriodSeconds=x"), 400, "BadRequest")
    check.answer("delete body", api.request("DELETE", MAPS + "/there", {"gracePeriodSeconds": "x"}), 400, "BadRequest")
    check.answer("delete kind", api.request("DELETE", MAPS + "/there", config_map("there")), 400, "BadRequest")


def conflicts():
    there = api.request("GET", MAPS + "/there").json()
    post("exists", MAPS, config_map("there"), 409, "AlreadyExists", 'configmaps "there" already exists')
    api.request("PATCH", MAPS + "/there", {"data": {"a": "1"}}, MERGE_PATCH)
    check.answer("stale update", api.request("PUT", MAPS + "/there", there), 409, "Conflict", "the object has been modified")
    stale = {"metadata": {"resourceVersion": there["metadata"]["resourceVersion"]}, "data": {"a": "2"}}
    check.answer("stale patch", api.request("PATCH", MAPS + "/there", stale, MERGE_PATCH), 409, "Conflict", "the object has been modified")
    check.answer("version is text", api.request("PUT", MAPS + "/there", {"metadata": {"name": "there", "resourceVersion": "x"}}), 422, "Invalid")
    for body in ({"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}},
                 {"preconditions": {"resourceVersion": there["metadata"]["resourceVersion"]}}):
        check.answer(f"precondition {body}", api.request("DELETE", MAPS + "/there", body), 409, "Conflict")
    post("create with a version", MAPS, {"metadata": {"name": "v", "resourceVersion": "5"}}, 400, "BadRequest", "resourceVersion should not be set")


def patches():
    rows = [
        ("test fails", [{"op": "test", "path": "/data/a", "value": "no"}], 422, "Invalid"),
        ("path missing", [{"op": "replace", "path": "/data/none", "value": "x"}], 422, "Invalid"),
        ("remove missing", [{"op": "remove", "path": "/data/none"}], 422, "Invalid"),
        ("deep path missing", [{"op": "add", "path": "/x/y/z", "value": 1}], 422, "Invalid"),
        ("index", [{"op": "add", "path": "/metadata/managedFields/99", "value": {}}], 422, "Invalid"),
        ("from missing", [{"op": "copy", "from": "/data/none", "path": "/data/b"}], 422, "Invalid"),
        ("unknown op", [{"op": "grow", "path": "/data/a"}], 400, "BadRequest"),
        ("no list", {"op": "add"}, 400, "BadRequest"), ("no op", [{"path": "/a"}], 400, "BadRequest"), ("no pointer", [{"op": "remove", "path": "a"}], 400, "BadRequest"),
        ("many operations", [{"op": "add", "path": "/data/a", "value": "1"}] * 10001, 413, "RequestEntityTooLarge"),
        ("no object left", [{"op": "replace", "path": "", "value": 1}], 400, "BadRequest"),
        ("wrong type", [{"op": "replace", "path": "/data", "value": [1]}], 400, "BadRequest"),
        ("rename", [{"op": "replace", "path": "/metadata/name", "value": "other"}], 400, "BadRequest"),
    ]
    for what, body, status, reason in rows:
        check.answer("json patch " + what, api.request("PATCH", MAPS + "/there", body, JSON_PATCH), status, reason)
    grow = [{"op": "add", "path": "/data/a", "value": "x" * 1000}] + [{"op": "copy", "from": "/data", "path": f"/data{i}"} for i in range(9000)]
    answer = api.request("PATCH", MAPS + "/there", grow, JSON_PATCH)
    check.that("json patch copies", answer.status in (413, 422), f"{answer.status} {answer.message[:100]}")
    for headers in (MERGE_PATCH, STRATEGIC):
        for body in ("[]", "1", "{", '{"data":{"a":1}}', '{"metadata":{"name":"other"}}', '{"kind":"Secret"}'):
            answer = api.request("PATCH", MAPS + "/there", body, headers)
            check.answer(f"patch {body} {headers[0][1]}", answer, 400, "BadRequest")
        answer = api.request("PATCH", MAPS + "/there", '{"metadata":{"labels":{"a b":"c"}}}', headers)
        check.answer(f"patch labels {headers[0][1]}", answer, 422, "Invalid")
    answer = api.request("PATCH", DEPLOYMENTS + "/fixed", {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, STRATEGIC)
    check.answer("strategic without merge key", answer, 400, "BadRequest")
    answer = api.request("PATCH", DEPLOYMENTS + "/fixed", {"spec": {"$patch": "explode"}}, STRATEGIC)
    check.answer("strategic directive", answer, 400, "BadRequest")
    check.answer("scale", api.request("PATCH", DEPLOYMENTS + "/fixed/scale", {"spec": {"replicas": -1}}, MERGE_PATCH), 422, "Invalid")
    check.answer("scale type", api.request("PATCH", DEPLOYMENTS + "/fixed/scale", {"spec": {"replicas": "x"}}, MERGE_PATCH), 400, "BadRequest")


def ending():
    name = NS + "-ending"
    api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    kept = f"/api/v1/namespaces/{name}/configmaps"
    api.request("POST", kept, {"metadata": {"name": "kept", "finalizers": ["example.com/kept"]}})
    api.request("DELETE", "/api/v1/namespaces/" + name)
    post("create in an ending namespace", kept, config_map("late"), 403, "Forbidden", "because it is being terminated", causes=("NamespaceTerminating",))
    answer = api.request("PATCH", kept + "/kept", {"metadata": {"finalizers": None}}, MERGE_PATCH)
    check.answer("the last finalizer goes", answer, 200)


def logs():
    two = pod("two", containers=[{"name": "one", "image": "coracle.local/none:1", "imagePullPolicy": "Never"}, {"name": "two", "image": "coracle.local/none:1"}])
    api.request("POST", PODS, two)
    until(10, lambda: api.request("GET", PODS + "/two").json().get("status", {}).get("containerStatuses"))
    get("log of none", PODS + "/none/log", 404, "NotFound", 'pods "none" not found')
    get("log of which", PODS + "/two/log", 400, "BadRequest", "a container name must be specified for pod two, choose one of: [one two]")
    get("log of wrong", PODS + "/two/log?container=x", 400, "BadRequest", "container x is not valid for pod two")
    get("log of waiting", PODS + "/two/log?container=one", 400, "BadRequest", 'container "one" in pod "two" is waiting to start')
    get("log of before", PODS + "/two/log?container=one&previous=true", 400, "BadRequest", 'previous terminated container "one" in pod "two" not found')
    for query, status, reason in (("tailLines=x", 400, "BadRequest"), ("tailLines=-1", 422, "Invalid"), ("limitBytes=0", 422, "Invalid"),
                                  ("sinceSeconds=0", 422, "Invalid"), ("sinceTime=x", 400, "BadRequest"), ("sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z", 422, "Invalid")):
        get("log " + query, f"{PODS}/two/log?container=one&{query}", status, reason)
    api.request("DELETE", PODS + "/two?gracePeriodSeconds=0")


def strangers():
    outside = Api(STRANGER)
    for path in ("/api", "/apis", "/api/v1/pods", "/openapi/v2", "/nothing", MAPS, "/metrics", "/"):
        check.answer("stranger " + path, outside.request("GET", path), 401, "Unauthorized", "Unauthorized")
    for path in ("/livez", "/readyz", "/healthz", "/version"):
        check.that("stranger " + path, outside.request("GET", path).status == 200, "refused")
    check.answer("stranger writes health", outside.request("POST", "/healthz", "{}"), 405, "MethodNotAllowed")
    for value in ("Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", "Bearer " + "x" * 20000, "bearer x", "Token x", "Bearer a b"):
        check.answer("credentials " + value[:12], outside.request("GET", MAPS, b"", [("authorization", value)]), 401, "Unauthorized")
    check.answer("proxy headers", outside.request("GET", MAPS, b"", [("x-remote-user", "admin"), ("x-remote-group", "system:masters")]), 401, "Unauthorized")
    check.answer("impersonation", outside.request("GET", "/version", b"", [("impersonate-user", "admin")]), 403, "Forbidden")


def history():
    """Last: it pushes everything before out of the history of changes."""
    page = api.request("GET", f"{MAPS}?limit=1").json()
    token, version = page["metadata"]["continue"], page["metadata"]["resourceVersion"]
    api.request("POST", MAPS, config_map("large"))
    for number in range(8):
        answer = api.request("PATCH", MAPS + "/large", {"data": {"a": str(number) + "x" * 900000}}, MERGE_PATCH)
        check.answer("large update", answer, 200)
    get("old list", f"{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact", 410, "Expired")
    answer = get("old continue", f"{MAPS}?limit=1&continue={token}", 410, "Expired", "The provided continue parameter is too old")
    again = answer.json().get("metadata", {}).get("continue", "")
    check.that("a new token is given", again not in ("", token), again)
    get("the new token works", f"{MAPS}?limit=1&continue={again}", 200)
    connection = Connection(ADMIN)
    connection.send(f"GET {MAPS}?watch=1&resourceVersion={version} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    event = connection.watch_event()
    status = event.get("object", {})
    check.that("old watch", event.get("type") == "ERROR" and status.get("code") == 410 and status.get("reason") == "Expired", str(event)[:300])
    connection.close()
    get("newer than an old version", f"{MAPS}?resourceVersion={version}&resourceVersionMatch=NotOlderThan", 200)
    api.request("DELETE", MAPS + "/large")


for group in (framing, bodies, fields, addresses, names, immutable, queries, conflicts, patches, ending, logs, strangers, history):
    try:
        group()
    except (EOFError, OSError, KeyError) as problem:
        check.that(group.__name__, False, repr(problem))
check.finish()
