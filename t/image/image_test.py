#!/usr/bin/env python3
"""Builds the image and runs it as a pod's restricted container would. Prints `N passed, N failed`, or why it skips.

With a Docker engine that is `docker run`; without, the root of the image that buildah built is mounted read-only and run with
its own entry point, environment and stop signal, a user nobody knows, no capabilities, and a temp directory alone to write to.
"""
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.environ.get("IMAGE_WORK", os.path.join(ROOT, "build", "image"))
TAG = "vllm-mock-test"
UID = 23456
passed = failed = 0


def check(name, got, want=True):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAILED %s: %r, expected %r" % (name, got, want))


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Docker:
    """The image under a Docker engine."""

    def image(self):
        self.config = json.loads(run("docker", "image", "inspect", TAG).stdout)[0]
        self.size = self.config["Size"]
        self.config = self.config["Config"]

    def start(self, arguments=(), env=(), mounts=(), port=8000, uid=UID):
        command = ["docker", "run", "--rm", "--network=host", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL",
                   "--security-opt=no-new-privileges", "--user=%d:0" % uid, "--name=vllm-mock-test-%d" % port]
        for name, value in dict(env).items():
            command.append("--env=%s=%s" % (name, value))
        for source, target in mounts:
            command.append("--volume=%s:%s:ro" % (source, target))
        c = Container(self, port)
        c.name = "vllm-mock-test-%d" % port
        c.process = subprocess.Popen(command + [TAG, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return c

    def inside(self, container, *command):
        return run("docker", "exec", container.name, *command)

    def signal(self, container, number):
        run("docker", "kill", "--signal=%d" % number, container.name)

    def shell(self, script):
        return run("docker", "run", "--rm", "--entrypoint=sh", TAG, "-c", script)

    def close(self):
        pass


class Buildah:
    """The same with what the kernel has: a mount namespace, chroot, another user, no capabilities."""

    def __init__(self):
        self.command = ["buildah", "--root", WORK + "/storage", "--runroot", WORK + "/run", "--storage-driver", "vfs"]

    def image(self, tag=TAG):
        inspected = json.loads(run(*self.command, "inspect", "--type", "image", tag).stdout)
        self.config = inspected["Docker"]["config"]
        self.container = run(*self.command, "from", "--pull-never", tag).stdout.strip()
        self.root = run(*self.command, "mount", self.container).stdout.strip()
        self.size = int(run("du", "-sxb", "--apparent-size", self.root).stdout.split()[0])

    def start(self, arguments=(), env=(), mounts=(), port=8000, uid=UID):
        values = dict(v.split("=", 1) for v in self.config["Env"])
        values.update(env, HOSTNAME="vllm-mock-test")
        script = ["set -e", "root=$1; shift", "mount --make-rprivate /", "mount --bind $root $root"]
        # what is mounted needs a place to be mounted at, as a container's engine makes one
        for source, target in mounts:
            script.append("[ -e $root%s ] || { mkdir -p $(dirname $root%s); : > $root%s; }"
                          % ((target,) * 3))
        script.append("mount -o remount,bind,ro $root")
        script += ["mount --bind %s $root%s" % m for m in mounts]
        script += ["mount -t tmpfs -o mode=1777 tmpfs $root/tmp", "mount -t proc proc $root/proc",
                   "mount -t tmpfs -o mode=755 tmpfs $root/dev",
                   "for d in null zero random urandom; do : > $root/dev/$d; mount --bind /dev/$d $root/dev/$d; done",
                   "ln -s /proc/self/fd $root/dev/fd", "ln -s /proc/self/fd/1 $root/dev/stdout",
                   "ln -s /proc/self/fd/2 $root/dev/stderr",
                   # as runc does it: the standard streams belong to the container's user
                   "chown %d /proc/self/fd/1 /proc/self/fd/2" % uid]
        script.append('exec chroot --userspec=%d:0 --groups= $root env -i -C %s "$@"' % (uid, self.config["WorkingDir"]))
        c = Container(self, port)
        c.made = [t for _, t in mounts]
        c.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", "\n".join(script), "bash", self.root,
             *("%s=%s" % v for v in values.items()), *self.config["Entrypoint"], *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return c

    def pid(self, container):
        """The first process of the container, as it is seen from here."""
        with open("/proc/%d/task/%d/children" % (container.process.pid, container.process.pid)) as f:
            return int(f.read().split()[0])

    def inside(self, container, *command):
        return run("nsenter", "--target", str(self.pid(container)), "--mount", "--pid", "--root", "--wd",
                   "setpriv", "--reuid=%d" % UID, "--regid=0", "--clear-groups", *command,
                   env=dict(v.split("=", 1) for v in self.config["Env"]))

    def signal(self, container, number):
        os.kill(self.pid(container), number)

    def shell(self, script):
        return run("chroot", self.root, "sh", "-c", script, env=dict(v.split("=", 1) for v in self.config["Env"]))

    def close(self):
        run(*self.command, "rm", self.container)


class Container:
    def __init__(self, engine, port):
        self.engine, self.port, self.made = engine, port, []
        self.begin = time.monotonic()

    def connection(self, tls=False):
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method, path, body=None, tls=False, **headers):
        c = self.connection(tls)
        with contextlib.closing(c):
            c.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json", **headers})
            r = c.getresponse()
            return r.status, r.read().decode()

    def wait(self, tls=False):
        """Seconds to the first 200 of /health."""
        while time.monotonic() - self.begin < 20:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask("GET", "/health", tls=tls)[0] == 200:
                    return time.monotonic() - self.begin
            if self.process.poll() is not None:
                raise RuntimeError("it ended: " + self.process.stderr.read())
            time.sleep(0.005)
        raise RuntimeError("it does not answer")

    def end(self, number=None, timeout=20):
        """Exit status, stdout, stderr; after a signal, if one is given."""
        if number is not None:
            self.engine.signal(self, number)
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            return "hangs", out, err
        return self.process.returncode, out, err


def main():
    os.makedirs(WORK, exist_ok=True)
    begin = time.monotonic()
    built = run(os.path.join(HERE, "build.sh"), WORK)
    if built.returncode == 77:
        print("image-test: skipped: " + built.stderr.strip())
        return 0
    if built.returncode:
        print(built.stderr + "the image cannot be built\n0 passed, 1 failed")
        return 1
    engine = Docker() if built.stdout.strip() == "docker" else Buildah()
    print("built by %s in %.0f s" % (built.stdout.strip(), time.monotonic() - begin))
    engine.image()
    try:
        described(engine)
        contents(engine)
        environment(engine)
        arguments(engine)
        own_configuration(engine)
        stops(engine)
        over_tls(engine)
    finally:
        engine.close()
    build_argument(engine)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


def described(engine):
    c = engine.config
    check("not root", c["User"].split(":")[0] not in ("", "0", "root"))
    check("numeric user, as runAsNonRoot needs it", c["User"].replace(":", "").isdigit())
    check("stop signal", c["StopSignal"], "SIGQUIT")
    check("port", list(c["ExposedPorts"]), ["8000/tcp"])
    check("health check", c["Healthcheck"]["Test"], ["CMD", "vllm", "healthcheck"])
    for label in ("title", "description", "version", "base.name"):
        check("label " + label, bool(c["Labels"].get("org.opencontainers.image." + label)))
    check("SIMULATION", "SIMULATION=disabled" in c["Env"])
    print("size: %.1f MB" % (engine.size / 1e6))


def contents(engine):
    missing = engine.shell("for c in gcc cc make ld perl5 curl apt-src pip; do command -v $c; done; true").stdout
    check("no build tools", missing, "")
    check("no sources", engine.shell("ls -d /src /usr/include/nginx /usr/share/nginx/src 2> /dev/null").stdout, "")
    check("profiles", int(engine.shell("ls /usr/share/vllm-mock/profiles | wc -l").stdout) > 5)
    check("nothing but links to write to", engine.shell("readlink /var/lib/nginx").stdout.strip(), "/tmp/vllm-mock/lib")
    check("version", engine.shell("vllm --version").stdout, "0.32.0\n")
    r = engine.shell("python3 -c 1")
    check("no Python", (r.returncode, "no Python" in r.stderr), (127, True))


def stream(c, tokens, **headers):
    """An open stream of which the first event was read."""
    connection = c.connection()
    connection.request("POST", "/v1/chat/completions", json.dumps(
        {"model": "llama2-7b", "messages": [{"role": "user", "content": "Say this is a test!"}], "stream": True,
         "max_tokens": tokens, "min_tokens": tokens, "ignore_eos": True}), {"Content-Type": "application/json", **headers})
    r = connection.getresponse()
    r.readline()
    return r


def environment(engine):
    port = free_port()
    c = engine.start(env={"SERVER_PORT": port, "MODEL_NAME": "llama2-7b", "API_KEY": "test-key-1234567890",
                          "DEFAULT_REPLICAS": "5"}, port=port)
    try:
        print("start to the first 200: %.0f ms" % (1000 * c.wait()))
        key = {"Authorization": "Bearer test-key-1234567890"}
        check("health", c.ask("GET", "/health"), (200, ""))
        check("ready", c.ask("GET", "/ready")[0], 200)
        chat = {"model": "llama2-7b", "messages": [{"role": "user", "content": "Say this is a test!"}], "temperature": 0.7}
        check("no key", c.ask("POST", "/v1/chat/completions", chat)[0], 401)
        status, body = c.ask("POST", "/v1/chat/completions", chat, **key)
        check("chat", (status, bool(json.loads(body)["choices"][0]["message"]["content"])), (200, True))
        r = stream(c, 20, **key)
        text = r.read().decode()
        check("stream", (r.status, text.count('"content"') >= 19, text.endswith("data: [DONE]\n\n")), (200, True, True))
        check("metrics", 'vllm:request_success_total{finished_reason="stop",model_name="llama2-7b"} 20.0'
              in c.ask("GET", "/metrics")[1])
        big = {"model": "llama2-7b", "prompt": "x " * 600000, "max_tokens": 1}
        check("a body that is kept in a file", c.ask("POST", "/v1/completions", big, **key)[0] in (200, 400))
        check("healthcheck", engine.inside(c, "vllm", "healthcheck").returncode, 0)
        r = engine.inside(c, "sh", "-c", "id -u; for p in /proc/[0-9]*; do grep -l nginx $p/comm | while read f; do"
                          " sed -n 's/^Uid:\\t\\([0-9]*\\).*/nginx \\1/p' ${f%comm}status; done; done")
        check("users", sorted(set(r.stdout.split("\n")) - {""}), [str(UID), "nginx %d" % UID])
        r = engine.inside(c, "sh", "-c", "for d in / /etc /usr /usr/local/bin /var /var/log/nginx /run /home /opt; do"
                          " touch $d/x 2> /dev/null && echo $d; done; true")
        check("read-only", r.stdout, "")
        r = engine.inside(c, "sh", "-c", "ls /tmp")
        check("one directory is written", r.stdout.split(), ["vllm-mock"])
    finally:
        status, out, err = c.end(signal.SIGQUIT)
    check("exit status", status, 0)
    check("access log on stdout", "\"POST /v1/chat/completions HTTP/1.1\" 200" in out)
    bad = [line for line in err.split("\n") if any("[%s]" % level in line for level in
                                                   ("warn", "error", "crit", "alert", "emerg"))]
    check("nothing bad on stderr", [line for line in bad if "buffered to a temporary file" not in line], [])
    check("healthcheck fails where nothing serves", engine.shell("vllm healthcheck").returncode != 0)


def arguments(engine):
    for how in ("serve", "bare"):
        port = free_port()
        given = ["facebook/opt-125m", "--port=%d" % port, "--host", "127.0.0.1", "--api_key", "k1", "k'2\\ $x \"y\"",
                 "--served-model-name", "opt", "tiny", "--max-model-len", "512", "--gpu-memory-utilization", "0.9",
                 "--dtype", "auto", "--trust-remote-code", "--tensor-parallel-size", "1", "--enable-lora", "--lora-modules",
                 '{"name": "a", "path": "/a"}', "--max-loras", "2", "--block-size", "16", "--num-gpu-blocks-override", "1000",
                 "--no-enable-prefix-caching", "--max-num-seqs", "8", "--max-num-batched-tokens", "2048",
                 "--uvicorn-log-level", "warning", "--enable-request-id-headers", "--data-parallel-size", "1"]
        c = engine.start(["serve"] * (how == "serve") + given, port=port)
        try:
            c.wait()
            status, body = c.ask("GET", "/v1/models", Authorization="Bearer k'2\\ $x \"y\"")
            names = [m["id"] for m in json.loads(body)["data"]]
            check(how + ": models", (status, names), (200, ["opt", "tiny", "a"]))
            check(how + ": first key", c.ask("GET", "/v1/models", Authorization="Bearer k1")[0], 200)
            check(how + ": unknown model", c.ask("POST", "/v1/completions", {"model": "other", "prompt": "x"},
                                                 Authorization="Bearer k1")[0], 404)
            check(how + ": healthcheck", engine.inside(c, "vllm", "healthcheck").returncode, 0)
        finally:
            status, out, err = c.end(signal.SIGQUIT)
        check(how + ": exit status", status, 0)
        check(how + ": quiet", out, "")
        check(how + ": one notice", err.count("without a meaning here"), 1)
    for given, reason in ((["m", "--max-modle-len", "5"], "did you mean --max-model-len"),
                          (["--max-model-len"], "expects a value"), (["m", "--port", "x"], "a number from 1 to 65535"),
                          (["m", "--ssl-certfile", "/nothing"], "/nothing"), (["bench", "x"], "not simulated")):
        engine.config, kept = dict(engine.config), engine.config
        if given[0] == "bench":
            if isinstance(engine, Docker):
                continue
            engine.config["Entrypoint"] = ["vllm"]
        status, _, err = engine.start(given).end()
        engine.config = kept
        check("refused %s: %s" % (given, err), (status, reason in err), (1, True))
    if isinstance(engine, Buildah):
        kept = engine.config
        engine.config = dict(kept, Entrypoint=["python3", "-m", "vllm.entrypoints.openai.api_server"])
        port = free_port()
        c = engine.start(["--model", "m", "--port", str(port)], port=port)
        try:
            c.wait()
            check("python3 -m", '"id":"m"' in c.ask("GET", "/v1/models")[1])
        finally:
            check("python3 -m: exit status", c.end(signal.SIGQUIT)[0], 0)
            engine.config = kept


def own_configuration(engine):
    directory = tempfile.mkdtemp(prefix="vllm-mock-conf-")
    os.chmod(directory, 0o755)
    port = free_port()
    path = os.path.join(directory, "nginx.conf")
    with open(os.path.join(ROOT, "nginx.conf.example")) as f:
        text = f.read().replace("listen  8000", "listen  127.0.0.1:%d" % port)
    with open(path, "w") as f:
        f.write(text)
    for target in ("/etc/vllm-mock/nginx.conf", "/etc/nginx/nginx.conf"):
        c = engine.start(["m", "--port", "1"], mounts=[(path, target)], port=port, env={"SERVER_PORT": port})
        try:
            c.wait()
            check(target + " wins", '"id":"llama2-7b"' in c.ask("GET", "/v1/models")[1])
            check(target + ": healthcheck", engine.inside(c, "vllm", "healthcheck").returncode, 0)
        finally:
            status, _, err = c.end(signal.SIGQUIT)
            if isinstance(engine, Buildah):
                os.remove(engine.root + target)
                if os.path.exists(engine.root + "/etc/nginx"):
                    shutil.rmtree(engine.root + "/etc/nginx")
        check(target + ": exit status", status, 0)
        check(target + ": said", "it wins over the arguments" in err)
    shutil.rmtree(directory)


def stops(engine):
    port = free_port()
    c = engine.start(env={"SERVER_PORT": port}, port=port)
    c.wait()
    r = stream(c, 700)
    begin = time.monotonic()
    engine.signal(c, signal.SIGQUIT)
    text = r.read().decode()
    check("SIGQUIT: the stream ends well", text.endswith("data: [DONE]\n\n"))
    check("SIGQUIT: all of it", text.count('"content"') >= 699)
    check("SIGQUIT: it waited", time.monotonic() - begin > 0.5)
    check("SIGQUIT: exit status", c.end()[0], 0)
    c = engine.start(env={"SERVER_PORT": port}, port=port)
    c.wait()
    r = stream(c, 3000)
    begin = time.monotonic()
    engine.signal(c, signal.SIGTERM)
    try:
        text = r.read().decode()
    except (OSError, http.client.HTTPException):
        text = ""
    check("SIGTERM: exit status", c.end()[0], 0)
    check("SIGTERM: at once", time.monotonic() - begin < 2)
    check("SIGTERM: the stream is cut", "[DONE]" in text, False)


def over_tls(engine):
    directory = tempfile.mkdtemp(prefix="vllm-mock-tls-")
    os.chmod(directory, 0o755)
    key, certificate = directory + "/tls.key", directory + "/tls.crt"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate,
        "-subj", "/CN=localhost")
    os.chmod(key, 0o644)
    port = free_port()
    targets = [(key, "/etc/vllm-mock/tls.key"), (certificate, "/etc/vllm-mock/tls.crt")]
    c = engine.start(["m", "--port", str(port), "--ssl-keyfile", targets[0][1], "--ssl-certfile=" + targets[1][1]],
                     mounts=targets, port=port)
    try:
        c.wait(tls=True)
        check("TLS", '"id":"m"' in c.ask("GET", "/v1/models", tls=True)[1])
        check("TLS: healthcheck", engine.inside(c, "vllm", "healthcheck").returncode, 0)
    finally:
        check("TLS: exit status", c.end(signal.SIGQUIT)[0], 0)
    shutil.rmtree(directory)


def build_argument(engine):
    r = run(os.path.join(HERE, "build.sh"), WORK, "SIMULATION=a100", env={**os.environ, "TAG": TAG + "-a100"})
    check("simulator builds: " + r.stderr, r.returncode, 0)
    if isinstance(engine, Docker):
        config = json.loads(run("docker", "image", "inspect", TAG + "-a100").stdout)[0]["Config"]
    else:
        config = json.loads(run(*engine.command, "inspect", "--type", "image", TAG + "-a100").stdout)["Docker"]["config"]
    check("SIMULATION of the simulator", "SIMULATION=a100" in config["Env"])
    if isinstance(engine, Buildah):
        engine = Buildah()
        engine.image(TAG + "-a100")
    try:
        port = free_port()
        c = engine.start(env={"SERVER_PORT": port, "SIMULATION": "a100"}, port=port)
        try:
            c.wait()
            begin = time.monotonic()
            stream(c, 20).read()
            check("an A100 takes its time", time.monotonic() - begin > 0.15)
        finally:
            check("simulator: exit status", c.end(signal.SIGQUIT)[0], 0)
    finally:
        engine.close()


sys.exit(main())
