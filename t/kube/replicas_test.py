#!/usr/bin/env python3
"""The replica count of the Kubernetes API, against a stand-in for it. Prints `N passed, N failed`."""
import http.client
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import api as stand_in  # noqa: E402
from mock import ROOT, Mock, free_port  # noqa: E402

passed = failed = 0


def check(name, got, want=True):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAILED %s: %r, expected %r" % (name, got, want))


def fragment(file, **values):
    with open(os.path.join(ROOT, "docker", file)) as f:
        text = f.read()
    for key, value in values.items():
        text = text.replace("@%s@" % key, value)
    return text


class Pod:
    """The module with the image's configuration for a cluster; ttl of 0.1 s unless said otherwise."""

    def __init__(self, api_port, account, ttl="100ms", more="", env=None, workers=2, kind="deployments", **values):
        server = fragment("cluster-server.conf", account=account, namespace="default", kind=kind, name="llama2-7b")
        server = server.replace("token=", "ttl=%s %s token=" % (ttl, more))
        http_part = fragment("cluster-http.conf", api="127.0.0.1:%d" % api_port)
        self.ttl = 0.1
        self.mock = Mock(server="vllm_mock_metrics scaled;\n" + server, http=http_part, env=env, workers=workers, **values)

    def scrape(self, wait=True):
        """Count, whether the source is up, seconds that the scrape took."""
        if wait:
            time.sleep(self.ttl + 0.02)
        begin = time.monotonic()
        text = self.mock.get("/metrics")
        took = time.monotonic() - begin
        value = {m[1]: float(m[2]) for m in re.finditer(r"^(vllm_mock:replica\w+?)(?:{[^}]*})? (\S+)$", text, re.M)}
        self.success = re.search(r'^vllm:request_success_total\{[^}]*finished_reason="stop"[^}]*\} (\S+)', text, re.M)
        return int(value["vllm_mock:replicas"]), int(value["vllm_mock:replica_source_up"]), took

    def now(self):
        return self.scrape()[:2]

    def logged(self, text):
        return self.mock.errors().count(text)


def write(path, text):
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


def main():
    directory = tempfile.mkdtemp(prefix="vllm-mock-kube-")
    account = os.path.join(directory, "account")
    os.mkdir(account)
    ca, certificate, key = stand_in.authority(directory, "cluster-ca")
    _, other_certificate, other_key = stand_in.authority(directory, "other-ca")
    shutil.copy(ca, os.path.join(account, "ca.crt"))
    token = os.path.join(account, "token")
    write(token, "first\n")

    api = stand_in.Api(free_port(), certificate, key)
    pod = Pod(api.port, account)
    try:
        follow(api, pod)
        objects(api, pod)
        tokens(api, pod, token)
        failures(api, pod, other_certificate, other_key, certificate, key)
        one_at_a_time(api, pod)
        clients(api, pod)
        other_endpoints(api, pod)
        across_reload(api, pod)
        check("no worker died", re.search(r"exited on signal|alert|emerg", pod.mock.errors()), None)
    finally:
        pod.mock.stop()

    fallbacks(api, account)
    time_to_live(api, account)
    lost_worker(api, account)
    local_sources(account)
    configuration(account)
    api.stop()
    shutil.rmtree(directory)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


def follow(api, pod):
    for n in (1, 2, 3, 4, 5, 4, 3, 2, 1):
        api.body = stand_in.deployment(n)
        check("%d replicas" % n, pod.now(), (n, 1))
        check("scaled metric at %d" % n, float(pod.success[1]), 100.0 / n)
    path, headers = api.requests[-1]
    check("path", path, "/apis/apps/v1/namespaces/default/deployments/llama2-7b")
    check("host", headers.get("Host"), "kubernetes.default.svc")
    check("authorization", headers.get("Authorization"), "Bearer first")
    check("no header of the client", headers.get("User-Agent"), None)
    check("connections are kept", len(api.connections) <= 4)
    check("logged once", pod.logged("the replica count comes from"), 1)
    text = http.client.HTTPConnection("127.0.0.1", pod.mock.port, timeout=10)
    text.request("GET", "/.cluster/replicas")
    check("internal", text.getresponse().status, 404)
    text.close()


