#!/usr/bin/env python3
"""Runs the curl examples of the documents, as they stand: each must succeed.  Prints `N passed, N failed`.

docs_curl.py [PAGE]...; without, README.md and docs/*.md, but docs/kubernetes.md, which needs a cluster.

An example is an indented line that begins with curl, or with "$ curl", and goes on behind a backslash and within quotes;
name=$(curl ...) sets a variable for those behind it.  Those of a page run in their order against one server of nginx.conf.example, in an empty directory that has a talk.wav.
HTML comments, on lines of their own, say what a page needs and which examples show an error:

    <!-- server: vllm_mock_args --enable-scale-out; -->    directives of the server, instead of the example's of that name
    <!-- env: NAME=value -->                               the server's environment
    <!-- error -->                                         the next example must fail, with an HTTP status"""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile
import wave

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import mock  # noqa: E402

ELSEWHERE = {"docs/kubernetes.md"}
HTTP_ERROR = 22             # curl's exit status with fail-with-body
FORGOTTEN = 60              # seconds: no example takes that long


def replaced(text, pattern, by):
    """There must be something to replace, else the example has changed."""
    text, n = re.subn(pattern, lambda _: by, text, flags=re.M)
    if n != 1:
        raise RuntimeError("nginx.conf.example: %d of %s" % (n, pattern))
    return text


class Example(mock.Mock):
    """A server of nginx.conf.example, where the test wants it."""

    def write(self, server="", location="", http=""):
        with open(os.path.join(mock.ROOT, "nginx.conf.example")) as f:
            text = f.read()
        for name in set(re.findall(r"(?:^|;)\s*(\w+)", server)):
            text = re.sub(r"^ +%s [^;]*;.*\n" % name, "", text, flags=re.M)
        temp = "".join(" %s_temp_path %s/%s;" % (k, self.dir, k)
                       for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.getuid() == 0 else ""
        text = replaced(text, r"^load_module .*", "load_module %s; daemon off; pid %s/nginx.pid; %s"
                        % (mock.MODULE, self.dir, user))
        text = replaced(text, r"^error_log .*", "error_log %s notice;" % self.log)
        text = replaced(text, r"^http \{", "http {" + temp)
        text = replaced(text, r"^ +listen .*", "listen 127.0.0.1:%d; %s" % (self.port, server))
        with open(self.conf, "w") as f:
            f.write(text)


def closed(command):
    """Whether its quotes are."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


def examples(text):
    """(number of the line, command, whether it must fail)"""
    found, error, command = [], False, None
    for number, line in enumerate(text.splitlines(), 1):
        if command is None:
            error = error or line.strip() == "<!-- error -->"
            start = re.match(r" {4,}(?:\$ )?((?:\w+=\$\()?curl .*)", line)
            if start is None:
                continue
            first, command = number, start.group(1)
        else:
            command += "\n" + line
        if not command.endswith("\\") and closed(command):
            found.append((first, command, error))
            error, command = False, None
    if command is not None:
        found.append((first, command, error))
    return found


def comments(text, name):
    return re.findall(r"^<!-- %s: (.*) -->$" % name, text, re.M)


def silence(path):
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(16000)
        f.writeframes(bytes(32000))


def run(command, server, home, env):
    """Exit status and output; a variable that it sets goes into env."""
    name = re.match(r"(\w+)=\$\(", command)
    command = re.sub(r"\b(?:localhost|127\.0\.0\.1):8000\b", "127.0.0.1:%d" % server.port, command)
    if name:
        command += " && printf %%s \"$%s\"" % name.group(1)
    try:
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=home, env=env, timeout=FORGOTTEN,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return -1, "it does not end"
    said = done.stdout.decode("utf8", "replace")
    if name:
        env[name.group(1)] = said
    return done.returncode, said


def page(path):
    """How many examples of a page pass and fail."""
    with open(os.path.join(mock.ROOT, path), encoding="utf8") as f:
        text = f.read()
    found, failed = examples(text), 0
    if not found:
        return 0, 0
    env = dict(pair.split("=", 1) for pair in comments(text, "env"))
    with tempfile.TemporaryDirectory() as home, Example(" ".join(comments(text, "server")), env=env) as server:
        with open(os.path.join(home, ".curlrc"), "w") as f:
            f.write("fail-with-body\nsilent\nshow-error\n")
        silence(os.path.join(home, "talk.wav"))
        shell = dict(os.environ, CURL_HOME=home)
        for number, command, error in found:
            rc, said = run(command, server, home, shell)
            if rc != (HTTP_ERROR if error else 0):
                failed += 1
                print("FAILED %s:%d: exit status %d\n%s\n%s" % (path, number, rc, command, said))
            elif "-v" in sys.argv:
                print("%s:%d: %s\n%s\n" % (path, number, command, said))
    return len(found) - failed, failed


def main():
    passed = failed = 0
    pages = [a for a in sys.argv[1:] if a != "-v"]
    os.chdir(mock.ROOT)
    for path in pages or ["README.md"] + sorted(set(glob.glob("docs/*.md")) - ELSEWHERE):
        p, f = page(path)
        passed, failed = passed + p, failed + f
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
