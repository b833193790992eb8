"""What the load tests share: requests on bare sockets, metrics as numbers, conditions with a deadline."""
import json
import os
import re
import socket
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mock  # noqa: E402,F401
from mock import SLOW, until  # noqa: E402,F401

CHECKS = []


def check(f):
    CHECKS.append(f)
    return f


def main():
    failed = 0
    for f in CHECKS:
        start = time.monotonic()
        try:
            f()
            print("ok %s (%.1f s)" % (f.__name__, time.monotonic() - start))
        except Exception:
            failed += 1
            print("not ok " + f.__name__)
            traceback.print_exc(file=sys.stdout)
    print("%d passed, %d failed" % (len(CHECKS) - failed, failed))
    return failed > 0


def connect(port, receive_buffer=None, timeout=60):
    s = socket.socket()
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(timeout)
    s.connect(("127.0.0.1", port))
    return s


def ask(s, body, path="/v1/completions", close=True):
    body = json.dumps(body).encode()
    s.sendall(b"POST %s HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
              % (path.encode(), len(body), b"Connection: close\r\n" if close else b"", body))


def rest(s):
    out = []
    while True:
        data = s.recv(65536)
        if not data:
            return b"".join(out)
        out.append(data)


def split(answer):
    """Status and body; chunks are put together, and must be whole."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return int(head.split()[1]), body
    out = []
    while True:
        size, _, body = body.partition(b"\r\n")
        n = int(size, 16)
        if n == 0:
            assert body == b"\r\n", body
            return int(head.split()[1]), b"".join(out)
        assert len(body) >= n + 2, "a chunk is not whole"
        out.append(body[:n])
        body = body[n + 2:]


def request(port, body, **more):
    """One request on a connection of its own."""
    with connect(port) as s:
        ask(s, body, **more)
        return split(rest(s))


def events(body):
    """The data of a stream, which must have its end."""
    parts = body.decode().split("\n\n")
    assert parts[-1] == "" and parts[-2] == "data: [DONE]", parts[-2:]
    assert all(p.startswith("data: ") for p in parts[:-1]), parts
    return [json.loads(p[6:]) for p in parts[:-2]]


def metrics(text):
    """(name, labels) -> number."""
    out = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.rpartition(" ")
            name, _, labels = key.partition("{")
            assert (name, labels) not in out, "twice: " + key
            out[name, labels] = float(value)
    return out


def total(m, name):
    return sum(v for (n, _), v in m.items() if n == name)


def state(server):
    return json.loads(server.get("/admin/state"))


def idle(server):
    """Nothing lives in any engine."""
    return all(e["live"] == e["running"] == e["waiting"] == e["used_blocks"] == 0 for e in state(server)["engines"])


def histograms(m):
    """Buckets that only grow, the last one is the count."""
    series = {}
    for (name, labels), v in m.items():
        if name.endswith("_bucket"):
            le = re.search(r'le="([^"]*)"', labels).group(1)
            key = name[:-7], re.sub(r',?le="[^"]*"', "", labels).strip("{},")
            series.setdefault(key, []).append((float(le.replace("+Inf", "inf")), v))
    for (name, labels), buckets in series.items():
        values = [v for _, v in sorted(buckets)]
        assert values == sorted(values), (name, labels, values)
        counts = [v for (n, l), v in m.items() if n == name + "_count" and l.strip("{}") == labels]
        assert counts == [values[-1]], (name, labels, counts, values[-1])
    return len(series)


# what is observed once for each request that ends
OF_A_REQUEST = ("e2e_request_latency_seconds", "request_queue_time_seconds", "request_inference_time_seconds",
                "request_prefill_time_seconds", "request_decode_time_seconds", "request_prompt_tokens",
                "request_generation_tokens", "request_params_n", "request_params_max_tokens")


def consistent(m):
    """One scrape agrees with itself."""
    assert histograms(m) > 15
    ended = total(m, "vllm:request_success_total")
    for name in OF_A_REQUEST:
        assert total(m, "vllm:%s_count" % name) == ended, (name, total(m, "vllm:%s_count" % name), ended)
    assert total(m, "vllm:request_generation_tokens_sum") <= total(m, "vllm:generation_tokens_total")
    assert total(m, "vllm:request_prompt_tokens_sum") <= total(m, "vllm:prompt_tokens_total")
    assert total(m, "vllm:time_to_first_token_seconds_count") >= ended
    assert total(m, "vllm:num_requests_waiting") == total(m, "vllm:num_requests_waiting_by_reason")
    return ended


def grown(before, after):
    """No counter and no histogram went down."""
    for key, v in before.items():
        if key[0].endswith(("_total", "_count", "_sum", "_bucket")) and key[0].startswith(("vllm:", "http_")):
            assert after.get(key, -1) >= v, (key, v, after.get(key))
