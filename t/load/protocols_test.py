#!/usr/bin/env python3
"""HTTP/2, what waits for "100 Continue", tokens when they are due, the metrics' format by promtool."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import load
from load import check

SETTINGS = "vllm_mock_model m; vllm_mock_latency constant ttft=%s itl=%s;"
HERE = os.path.dirname(os.path.abspath(__file__))
JSON = ("-H", "Content-Type: application/json")


def http2(ttft, itl):
    """A server that speaks HTTP/2 without TLS beside the usual one, on the same zone."""
    port = load.mock.free_port()
    server = load.mock.Mock(http=SETTINGS % (ttft, itl), more_servers="server { listen 127.0.0.1:%d http2; location / "
                            "{ vllm_mock m; } }" % port)
    return server, "http://127.0.0.1:%d" % port


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "--max-time", "60", *arguments],
                          capture_output=True, check=True).stdout


def stream(n):
    return json.dumps({"model": "m", "prompt": "a", "max_tokens": n, "stream": True, "ignore_eos": True})


@check
def http2_answers_and_errors():
    server, url = http2("5ms", "2ms")
    with server:
        head, _, body = curl("-i", url + "/v1/models").partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/2 200"), head
        assert json.loads(body)["data"][0]["id"] == "m"
        for _ in range(3):
            assert len(load.events(curl("-N", *JSON, "-d", stream(50), url + "/v1/completions"))) == 50
        got = curl("-i", *JSON, "-d", "{", url + "/v1/completions")
        assert got.startswith(b"HTTP/2 400") and b'{"error":' in got, got
        assert curl("-i", url + "/nowhere").startswith(b"HTTP/2 404")


@check
def http2_many_streams_on_a_connection():
    server, url = http2("5ms", "2ms")
    with server:
        done = subprocess.run(["node", os.path.join(HERE, "http2.js"), url, "40", stream(60)], capture_output=True,
                              timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        answers = json.loads(done.stdout)
        assert len(answers) == 40
        for status, body in answers:
            assert status == 200 and len(load.events(body.encode())) == 60
        assert load.idle(server)


@check
def http2_client_that_goes_away():
    server, url = http2("5ms", "2ms")
    with server:
        client = subprocess.Popen(["curl", "-sSN", "--http2-prior-knowledge", *JSON, "-d", stream(4000),
                                   url + "/v1/completions"], stdout=subprocess.PIPE)
        assert client.stdout.read(20)
        client.kill()
        client.wait()
        client.stdout.close()
        load.until(5, "its slot is free", lambda: load.idle(server))


@check
def http2_large_body():
    server, url = http2("0", "0")
    with server, tempfile.NamedTemporaryFile("w") as f:
        json.dump({"model": "m", "prompt": "word " * 200000}, f)
        f.flush()
        got = curl(*JSON, "--data-binary", "@" + f.name, url + "/tokenize")
        assert json.loads(got)["count"] > 200000


@check
def a_body_that_waits_for_100_continue():
    with load.mock.Mock(server=SETTINGS % ("0", "0")) as server:
        body = b'{"model": "m", "prompt": "a"}'
        for path, status in ((b"/tokenize", b"HTTP/1.1 200 "), (b"/nowhere", b"HTTP/1.1 404 ")):
            with load.connect(server.port) as s:
                s.sendall(b"POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
                          b"Content-Length: %d\r\n\r\n" % (path, len(body)))
                if path == b"/tokenize":
                    assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
                    s.sendall(body)
                assert s.recv(len(status)) == status


@check
def tokens_come_when_they_are_due():
    """The head before the first token, no token before its time; how late they are is for the mock's metrics to say."""
    with load.mock.Mock(server=SETTINGS % ("300ms", "50ms"), workers=1) as server:
        with load.connect(server.port) as s:
            start = time.monotonic()
            load.ask(s, json.loads(stream(11)))
            seen, times = b"", []
            while not seen.endswith(b"0\r\n\r\n"):
                data = s.recv(65536)
                assert data, "cut off"
                times += [time.monotonic() - start] * (data.count(b"data: {") or not seen)
                seen += data
        head, tokens = times[0], times[1:]
        assert len(tokens) == 11, times
        assert head < tokens[0] and seen.index(b"data: {") > seen.index(b"\r\n\r\n"), times
        early = min(t - 0.3 - 0.05 * i for i, t in enumerate(tokens))
        assert early > -0.002, times
        # by the engine's own clock each was due when it was, whoever was busy
        m = load.metrics(server.get())
        gaps = load.total(m, "vllm:inter_token_latency_seconds_sum")
        assert abs(gaps - 0.5) < 1e-6 and load.total(m, "vllm:inter_token_latency_seconds_count") == 10, gaps
        assert load.total(m, "vllm_mock:token_lateness_seconds_count") <= 11


@check
def whole_answers_come_when_they_are_due():
    with load.mock.Mock(server=SETTINGS % ("100ms", "20ms")) as server:
        start = time.monotonic()
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 11, "ignore_eos": True})[0] == 200
        took = time.monotonic() - start
        late = load.total(load.metrics(server.get()), "vllm_mock:token_lateness_seconds_sum")
        assert took >= 0.3 + late - 0.002, (took, late)


@check
def promtool_takes_the_metrics():
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not here: make test-deps installs it"
    for mode in ("live", "live legacy=on", "scaled", "scaled legacy=off"):
        with load.mock.Mock(server="vllm_mock_metrics %s; vllm_mock_model m; vllm_mock_lora l;" % mode) as server:
            for model in ("m", "l"):
                assert load.request(server.port, {"model": model, "prompt": "a", "max_tokens": 2})[0] == 200
            done = subprocess.run([promtool, "check", "metrics"], input=server.get().encode(), capture_output=True)
            # what vLLM names against Prometheus's customs is said as well, with status 3
            said = [line for line in done.stderr.decode().splitlines() if "error" in line.lower()]
            assert done.returncode in (0, 3) and not said, (mode, done)


@check
def a_plain_proxy_in_front_passes_on_what_is_there():
    """nginx asks in HTTP/1.0 and buffers: the first token must reach the client, though the second is an hour away."""
    port, back = load.mock.free_port(), load.mock.free_port()
    front = "server { listen 127.0.0.1:%d; location / { proxy_pass http://127.0.0.1:%d; } }" % (port, back)
    with load.mock.Mock(server=SETTINGS % ("1ms", "1h"), listen=back, more_servers=front):
        with load.connect(port) as s:
            load.ask(s, json.loads(stream(50)))
            got = b""
            while b"data: " not in got:
                more = s.recv(65536)
                assert more, got
                got += more


if __name__ == "__main__":
    sys.exit(load.main())
