#!/usr/bin/env python3
"""Requests a second of a chat that is answered at once, beside an nginx that returns as many bytes from its memory.

    make && python3 bench/rate.py [SECONDS [ROUNDS]]        needs wrk (Debian's package of that name)

One nginx, two locations on one port: the mock with latency `none`, and `return 200` with an answer of the mock's as it
stands. Each is asked for SECONDS (5) in turn, ROUNDS (3) times, by wrk with one thread and 16 connections that stay
open, with the same request. Printed for each: requests a second of the best round, CPU time that the worker took for
one request (user, system); at the end the ratio. One worker, so that wrk has a core for itself on two cores.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "t", "lib"))
import mock  # noqa: E402

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "Say this is a test!"}], "temperature": 0.7,
           "max_tokens": 16}
LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer test-key-1234567890"
wrk.body = %s
"""
TICK = os.sysconf("SC_CLK_TCK")


def cpu(pids):
    """User and system seconds that the processes have taken."""
    user = system = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
        user, system = user + int(fields[11]) / TICK, system + int(fields[12]) / TICK
    return user, system


def measure(server, url, script, seconds):
    before = cpu(server.children())
    out = subprocess.run(["wrk", "-t1", "-c16", "-d%ds" % seconds, "-s", script, "--latency", url], capture_output=True,
                         text=True, check=True).stdout
    after = cpu(server.children())
    errors = re.findall(r"Non-2xx.*|Socket errors.*", out)
    if errors:
        sys.exit("%s: %s" % (url, errors))
    n = int(re.search(r"(\d+) requests in", out).group(1))
    return {"rate": float(re.search(r"Requests/sec: *([\d.]+)", out).group(1)), "user": (after[0] - before[0]) / n * 1e6,
            "system": (after[1] - before[1]) / n * 1e6, "p99": re.search(r"99% +(\S+)", out).group(1)}


def main():
    if not shutil.which("wrk"):
        sys.exit("wrk is not here: apt-get install wrk")
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    settings = "vllm_mock_model m; vllm_mock_latency none;"

    with mock.Mock(server=settings, workers=1) as server:
        asked = subprocess.run(["curl", "-s", "-H", "Content-Type: application/json", "-d", json.dumps(REQUEST),
                                server.url + "/v1/chat/completions"], capture_output=True, text=True, check=True).stdout
    bare = "location /bare { default_type application/json; return 200 %s; }" % mock.quote(asked)
    best = {}
    with mock.Mock(server=settings + bare, workers=1) as server, tempfile.NamedTemporaryFile("w", suffix=".lua") as f:
        f.write(LUA % ("[[%s]]" % json.dumps(REQUEST)))
        f.flush()
        paths = {"return 200": "/bare", "chat": "/v1/chat/completions"}
        for path in paths.values():         # warm
            measure(server, server.url + path, f.name, 1)
        for _ in range(rounds):
            for name, path in paths.items():
                got = measure(server, server.url + path, f.name, seconds)
                if name not in best or got["rate"] > best[name]["rate"]:
                    best[name] = got
    print("%d bytes an answer, 16 tokens, one worker, 16 connections, best of %d rounds of %d s" % (len(asked), rounds,
                                                                                            seconds))
    for name, b in best.items():
        print("%-12s %8.0f requests/s  %6.1f us CPU a request (%.1f user, %.1f system)  p99 %s" % (
            name, b["rate"], b["user"] + b["system"], b["user"], b["system"], b["p99"]))
    print("ratio %.2f" % (best["chat"]["rate"] / best["return 200"]["rate"]))


if __name__ == "__main__":
    main()
