"""Programs in other languages against two workers: each prints its checks, the last line is "N passed, N failed"."""
import os
import re
import shutil
import subprocess

from checks import BUSY, mock

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(mock.ROOT, "build")
SERVER = """vllm_mock_model m; vllm_mock_latency constant ttft=5ms itl=2ms; vllm_mock_endpoints all;
vllm_mock_api_key right; vllm_mock_engine max_num_seqs=4 max_waiting=100;"""
CALLS = SERVER + """vllm_mock_args --enable-auto-tool-choice --tool-call-parser hermes;
vllm_mock_output tokens=40 calls=100%;"""


def same(one, other):
    try:
        with open(one, "rb") as a, open(other, "rb") as b:
            return a.read() == b.read()
    except FileNotFoundError:
        return False


def run(tool, install, programs):
    """After install(), each of programs (name: server, command before the URL); without the tool it is a failure."""
    if not shutil.which(tool):
        print("not ok: %s is not here: tools/deps.sh test installs it\n0 passed, 1 failed" % tool)
        return 1
    install()
    passed = failed = 0
    for name, (server, command) in programs.items():
        print("# " + name)
        with mock.Mock(server=server, http=BUSY, workers=2) as s:
            done = subprocess.run(command + [s.url], timeout=120, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        counts = re.search(r"^(\d+) passed, (\d+) failed\n\Z", done.stdout, re.M)
        print(done.stdout[:counts.start()] if counts else done.stdout, end="")
        passed += int(counts.group(1)) if counts else 0
        failed += int(counts.group(2)) if counts else 1
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0
