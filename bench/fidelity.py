#!/usr/bin/env python3
"""How near a replay comes to vidur's own result of the same trace.

  fidelity.py [REPLAY]      build/vllm-mock-replay is the default; run from the repository's root

The sample trace with the settings of vidur's sarathi scheduler (chunks of 512 tokens, 128 requests, 7424 blocks, watermark
1 %, no prefix cache), on the table of a100/llama-2-7b-tp1. Prints p50, p90, p99 and mean of TTFT, TPOT and e2e beside vidur's,
with the relative difference. Exit status 1 if e2e or TPOT is more than 1.5 % off, or the mean of TTFT more than 3 %.
"""
import csv
import io
import subprocess
import sys

TRACES = "t/golden/traces/"
SETTINGS = ["--profile", "profiles/a100/llama-2-7b-tp1.json", "--max-num-batched-tokens", "512", "--max-num-seqs", "128",
            "--num-gpu-blocks", "7424", "--watermark", "0.01", "--max-model-len", "4096",
            "--no-enable-prefix-caching"]
E2E, TTFT = 0.015, 0.03


def percentile(values, p):
    at = (len(values) - 1) * p / 100
    i = int(at)
    return values[i] + (at - i) * (values[min(i + 1, len(values) - 1)] - values[i])


def column(rows, name):
    return sorted(float(r[name]) for r in rows if r[name] not in ("", "nan"))


def main():
    replay = sys.argv[1] if len(sys.argv) > 1 else "build/vllm-mock-replay"
    out = subprocess.run([replay, TRACES + "trace-t2-qps6.csv", *SETTINGS], capture_output=True, text=True, check=True).stdout
    ours = list(csv.DictReader(io.StringIO(out)))
    with open(TRACES + "a100-sarathi-t2-qps6.csv") as f:
        theirs = list(csv.DictReader(f))
    good = True
    print("| | | vidur | replay | difference |")
    print("|---|---|---|---|---|")
    for name in "ttft_s", "tpot_s", "e2e_s":
        a, b = column(theirs, name), column(ours, name)
        for label in "p50", "p90", "p99", "mean":
            x, y = ((sum(v) / len(v) if label == "mean" else percentile(v, int(label[1:]))) for v in (a, b))
            off = y / x - 1
            limit = None if name == "ttft_s" and label != "mean" else TTFT if name == "ttft_s" else E2E
            good &= limit is None or abs(off) <= limit
            print(f"| {name} | {label} | {x:.6f} | {y:.6f} | {off * 100:+.2f} % |")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
