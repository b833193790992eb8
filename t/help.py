#!/usr/bin/env python3
"""What `vllm --help` prints, against the table of arguments and the documents. Prints `N passed, N failed`.

Every argument that has a meaning is in docker/help.txt and in docs/directives.md; no other is, but those that the image's entry
point takes itself."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
IMAGE = {"uds", "ssl-certfile", "ssl-keyfile", "ssl-ca-certs", "ssl-cert-reqs", "uvicorn-log-level", "disable-uvicorn-access-log"}


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf8") as f:
        return f.read()


def names(said):
    return set(re.findall(r"--([a-z][a-z0-9-]*[a-z0-9])", said)) - {"argument", "no-argument", "help"}


def main():
    rows = re.findall(r'\{ "([a-z0-9-]+)",[^}]*?(VM_SET_\w+)', text("src/api/settings.c"))
    meant = {name for name, kind in rows if kind != "VM_SET_IGNORED"}
    known = {name for name, kind in rows}
    said = text("docker/help.txt")
    table = text("docs/directives.md").split("### vllm_mock_args")[1].split("### vllm_mock_model")[0]
    run = dict(os.environ, ARGS="--help")
    env = dict(os.environ, VLLM_MOCK_HOME=os.path.join(ROOT, "docker"))
    checks = [
        ("arguments are found", len(meant) > 40 and len(known) > 200),
        ("not in the help: %s" % (meant - names(said)), meant <= names(said)),
        ("in the help without a meaning: %s" % (names(said) - meant - IMAGE), names(said) - meant <= IMAGE),
        ("not in the documents: %s" % (meant - names(table)), meant <= names(table)),
        ("lines of the help are too long", max(map(len, said.splitlines())) <= 80),
        ("make run ARGS=--help", subprocess.check_output([os.path.join(ROOT, "tools/run.sh")], env=run, text=True) == said),
        ("vllm --help", subprocess.check_output([os.path.join(ROOT, "docker/entrypoint.sh"), "--help"], env=env, text=True) == said),
        ("vllm serve --help", subprocess.check_output([os.path.join(ROOT, "docker/entrypoint.sh"), "serve", "--help"], env=env,
                                                      text=True) == said),
    ]
    for name, good in checks:
        if not good:
            print("FAILED " + name)
    failed = sum(not good for _, good in checks)
    print("%d passed, %d failed" % (len(checks) - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