def objects(api, pod):
    for name, body, want in (
            ("zero", stand_in.deployment(0), 0), ("null is one", stand_in.deployment(None), 1),
            ("absent is one", stand_in.deployment("absent"), 1),
            ("StatefulSet", stand_in.deployment(7, "StatefulSet"), 7),
            ("ReplicaSet", stand_in.deployment(3, "ReplicaSet"), 3), ("Scale", stand_in.deployment(6, "Scale"), 6),
            ("Scale leaves out zero", stand_in.deployment("absent", "Scale"), 0),
            ("large object", stand_in.deployment(9, padding=300000), 9)):
        api.body = body
        check(name, pod.now(), (want, 1))
    api.mode, api.body = "chunked", stand_in.deployment(8, padding=50000)
    check("chunked", pod.now(), (8, 1))
    api.mode = None
    api.body = stand_in.deployment(0)
    pod.now()
    check("zero is served as one", float(pod.success[1]), 100.0)


def tokens(api, pod, token):
    api.body = stand_in.deployment(4)
    pod.now()
    write(token, "wrong")
    api.body = stand_in.deployment(5)
    check("wrong token", pod.now(), (4, 0))
    check("said", pod.logged("status 401"), 1)
    write(token, "first")
    check("right token again", pod.now(), (5, 1))
    api.token = "second"
    check("server rotated first", pod.now(), (5, 0))
    write(token, "second\n")
    check("rotation", pod.now(), (5, 1))
    # a kubelet swaps a link, the file's size and time may stay
    os.rename(token, token + ".real")
    os.symlink(token + ".real", token)
    check("link", pod.now(), (5, 1))
    write(token + ".3", "third\n")
    os.utime(token + ".3", ns=(os.stat(token).st_atime_ns, os.stat(token).st_mtime_ns))
    api.token = "third"
    os.symlink(token + ".3", token + ".tmp")
    os.rename(token + ".tmp", token)
    check("rotation by link", pod.now(), (5, 1))
    os.remove(token)
    check("no token", pod.now(), (5, 0))
    write(token, "a b\r\nX: y")
    check("no header from a token", pod.now(), (5, 0))
    check("its header", api.requests[-1][1].get("X"), None)
    write(token, "third")
    check("token again", pod.now(), (5, 1))


def failures(api, pod, other_certificate, other_key, certificate, key):
    def fails(name, reason, limit=0.5):
        before = pod.logged("no replica count from")
        value = pod.scrape()
        check(name + ": last value, down", value[:2], (5, 0))
        check(name + ": %.3f s" % value[2], value[2] < limit)
        lines = pod.mock.errors().count("\n")
        again = [pod.scrape() for _ in range(3)]
        check(name + ": again", [v[:2] for v in again], [(5, 0)] * 3)
        check(name + ": never late: %r" % again, all(v[2] < limit for v in again))
        check(name + ": logged once", pod.logged("no replica count from"), before + 1)
        check(name + ": quiet", pod.mock.errors().count("\n"), lines)
        check(name + ": reason", reason in pod.mock.errors().rsplit("no replica count from", 1)[1])

    def good(name):
        api.body, api.status, api.delay, api.mode = stand_in.deployment(5), 200, 0, None
        check(name, pod.now(), (5, 1))

    for status in (403, 404, 500, 429):
        api.status = status
        fails(str(status), "status %d" % status)
        good("after %d" % status)
    for name, body, reason in (
            ("malformed", "{nope", "no JSON"), ("empty", "", "no JSON"), ("no object", "[1]", "no \"spec\""),
            ("no spec", '{"kind": "Status"}', "no \"spec\""),
            ("text", stand_in.deployment("5"), "no count"), ("real", stand_in.deployment(2.5), "no count"),
            ("negative", stand_in.deployment(-1), "no count"), ("endless", stand_in.deployment(10 ** 12), "no count"),
            ("too large a number", stand_in.deployment(10 ** 30), "no JSON"), ("true", stand_in.deployment(True), "no count"),
            ("Pod", stand_in.deployment("absent", "Pod"), "no \"spec.replicas\""),
            ("huge", stand_in.deployment(6, padding=4 << 20), "larger than")):
        api.body = body
        fails(name, reason)
        good("after " + name)
    api.mode, api.body = "chunked", stand_in.deployment(6, padding=4 << 20)
    fails("huge and chunked", "")
    good("after huge and chunked")
    api.mode = "cut"
    fails("cut", "")
    good("after cut")
    api.delay = 2
    fails("slow", "no answer within 400 ms")
    good("after slow")
    api.mode = "trickle"
    fails("trickling", "no answer within 400 ms")
    good("after trickling")
    api.stop()
    fails("down", "status 502")
    api.certificate, api.key = other_certificate, other_key
    api.start()
    check("another CA", pod.now(), (5, 0))
    asked = len(api.requests)
    check("its token is not shown to a stranger", (pod.now(), len(api.requests)), ((5, 0), asked))
    api.stop()
    api.certificate, api.key = certificate, key
    api.start()
    good("back")
    # whoever listens, but does not speak TLS
    api.stop()
    import socket
    with socket.create_server(("127.0.0.1", api.port)) as mute:
        mute.listen(16)
        fails("mute", "no answer within 400 ms")
    api.start()
    good("after mute")


