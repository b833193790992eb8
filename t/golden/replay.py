#!/usr/bin/env python3
"""Replays the recordings of a real vLLM against the module.

  replay.py compare [FILES]     http/*.json (or FILES), each case against the server that it names
  replay.py metrics [FILES]     metrics/workloads.json (or FILES), each workload
  replay.py serve               runs the servers in the foreground, prints NAME=URL for each

Every configuration of http/servers.json is an nginx of its own, with that environment; `vllm_mock_args` are its
arguments as they stand. gaps.txt lists the ids that do not pass yet, differences.txt those that a module cannot answer:
an unlisted case that fails is a failure, and so is a listed one that passes. With FILES given, the lists count for what
is in them only.
"""
import contextlib
import io
import json
import os
import re
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "http")]
import mock     # noqa: E402
import wire     # noqa: E402


def servers():
    with open(os.path.join(HERE, "http", "servers.json"), encoding="utf8") as f:
        return json.load(f)


def start(name, setting, adapters):
    fill = lambda s: s.replace("{adapters}", adapters).replace("{oracle}", HERE)
    args = " ".join(mock.quote(fill(a)) for a in setting["args"])
    env = {k: fill(v) for k, v in setting["env"].items() if k.startswith("VLLM_")}
    return mock.Mock(server="vllm_mock_args %s;" % args, env=env, workers=2)


@contextlib.contextmanager
def running(names=None):
    adapters = wire.ADAPTERS
    if not os.path.isdir(adapters):
        wire.make_adapters(adapters)
    up = {}
    try:
        for name, setting in servers().items():
            if names is None or name in names:
                up[name] = start(name, setting, adapters)
        yield up
    finally:
        for m in up.values():
            m.stop()


def listed(name):
    """The ids of a list: one a line, a reason may stand behind."""
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf8") as f:
        return {line.split()[0] for line in f if line.strip() and not line.startswith("#")}


def judge(results, known):
    """results: id -> differences. What is wrong with the lists counts as failed."""
    passed = failed = 0
    for i, bad in results.items():
        if bool(bad) == (i in known):
            passed += 1
            continue
        failed += 1
        print("FAIL %s%s" % (i, "" if bad else ": listed in gaps.txt or differences.txt, but it passes"))
        for line in bad[:4]:
            print("     " + line)
    gaps = sum(bool(b) for b in results.values())
    print("%d of %d as vLLM answered, %d known gaps" % (len(results) - gaps, len(results), gaps))
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


def load(path):
    with open(path, encoding="utf8") as f:
        return json.load(f)


def compare(files):
    import compare as http
    folder = os.path.join(HERE, "http")
    files = files or sorted(os.path.join(folder, n) for n in os.listdir(folder)
                            if n.endswith(".json") and n != "servers.json")
    cases = [c for f in files for c in wire.load(f) if http.pairs(c)]
    results = {}
    with running({c["server"] for c in cases}) as up:
        urls = {name: m.url for name, m in up.items()}
        for case in sorted(cases, key=lambda c: bool(c.get("last"))):
            try:
                got = [r for r in wire.run_case(case, urls, wire.ADAPTERS) if r is not None]
                bad = http.judge(case, got, wire.ADAPTERS)
                if len(got) != len(http.pairs(case)):
                    bad.append("%d answers expected, got %d" % (len(http.pairs(case)), len(got)))
            except OSError as e:
                bad = ["%s: %s" % (type(e).__name__, e)]
            results[case["id"]] = bad
        for name, m in up.items():
            crashed = re.findall(r"exited on signal|\[alert\].*", m.errors())
            if crashed:
                results["server." + name] = crashed
    return judge(results, listed("gaps.txt") | listed("differences.txt"))


def metrics(files):
    sys.path.insert(0, os.path.join(HERE, "metrics"))
    sys.modules.pop("compare", None)
    import compare as m
    works = [w for f in files or [os.path.join(HERE, "metrics", "workloads.json")] for w in load(f)]
    results = {}
    fresh = {"default": "fresh.txt", "lora": "fresh-lora.txt", "reasoning": "fresh-reasoning.txt"}
    with running({w["server"] for w in works} | set(fresh)) as up:
        for name, text in fresh.items():
            with open(os.path.join(HERE, "metrics", text), encoding="utf8") as f:
                results["metrics." + text] = m.compare_shapes(f.read(), m.Server(up[name].url).metrics(), False)
        for w in works:
            server = m.Server(up[w["server"]].url)
            try:
                bad = m.check(w, m.run(server, w), False)
            except Exception as e:              # a workload that cannot even run
                bad = ["%s: %s" % (type(e).__name__, e)]
            results["metrics.%s.%s" % (w["server"], w["id"])] = bad
    return judge(results, listed("gaps.txt"))


def serve():
    with running() as up:
        for name, m in up.items():
            print("%s=%s" % (name, m.url), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}) if sys.argv[1:2] == ["serve"] else None
    what = {"compare": compare, "metrics": metrics}.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if what:
        sys.exit(what(sys.argv[2:]))
    if sys.argv[1:2] == ["serve"]:
        sys.exit(serve())
    sys.exit(__doc__)
