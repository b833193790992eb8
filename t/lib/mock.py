"""Runs nginx with the module for tests: a free loopback port, a directory of its own, gone with the test."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODULE = os.environ.get("VM_MODULE", os.path.join(ROOT, "build", "ngx_http_vllm_mock_module.so"))
NGINX = os.environ.get("VM_NGINX") or shutil.which("nginx") or "/usr/sbin/nginx"
SLOW = float(os.environ.get("VM_SLOW", 1))      # times allow for a slow machine


def until(seconds, what, f):
    """The first true answer of f; it is asked again and again, up to a deadline."""
    end = time.monotonic() + seconds * SLOW
    while True:
        got = f()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (seconds, what))
        time.sleep(0.005)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def quote(argument):
    """An argument as nginx's configuration takes it."""
    return "'" + argument.replace("\\", "\\\\").replace("'", "\\'").replace("$", "$") + "'"


class Mock:
    """`server` and `location`: directives; `http` stands before the server; the port is in .port, the URL in .url."""

    def __init__(self, server="", location="vllm_mock m;", http="", env=None, workers=2, zone="64m", main="",
                 listen=None, more_servers=""):
        self.port = listen or free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.dir = tempfile.mkdtemp(prefix="vllm-mock-")
        self.conf = os.path.join(self.dir, "nginx.conf")
        self.log = os.path.join(self.dir, "error.log")
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("VLLM_", "MOCK_")) and k not in ("MODEL_NAME", "API_KEY", "SIMULATION",
                                                                         "DEFAULT_REPLICAS", "METRICS_OVERRIDES")}
        self.env.update(env or {})
        self.workers, self.main, self.zone = workers, main, zone
        self.more_servers = more_servers
        self.write(server, location, http)
        self.process = subprocess.Popen(self.command(), env=self.env, stderr=subprocess.PIPE)
        self.wait()

    def command(self):
        return [NGINX, "-p", self.dir, "-e", self.log, "-c", self.conf]

    def write(self, server="", location="vllm_mock m;", http=""):
        temp = "".join("%s_temp_path %s/%s;\n" % (k, self.dir, k)
                       for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(self.conf, "w") as f:
            f.write("""load_module %s;
daemon off; worker_processes %d; pid %s/nginx.pid; error_log %s notice;
%s
%s
events { worker_connections 8192; }
http {
%s
access_log off; client_max_body_size 0; large_client_header_buffers 8 64k; keepalive_requests 1000000;
vllm_mock_zone m %s;
%s
server {
listen 127.0.0.1:%d backlog=4096;
%s
location / { %s }
}
%s
}
""" % (MODULE, self.workers, self.dir, self.log, "user root;" if os.getuid() == 0 else "", self.main, temp, self.zone,
                http, self.port, server, location, self.more_servers))

    def wait(self):
        def listens():
            if self.process.poll() is not None:
                raise RuntimeError("nginx did not start: " + self.process.stderr.read().decode() + self.errors())
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
        until(12, "nginx listens", listens)

    def errors(self):
        with contextlib.suppress(OSError), open(self.log) as f:
            return f.read()
        return ""

    def children(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
            return [int(p) for p in f.read().split()]

    def reload(self):
        """Answers when the new workers are there and the old ones no longer listen."""
        old = set(self.children())
        self.process.send_signal(signal.SIGHUP)
        until(12, "a new worker", lambda: set(self.children()) - old)

    def get(self, path="/metrics", timeout=30):
        with urllib.request.urlopen(self.url + path, timeout=timeout) as r:
            return r.read().decode()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