def one_at_a_time(api, pod):
    api.delay, api.body = 0.3, stand_in.deployment(3)
    time.sleep(pod.ttl + 0.02)
    asked = len(api.requests)
    times, values = [], []

    def one():
        value = pod.scrape(wait=False)
        values.append(value[0])
        times.append(value[2])

    threads = [threading.Thread(target=one) for _ in range(12)]
    for t in threads:
        t.start()
        time.sleep(0.01)
    for t in threads:
        t.join()
    check("one refresh for all", len(api.requests) - asked, 1)
    check("one waits, the others have the last value", sorted(values), [3] + [5] * 11)
    check("only one waited: %r" % sorted(times), sum(t > 0.2 for t in times), 1)
    api.delay, api.body = 0, stand_in.deployment(5)
    check("after that", pod.now(), (5, 1))


def lost_worker(api, account):
    """A worker that dies while it asks: after five seconds another one may."""
    pod = Pod(api.port, account, workers=1)
    try:
        api.body = stand_in.deployment(2)
        check("before", pod.now(), (2, 1))
        api.body, api.delay = stand_in.deployment(4), 1
        time.sleep(pod.ttl + 0.02)
        c = http.client.HTTPConnection("127.0.0.1", pod.mock.port, timeout=10)
        c.request("GET", "/metrics")
        asked = len(api.requests)
        while len(api.requests) == asked:
            time.sleep(0.01)
        worker, = pod.mock.children()
        os.kill(worker, signal.SIGKILL)
        c.close()
        api.delay = 0
        while pod.mock.children() in ([], [worker]):
            time.sleep(0.01)
        check("the last value meanwhile", pod.now(), (2, 1))
        time.sleep(5)
        check("another worker asks", pod.now(), (4, 1))
    finally:
        pod.mock.stop()


