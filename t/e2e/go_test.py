#!/usr/bin/env python3
"""Clients for Go: OpenAI's (go/openai.go), Anthropic's (go/anthropic.go).

Their versions are pinned in go/go.mod.  They want a newer Go than Debian's: where the one that is here is older, it
fetches that one as the module golang.org/toolchain, below build/."""
import os
import re
import subprocess
import sys

from checks import REFUSE
from programs import BUILD, CALLS, HERE, run

DIR = os.path.join(HERE, "go")
OUT = os.path.join(BUILD, "go")
PROGRAM = os.path.join(OUT, "clients")


def said(*command, **more):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **more).stdout


def numbers(version):
    return [int(n) for n in re.search(r"(\d+)\.(\d+)", version).groups()]


def toolchain():
    """The go that is here or, if that is too old, the path of the one that go.mod asks for."""
    with open(os.path.join(DIR, "go.mod")) as f:
        wanted = re.search(r"^go (\S+)$", f.read(), re.M).group(1)
    os.makedirs(OUT, exist_ok=True)
    if numbers(said("go", "env", "GOVERSION", cwd=OUT)) >= numbers(wanted):
        return "go"
    name = "golang.org/toolchain@v0.0.1-go%s.%s-%s" % (wanted, *said("go", "env", "GOOS", "GOARCH", cwd=OUT).split())
    env = dict(os.environ, GOMODCACHE=os.path.join(OUT, "toolchain"), GOFLAGS="-modcacherw")
    said("go", "mod", "download", name, cwd=OUT, env=env)
    root = os.path.join(OUT, "toolchain", name)
    for place in "bin", "pkg/tool":             # archives of modules keep no mode
        for path, _, files in os.walk(os.path.join(root, place)):
            for file in files:
                os.chmod(os.path.join(path, file), 0o755)
    return os.path.join(root, "bin", "go")


def install():
    subprocess.run([toolchain(), "build", "-mod=readonly", "-o", PROGRAM, "."], cwd=DIR, check=True,
                   env=dict(os.environ, GOTOOLCHAIN="local"))


if __name__ == "__main__":
    sys.exit(run("go", install, {"clients for Go": (CALLS + REFUSE, [PROGRAM])}))
