#!/usr/bin/env python3
"""Bodies that are large or made to hurt: what they cost, and that others are served meanwhile."""
import json
import select
import sys

import load
from load import check

SERVER = "vllm_mock_model m; vllm_mock_latency none; vllm_mock_args --max-model-len 8192; vllm_mock_endpoints all;"


def ask(server, body, path="/v1/completions"):
    """Status and text; the body is text already."""
    with load.connect(server.port) as s:
        s.sendall(b"POST %s HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\nConnection: close\r\n"
                  b"Content-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body)
        status, text = load.split(load.rest(s))
        return status, text.decode()


def peak(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def worker(server):
    return load.until(5, "a worker", server.children)[0]


@check
def a_large_body_takes_less_than_four_times_its_size():
    with load.mock.Mock(server=SERVER, workers=1) as server:
        pid = worker(server)
        before = peak(pid)
        body = b'{"model": "m", "prompt": [' + b"1," * 20000000 + b"1]}"
        status, text = ask(server, body)
        assert status == 413 and json.loads(text)["error"]["code"] == 413, text
        used = peak(pid) - before
        assert used < 4 * len(body), (used, len(body))
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 2})[0] == 200


@check
def a_body_that_a_thread_reads_is_answered_as_any():
    with load.mock.Mock(server=SERVER, workers=1) as server:
        for more, status in (("", 200), (', "temperature": "hot"', 400), (', "x": NaN', 200), (", ", 400)):
            small = '{"model": "m", "prompt": "a", "max_tokens": 3%s}' % more
            large = '{"model": "m", "prompt": "a", "max_tokens": 3, "padding": "%s"%s}' % ("x" * 1000000, more)
            a, b = ask(server, small.encode()), ask(server, large.encode())
            assert a[0] == b[0] == status, (more, a, b)
        got = ask(server, json.dumps({"model": "m", "prompt": ["a " * 3000] * 30, "max_tokens": 1}).encode())
        assert got[0] == 200 and len(json.loads(got[1])["choices"]) == 30
        for _ in range(50):                 # who leaves while it is read
            with load.connect(server.port) as s:
                load.ask(s, {"model": "m", "prompt": "a" * 300000, "max_tokens": 1})
        load.until(10, "all slots are free", lambda: load.idle(server))
        assert not [line for line in server.errors().splitlines() if "[alert]" in line]


@check
def violations_are_counted_up_to_a_bound():
    """vLLM prints ten; a million that nobody sees are not looked for."""
    with load.mock.Mock(server=SERVER, workers=1) as server:
        for path, body in (("/v1/chat/completions", '{"model": "m", "messages": [%s]}' % ",".join(['{"x":1}'] * 100000)),
                           ("/v1/responses", '{"model": "m", "input": [%s]}' % ",".join(["1"] * 500000))):
            status, text = ask(server, body.encode(), path)
            message = json.loads(text)["error"]["message"]
            assert status == 400 and message.count("\n") == 11, (status, message)
            assert 10000 <= int(message.split()[0]) < 11000, message[:60]


@check
def others_are_served_during_a_huge_request():
    """Four million tokens that cost no time: others are answered many times before them."""
    with load.mock.Mock(server=SERVER, workers=1) as server:
        with load.connect(server.port) as s:
            load.ask(s, {"model": "m", "prompt": ["a"] * 1000, "max_tokens": 4000, "ignore_eos": True})
            served = 0
            while not select.select([s], [], [], 0)[0]:
                server.get("/version")
                served += 1
            assert served >= 3, served           # all at once lets in one
            status, body = load.split(load.rest(s))
            assert status == 200
            assert json.loads(body)["usage"]["completion_tokens"] == 4000000


if __name__ == "__main__":
    sys.exit(load.main())
