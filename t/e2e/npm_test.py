#!/usr/bin/env python3
"""Clients of npm against two workers: OpenAI's (openai.mjs), Anthropic's (anthropic.mjs), Vercel's (aisdk.mjs).

Each file says what it checks.  Their versions are pinned in package.json (all of them run on Node 18); they are
installed below build/."""
import filecmp
import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import mock  # noqa: E402

BUILD = os.path.join(mock.ROOT, "build", "npm")
SERVER = """vllm_mock_model m; vllm_mock_latency constant ttft=5ms itl=2ms; vllm_mock_endpoints all;
vllm_mock_api_key right; vllm_mock_engine max_num_seqs=4 max_waiting=100;"""
CALLS = SERVER + """vllm_mock_args --enable-auto-tool-choice --tool-call-parser hermes;
vllm_mock_output tokens=40 calls=100%;"""
CHECKS = {"openai.mjs": SERVER, "anthropic.mjs": CALLS, "aisdk.mjs": CALLS}


def install():
    wanted, have = os.path.join(HERE, "package.json"), os.path.join(BUILD, "installed.json")
    if not os.path.exists(have) or not filecmp.cmp(wanted, have, shallow=False):
        os.makedirs(BUILD, exist_ok=True)
        shutil.copy(wanted, os.path.join(BUILD, "package.json"))
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit"], cwd=BUILD, check=True)
        shutil.copy(wanted, have)
    for file in glob.glob(os.path.join(HERE, "*.mjs")):     # they find the clients beside themselves
        shutil.copy(file, BUILD)


def main():
    if not shutil.which("npm"):
        print("sdk: skipped: npm is not here\n0 passed, 0 failed")
        return 0
    install()
    passed = failed = 0
    for file, server in CHECKS.items():
        print("# " + file)
        with mock.Mock(server=server, workers=2) as s:
            done = subprocess.run(["node", os.path.join(BUILD, file), s.url], timeout=120, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        counts = re.search(r"^(\d+) passed, (\d+) failed\n\Z", done.stdout, re.M)
        print(done.stdout[:counts.start()] if counts else done.stdout, end="")
        passed += int(counts.group(1)) if counts else 0
        failed += int(counts.group(2)) if counts else 1
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
