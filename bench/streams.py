#!/usr/bin/env python3
"""Many streams at once: how late tokens are, and whether any is lost.

    make && python3 bench/streams.py [STREAMS [TOKENS [MS_A_TOKEN]]]         2000 streams, 64 tokens, 20 ms

Two workers, latency `constant` with a first token after 1 s, so that all streams are there before one begins. One
client process reads them all without looking at them, then counts: each stream has its tokens, its end and nothing
else. Lateness is what the workers measured themselves (`vllm_mock:token_lateness_seconds`: from the time when a token
was due to when it was handed to the socket); the client's own times are printed beside it: it is one more process on
the same cores. CPU time is that of the workers for a token.
"""
import os
import resource
import selectors
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "t", "load"))
import load  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def cpu(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def percentiles(m, name, wanted):
    """Upper bounds, from a histogram."""
    buckets = {}
    for (n, labels), v in m.items():
        if n == name + "_bucket":
            le = float(labels.split('le="')[1].split('"')[0].replace("+Inf", "inf"))
            buckets[le] = buckets.get(le, 0) + v
    count = max(buckets.values())
    return [min(le for le, v in buckets.items() if v >= count * q) for q in wanted]


def main():
    streams, tokens, pace = (int(a) for a in (sys.argv[1:] + ["2000", "64", "20"][len(sys.argv) - 1:]))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * streams + 1000)), hard))
    settings = "vllm_mock_model m; vllm_mock_engine max_num_seqs=%d max_num_batched_tokens=%d num_gpu_blocks=%d " \
               "max_live=%d prefix_caching=off; vllm_mock_latency constant ttft=1s itl=%dms;" % (
                   streams, max(8192, streams), max(1000, streams * (tokens // 16 + 2)), streams + 10, pace)
    with load.mock.Mock(server=settings, workers=2, zone="256m") as server:
        body = {"model": "m", "prompt": "a", "max_tokens": tokens, "stream": True, "ignore_eos": True}
        selector = selectors.DefaultSelector()
        got, first, last = {}, {}, {}
        for _ in range(streams):
            s = load.connect(server.port)
            load.ask(s, body)
            s.setblocking(False)
            got[s] = []
            selector.register(s, selectors.EVENT_READ)
        before, start, deadline = cpu(server.children()), time.monotonic(), time.monotonic() + 60
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                s = key.fileobj
                try:
                    data = s.recv(65536)
                except (BlockingIOError, InterruptedError):
                    continue
                if b"data: " in data:
                    last[s] = time.monotonic()
                    first.setdefault(s, last[s])
                if not data:
                    selector.unregister(s)
                    s.close()
                else:
                    got[s].append(data)
        took, used = time.monotonic() - start, cpu(server.children()) - before
        whole = lost = 0
        for s, parts in got.items():
            try:
                n = len(load.events(load.split(b"".join(parts))[1]))
            except (AssertionError, ValueError, IndexError):
                n = -1
            whole += n == tokens
            lost += n != tokens
        m = load.metrics(server.get())
        p50, p99, p999 = percentiles(m, "vllm_mock:token_lateness_seconds", (0.5, 0.99, 0.999))
        mean = load.total(m, "vllm_mock:token_lateness_seconds_sum") / load.total(m, "vllm_mock:token_lateness_seconds_count")
        spans = sorted(last[s] - first[s] - (tokens - 1) * pace / 1000 for s in last)
        print("%d streams of %d tokens, one each %d ms: %d whole, %d lost something, in %.1f s" % (
            streams, tokens, pace, whole, lost, took))
        print("lateness of tokens: mean %.2f ms, p50 <= %g ms, p99 <= %g ms, p99.9 <= %g ms" % (
            mean * 1e3, p50 * 1e3, p99 * 1e3, p999 * 1e3))
        print("a stream's first to last token, as the client read them, over what is due: median %+.1f ms, most %+.1f ms" % (
            spans[len(spans) // 2] * 1e3, spans[-1] * 1e3))
        print("%.1f us CPU a token, %.0f%% of one core" % (used / (streams * tokens) * 1e6, 100 * used / took))
        ended = load.total(m, "vllm:request_success_total")
        return lost > 0 or ended != streams or not load.idle(server)


if __name__ == "__main__":
    sys.exit(main())
