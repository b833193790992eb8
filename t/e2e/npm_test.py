#!/usr/bin/env python3
"""OpenAI's client for JavaScript against two workers: t/e2e/npm.mjs, which says what it checks.

Its version is pinned in package.json; it is installed below build/."""
import filecmp
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import mock  # noqa: E402

BUILD = os.path.join(mock.ROOT, "build", "npm")


def install():
    wanted, have = os.path.join(HERE, "package.json"), os.path.join(BUILD, "installed.json")
    if not os.path.exists(have) or not filecmp.cmp(wanted, have, shallow=False):
        os.makedirs(BUILD, exist_ok=True)
        shutil.copy(wanted, os.path.join(BUILD, "package.json"))
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit"], cwd=BUILD, check=True)
        shutil.copy(wanted, have)
    shutil.copy(os.path.join(HERE, "npm.mjs"), BUILD)      # it finds the client beside itself


def main():
    if not shutil.which("npm"):
        print("sdk: skipped: npm is not here\n0 passed, 0 failed")
        return 0
    install()
    with mock.Mock(server="vllm_mock_model m; vllm_mock_latency constant ttft=5ms itl=2ms; vllm_mock_endpoints all;"
                          "vllm_mock_api_key right; vllm_mock_engine max_num_seqs=4 max_waiting=100;", workers=2) as s:
        return subprocess.run(["node", os.path.join(BUILD, "npm.mjs"), s.url + "/v1"], timeout=120).returncode


if __name__ == "__main__":
    sys.exit(main())
