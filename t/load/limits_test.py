#!/usr/bin/env python3
"""Limits that workers count together, also when one dies; faults that leave nothing behind."""
import json
import os
import signal
import sys

import load
from load import check, metrics, total

SERVER = "vllm_mock_model m; vllm_mock_latency constant ttft=5ms itl=10ms; "


def held(server, n):
    """So many streams that run."""
    clients = []
    for _ in range(n):
        s = load.connect(server.port)
        load.ask(s, {"model": "m", "prompt": "a", "max_tokens": 3000, "stream": True, "ignore_eos": True})
        assert s.recv(100).startswith(b"HTTP/1.1 200"), n
        clients.append(s)
    return clients


def status(server, **more):
    return load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 1, **more})[0]


@check
def so_many_at_a_time():
    with load.mock.Mock(server=SERVER + "vllm_mock_rate_limit concurrency=5 by=all;", workers=4) as server:
        for _ in range(3):
            clients = held(server, 5)
            assert [status(server) for _ in range(8)] == [429] * 8
            clients.pop().close()
            load.until(5, "one place is free", lambda: status(server) == 200)
            for s in clients:
                s.close()
            load.until(5, "all are free", lambda: load.idle(server))


@check
def a_worker_that_dies_gives_its_places_back():
    with load.mock.Mock(server=SERVER + "vllm_mock_rate_limit concurrency=4 by=all;", workers=2) as server:
        clients = held(server, 4)
        assert status(server) == 429
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        load.until(10, "new workers", lambda: len(server.children()) == 2 and load.idle(server))
        for s in clients:
            s.close()
        for s in held(server, 4):
            s.close()


@check
def all_workers_count_requests_and_tokens():
    quick = "vllm_mock_model m; vllm_mock_latency none; "
    with load.mock.Mock(server=quick + "vllm_mock_rate_limit rpm=20 by=all;", workers=4) as server:
        got = [status(server) for _ in range(40)]
        # one more may have come by during the time that it took
        assert 20 <= got.count(200) <= 22 and got.count(200) + got.count(429) == 40, got
    with load.mock.Mock(server=quick + "vllm_mock_rate_limit tpm=1000 by=all;", workers=4) as server:
        got = [status(server, max_tokens=99, ignore_eos=True) for _ in range(14)]
        assert 10 <= got.count(200) <= 12 and got[-1] == 429, got


@check
def who_was_cut_off_leaves_nothing():
    for fault in ("disconnect after=5", "drop", "error status=503", "stall after=5", "delay time=50ms"):
        server = SERVER + "vllm_mock_fault %s when=$http_x_fault;" % fault
        with load.mock.Mock(server=server, workers=4) as server:
            clients = []
            for i in range(60):
                s = load.connect(server.port)
                body = b'{"model": "m", "prompt": "a", "max_tokens": 500, "ignore_eos": true, "stream": %s}' % (
                    b"true" if i % 2 else b"false")
                s.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: m\r\nX-Fault: 1\r\nConnection: close\r\n"
                          b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                clients.append(s)
            if fault.split()[0] in ("cut", "drop", "error"):
                for s in clients:
                    try:
                        while s.recv(65536):
                            pass
                    except ConnectionResetError:
                        pass
            for s in clients:
                s.close()
            load.until(10, fault + ": nothing is left", lambda: load.idle(server))
            load.until(10, fault + ": no stream", lambda: total(metrics(server.get()), "vllm_mock:streams") == 0)
            assert status(server) == 200
            assert "[alert]" not in server.errors(), server.errors()


def background(server, **more):
    return load.request(server.port, {"model": "m", "input": "a", "background": True, **more}, path="/v1/responses")


@check
def what_runs_in_the_background_counts():
    """From its POST to its end, not to that of the connection; its tokens then."""
    store = {"VLLM_ENABLE_RESPONSES_API_STORE": "1"}
    limits = "vllm_mock_rate_limit concurrency=1 tpm=150 by=all;"
    with load.mock.Mock(server=SERVER + limits, workers=2, env=store) as server:
        code, _ = background(server, max_output_tokens=100)
        assert code == 200
        assert [background(server)[0] for _ in range(4)] == [429] * 4
        load.until(10, "it is over", lambda: load.idle(server))
        assert status(server, max_tokens=60) == 200     # there are 150 less 101 tokens, and it may overdraw
        # its place is free only when its connection is
        load.until(5, "no tokens are left", lambda: b"tokens per minute" in background(server)[1])


@check
def many_keys_leave_those_that_run():
    """More keys than are remembered: the oldest goes, but none that has something running."""
    limits = "vllm_mock_rate_limit concurrency=1 by=$http_x_key;"
    with load.mock.Mock(server=SERVER + limits, workers=1) as server:
        def ask(key, **more):
            s = load.connect(server.port)
            body = json.dumps({"model": "m", "prompt": "a", "ignore_eos": True, **more}).encode()
            s.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\nX-Key: %s\r\n"
                      b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (key.encode(), len(body), body))
            return s

        def code(s):
            with s:
                return load.split(load.rest(s))[0]

        first = ask("first", max_tokens=3000, stream=True)
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        for i in range(300):
            assert code(ask("key%d" % i, max_tokens=1)) == 200
        assert code(ask("first", max_tokens=1)) == 429
        first.close()
        load.until(5, "it is free", lambda: code(ask("first", max_tokens=1)) == 200)


@check
def changes_at_once_all_count():
    """Settings of several clients through several workers: none takes another's back."""
    with load.mock.Mock(server=SERVER, workers=4) as server:
        def change(**body):
            s = load.connect(server.port)
            load.ask(s, body, "/admin/config")
            return s

        for i in range(200):
            changes = [change(replicas=i), change(rate_limit="rpm=%d" % (i + 1)),
                       change(faults=["delay time=%dms endpoint=/never" % i] * 8)]
            for s in changes:
                with s:
                    assert load.split(load.rest(s))[0] == 200
            for _ in range(4):                  # of any worker
                now = json.loads(server.get("/admin/config"))
                assert now["replicas"] == i and now["rate_limit"] == "rpm=%d" % (i + 1), (i, now)
                assert now["faults"] == ["delay time=%dms endpoint=/never" % i] * 8, (i, now)


if __name__ == "__main__":
    sys.exit(load.main())
