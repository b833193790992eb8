"""Many streams at once: how late their tokens are, and what they cost, beside bare nginx.

    bench/streams.py [STREAMS=5000] [TOKENS=50] [ITL_MS=20]

Opens STREAMS streaming completions over the loopback, all at once.  Prints how many came whole, the spread of the time
from first to last token against what was configured, the worker's CPU time for a token; and, in the same run, requests
per second of one-token completions as a ratio to bare nginx's `return 200` of the same size with the same client.
"""
import asyncio
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "t", "lib"))
import mock  # noqa: E402


def request(path, body):
    text = json.dumps(body).encode()
    return (b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (path.encode(), len(text), text))


async def stream(port, tokens, times, gate):
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("/v1/completions", {"model": "tiny", "prompt": "x", "max_tokens": tokens, "stream": True,
                                             "ignore_eos": True}))
    first, got, tail = None, 0, b""
    while True:
        block = await reader.read(65536)
        if not block:
            break
        first = first or time.monotonic()
        got += (tail + block).count(b'"text":') - tail.count(b'"text":')
        tail = block[-16:]
        if b"[DONE]" in tail + block:
            break
    times.append((got, time.monotonic() - first if first else 0))
    writer.close()


async def steady(port, path, body, seconds, connections):
    """Requests per second over kept connections."""
    done, end, text = 0, time.monotonic() + seconds, request(path, body)

    async def one():
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            writer.write(text)
            head = await reader.readuntil(b"\r\n\r\n")
            length = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                      if line.startswith(b"content-length")][0]
            await reader.readexactly(length)
            done += 1
        writer.close()

    await asyncio.gather(*[one() for _ in range(connections)])
    return done / seconds


def cpu(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


async def many(n, tokens, itl, s):
    times, gate = [], asyncio.Semaphore(500)
    before = cpu(s.children())
    await asyncio.gather(*[stream(s.port, tokens, times, gate) for _ in range(n)])
    used = cpu(s.children()) - before
    due = (tokens - 1) * itl / 1000
    late = sorted(t - due for _, t in times)
    whole = sum(got == tokens for got, _ in times)
    print("%d streams of %d tokens, %d ms apart: %d whole" % (n, tokens, itl, whole))
    print("last token behind the first, beyond %.3f s: median %+.1f ms, 99%% %+.1f ms (client's own time counts)"
          % (due, 1e3 * late[len(late) // 2], 1e3 * late[len(late) * 99 // 100]))
    print("workers' CPU: %.2f s, %.1f us a token" % (used, 1e6 * used / (n * tokens)))


def main():
    n, tokens, itl = [int(a) for a in (sys.argv[1:] + ["5000", "50", "20"][len(sys.argv) - 1:])]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = ("vllm_mock_args m --served-model-name tiny --max-num-seqs %d --max-num-batched-tokens %d; "
              "vllm_mock_engine num_gpu_blocks=%d; vllm_mock_latency constant ttft=10ms itl=%dms;"
              % (n + 1, max(n + 1, 8192), (tokens // 16 + 3) * n + 300, itl))
    with mock.Mock(server=server, zone="512m", main="worker_rlimit_nofile %d;" % hard) as s:
        asyncio.run(many(n, tokens, itl, s))

    # what a request costs beside bare nginx, which answers as many bytes

    one = {"model": "tiny", "prompt": "x", "max_tokens": 1}
    with mock.Mock(server="vllm_mock_args m --served-model-name tiny; vllm_mock_latency none; "
                          "location = /bare { return 200 '%s'; }" % ("x" * 330)) as s:
        rates = {"bare": [], "mock": []}
        for _ in range(3):
            for name, path in (("bare", "/bare"), ("mock", "/v1/completions")):
                rates[name].append(asyncio.run(steady(s.port, path, one, 2, 32)))
        bare, ours = [sorted(r)[1] for r in (rates["bare"], rates["mock"])]
        print("requests a second, median of 3: bare nginx %.0f, a one-token completion %.0f: ratio %.2f"
              % (bare, ours, ours / bare))


if __name__ == "__main__":
    main()