def clients(api, pod):
    # the connection that asked is kept, and used again at once
    api.delay = 2
    time.sleep(pod.ttl + 0.02)
    c = http.client.HTTPConnection("127.0.0.1", pod.mock.port, timeout=10)
    for i in range(3):
        begin = time.monotonic()
        c.request("GET", "/metrics")
        r = c.getresponse()
        check("kept alive %d" % i, (r.status, b"vllm_mock:replica_source_up 0" in r.read().replace(b".0", b"")), (200, True))
        # before its source answers
        check("kept alive %d in time" % i, time.monotonic() - begin < api.delay)
        c.request("GET", "/health")
        check("health %d" % i, c.getresponse().read(), b"")
    c.request("HEAD", "/metrics")
    r = c.getresponse()
    check("HEAD", (r.status in (200, 405), r.read()), (True, b""))
    c.close()
    # a client that goes does not block the next refresh
    time.sleep(pod.ttl + 0.02)
    c = http.client.HTTPConnection("127.0.0.1", pod.mock.port, timeout=10)
    c.request("GET", "/metrics")
    time.sleep(0.05)
    c.close()
    time.sleep(0.5)
    api.delay = 0
    check("after a client left", pod.now(), (5, 1))
    # many scrapes on many connections while the count is asked for all the time
    def loop():
        c = http.client.HTTPConnection("127.0.0.1", pod.mock.port, timeout=10)
        for _ in range(60):
            c.request("GET", "/metrics")
            r = c.getresponse()
            bad.extend([r.status] if r.status != 200 or b"vllm_mock:replicas 5" not in r.read() else [])
            time.sleep(0.01)
        c.close()

    bad = []
    threads = [threading.Thread(target=loop) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("scrapes under way", bad, [])


def other_endpoints(api, pod):
    api.body = stand_in.deployment(2)
    time.sleep(pod.ttl + 0.02)
    check("/admin/state", json.loads(pod.mock.get("/admin/state"))["replicas"], 2)
    import urllib.request
    urllib.request.urlopen(urllib.request.Request(pod.mock.url + "/set_metrics", b'{"server_load": {"total": 30}}',
                                                  {"Content-Type": "application/json"})).read()
    api.body = stand_in.deployment(5)
    time.sleep(pod.ttl + 0.02)
    check("/load", json.loads(pod.mock.get("/load")), {"server_load": 6})
    urllib.request.urlopen(urllib.request.Request(pod.mock.url + "/set_metrics", b'{"server_load": null}',
                                                  {"Content-Type": "application/json"})).read()


def across_reload(api, pod):
    api.status = 500
    pod.mock.reload()
    check("the last value survives a reload", pod.now(), (5, 0))
    api.status = 200
    check("and follows again", pod.now(), (5, 1))


def fallbacks(api, account):
    api.stop()
    for name, more, env, want in (("one", "", {}, 1), ("DEFAULT_REPLICAS", "", {"DEFAULT_REPLICAS": "3"}, 3),
                                  ("fallback=", "fallback=4", {"DEFAULT_REPLICAS": "3"}, 4)):
        pod = Pod(api.port, account, more=more, env=env)
        try:
            check("fallback: " + name, pod.now(), (want, 0))
            check("said: " + name, pod.logged("%d is served until there is one" % want), 1)
        finally:
            pod.mock.stop()
    api.start()


def time_to_live(api, account):
    pod = Pod(api.port, account, ttl="1h")
    try:
        api.body = stand_in.deployment(2)
        check("first", pod.now(), (2, 1))
        asked = len(api.requests)
        api.body = stand_in.deployment(5)
        check("within ttl", [pod.now() for _ in range(3)], [(2, 1)] * 3)
        check("not asked", len(api.requests), asked)
    finally:
        pod.mock.stop()


def local_sources(account):
    """from= may be any location: a file, a fixed answer, one that is not there, the metrics themselves."""
    directory = tempfile.mkdtemp(prefix="vllm-mock-file-")
    os.chmod(directory, 0o755)
    path = os.path.join(directory, "count.json")
    write(path, stand_in.deployment(3))
    for name, uri, location, want in (
            ("file", "/count.json", "location = /count.json { internal; root %s; }" % directory, (3, 1)),
            ("answer", "/n", "location = /n { internal; return 200 '{\"spec\":{\"replicas\":6}}'; }", (6, 1)),
            ("query", "/n?x=7", "location = /n { internal; return 200 '{\"spec\":{\"replicas\":$arg_x}}'; }", (7, 1)),
            ("nothing there", "/nothing", "", (1, 0)), ("itself", "/metrics", "", (1, 0)),
            ("refused", "/n", "location = /n { return 403; }", (1, 0)),
            ("small buffers", "/count.json", "location = /count.json { root %s; subrequest_output_buffer_size 10; }"
             % directory, (3, 1))):
        mock = Mock(server="vllm_mock_replicas from=%s ttl=0;\n%s" % (uri, location))
        try:
            pod = Pod.__new__(Pod)
            pod.mock, pod.ttl = mock, 0
            check(name, [pod.now() for _ in range(3)], [want] * 3)
            check(name + ": alive", mock.get("/health"), "")
        finally:
            mock.stop()
    shutil.rmtree(directory)


def configuration(account):
    for text, reason in (("x", "a number from 0"), ("-1", "a number"), ("from=nowhere", "from=/URI"),
                         ("ttl=1s", "needs from="), ("fallback=2", "needs from="),
                         ("from=/x ttl=never", "invalid value"), ("from=/x fallback=x", "invalid value"),
                         ("from=/x speed=3", "invalid value"), ("3 ttl=1s", "invalid value")):
        try:
            Mock(server="vllm_mock_replicas %s;" % text).stop()
            check("refused: " + text, False)
        except RuntimeError as e:
            check("refused: " + text, reason in str(e))


sys.exit(main())
