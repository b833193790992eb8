"""docs/recipes.md: the files of it, as they stand but for ports, paths and some times, do what the page says."""
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from checks import check, mock

PAGE = os.path.join(mock.ROOT, "docs", "recipes.md")
CHAT = {"model": "llama2-7b", "messages": [{"role": "user", "content": "Say this is a test!"}]}
TEMP = "".join(" %s_temp_path %%(dir)s/%s;" % (k, k) for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


def recipe(name):
    """The text of a file of the page."""
    with open(PAGE, encoding="utf8") as f:
        text = f.read()
    block = re.search(r"^<!-- file: %s -->\n\n((?:    .*\n|\n)+)" % re.escape(name), text, re.M).group(1)
    return re.sub(r"^    ", "", block, flags=re.M).strip() + "\n"


def ports(text, moved):
    """With free ports, in the same order, instead of those of the page; `moved` remembers which."""
    there = sorted(int(p) for p in set(re.findall(r"\b80[0-9]{2}\b", text)) if int(p) not in moved)
    free = set()
    while len(free) < len(there):
        free |= {mock.free_port()} - set(moved.values())
    moved.update(zip(there, sorted(free)))
    return re.sub(r"\b80[0-9]{2}\b", lambda m: str(moved[int(m.group(0))]), text)


@contextlib.contextmanager
def program(command, port, home, path="/health", **env):
    """A program that answers on the port."""
    log = os.path.join(home, "log")
    with open(log, "a") as out:
        process = subprocess.Popen(command, cwd=home, stdout=out, stderr=out, env=dict(os.environ, **env))
    try:
        def answers():
            try:
                urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=5).close()
                return True
            except urllib.error.HTTPError as e:
                if e.code < 500:
                    return True
            except OSError:
                pass
            if process.poll() is not None:
                raise RuntimeError("%s ended: %s" % (command[0], open(log).read()[-2000:]))
        mock.until(60, "%s answers" % command[0], answers)
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()


@contextlib.contextmanager
def nginx(text, moved, more=""):
    """nginx with a configuration of the page; the log of its stdout in the yielded directory."""
    text = re.sub(r"listen 8001-8008;", "\n".join("listen %d;" % p for p in range(8001, 8009)), text)
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(os.path.join(home, "modules"))
        os.symlink(mock.MODULE, os.path.join(home, "modules", "ngx_http_vllm_mock_module.so"))
        os.symlink(os.path.join(mock.ROOT, "profiles"), os.path.join(home, "profiles"))
        user = "user root;" if os.getuid() == 0 else ""
        head = "daemon off; pid %s/pid; error_log %s/error.log notice; %s\n" % (home, home, user)
        text = head + ports(text, moved).replace("http {", "http {" + TEMP % {"dir": home} + more, 1)
        conf = os.path.join(home, "nginx.conf")
        with open(conf, "w") as f:
            f.write(text)
        command = [mock.NGINX, "-p", home, "-e", os.path.join(home, "error.log"), "-c", conf]
        front = moved[8000] if 8000 in moved and "listen %d" % moved[8000] in text else moved.get(8080)
        with program(command, front, home):
            yield home


def ask(port, path="/v1/chat/completions", body=None, **headers):
    """Status and body."""
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), None if body is None else json.dumps(body).encode(),
                                     {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=120) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def gauge(port, name):
    return sum(float(line.split()[-1]) for line in ask(port, "/metrics")[1].splitlines() if line.startswith(name + "{"))


@check
def faults():
    moved = {}
    with nginx(recipe("faults.conf").replace("ttft=2s itl=15ms", "ttft=20ms itl=1ms"), moved):
        port = moved[8000]
        body = {**CHAT, "model": "meta-llama/Llama-3.1-8B-Instruct", "max_tokens": 2}
        got = [ask(port, body=body)[0] for _ in range(200)]
        assert set(got) == {200, 503} and 30 <= got.count(503) <= 90, got.count(503)
        assert ask(port, body=body, **{"X-Limit-Me": "1"})[0] in (429, 503)
        assert {ask(port, p)[0] for p in ["/health", "/metrics"] * 20} == {200}


@check
def a_slow_first_token():
    moved = {}
    with nginx(recipe("faults.conf").replace("rate=30%", "rate=0%"), moved):
        begin = time.monotonic()
        body = {**CHAT, "model": "meta-llama/Llama-3.1-8B-Instruct", "max_tokens": 1}
        assert ask(moved[8000], body=body)[0] == 200
        assert time.monotonic() - begin >= 1            # 2 s, half of it jitter


@check
def eight_replicas():
    moved = {}
    with nginx(recipe("fleet.conf"), moved) as home:
        body = {**CHAT, "model": "meta-llama/Llama-3.1-70B-Instruct", "max_tokens": 2}
        got = [ask(moved[8000], body=body) for _ in range(24)]
        assert {s for s, _ in got} == {200}, got
        done = [gauge(moved[p], "vllm:request_success_total") for p in range(8001, 8009)]
        assert sum(done) == 24 and min(done) >= 1, done
        with open(os.path.join(home, "log")) as f:
            assert {int(n) for n in re.findall(r"^200 replica=(\d) ttft=\d", f.read(), re.M)} == set(range(8))
        assert '"max_model_len":32768' in ask(moved[8001], "/v1/models")[1]


@check
def a_queue_of_fifty():
    moved = {}
    with nginx(recipe("queue.conf").replace("itl=100ms", "itl=10s"), moved):
        clients = []
        data = json.dumps({**CHAT, "stream": True}).encode()
        for _ in range(54):
            s = socket.create_connection(("127.0.0.1", moved[8000]))
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                      % len(data) + data)
            clients.append(s)
        mock.until(10, "50 wait", lambda: gauge(moved[8000], "vllm:num_requests_waiting") == 50)
        assert gauge(moved[8000], "vllm:num_requests_running") == 4
        for s in clients:
            s.close()


@check
def a_ramp():
    with run() as port:
        name = "vllm:num_requests_waiting"
        assert ask(port, "/set_metrics", {"waiting": "ramp:0:50:3600"})[0] == 200
        first = gauge(port, name)
        assert 0 <= first < 50
        mock.until(10, "it grows", lambda: gauge(port, name) > first)
        ask(port, "/set_metrics", {"waiting": "ramp:0:50:0.1"})
        mock.until(10, "it is at its end", lambda: gauge(port, name) == 50)
        ask(port, "/set_metrics", {"waiting": None})
        assert gauge(port, name) == 0


@contextlib.contextmanager
def run(**env):
    """make run."""
    port = mock.free_port()
    with tempfile.TemporaryDirectory() as home:
        with program([os.path.join(mock.ROOT, "tools", "run.sh")], port, home, SERVER_PORT=str(port), NGINX=mock.NGINX, **env):
            yield port


@check
def tools_with_the_sdk():
    with run(VLLM_MOCK_OUTPUT="calls=100%") as port, tempfile.TemporaryDirectory() as home:
        path = os.path.join(home, "tools.py")
        with open(path, "w") as f:
            f.write(recipe("tools.py"))
        said = subprocess.check_output([sys.executable, path], text=True, timeout=120,
                                       env=dict(os.environ, BASE_URL="http://127.0.0.1:%d/v1" % port)).splitlines()
        assert re.fullmatch(r"weather (Oslo|Bergen)", said[0]), said
        assert any(line.startswith("stop ") for line in said), said
        thought = [line for line in said if line.startswith("thought: ")]
        assert thought and thought[0] != "thought: None", said


@check
def a_suite_of_ones_own():
    with tempfile.TemporaryDirectory() as home:
        path = os.path.join(home, "gateway.t")
        with open(path, "w") as f:
            f.write(recipe("gateway.t"))
        said = subprocess.check_output([os.path.join(mock.ROOT, "t", "prove.sh"), path], text=True, cwd=mock.ROOT, timeout=120)
        count = re.search(r"^(\d+) passed, 0 failed$", said, re.M)
        assert count and int(count.group(1)) >= 4, said


def comes_through(port):
    """A stream arrives while it is made: its first token is there before the last one is due."""
    body = json.dumps({**CHAT, "stream": True, "max_tokens": 30, "min_tokens": 30}).encode()
    request = urllib.request.Request("http://127.0.0.1:%d/v1/chat/completions" % port, body,
                                     {"Content-Type": "application/json", "Authorization": "Bearer none"})
    times = []
    with urllib.request.urlopen(request, timeout=120) as r:
        for line in r:
            if b'"content":"' in line and b'"content":""' not in line:
                times.append(time.monotonic())
    assert len(times) >= 29, len(times)
    assert times[-1] - times[0] >= 0.5, times[-1] - times[0]     # of 29 gaps of 40 ms


def gateway(command, name):
    """A gateway of the page before `make run`."""
    with run(VLLM_MOCK_LATENCY="constant ttft=40ms itl=40ms") as port:
        moved = {8000: port}
        with tempfile.TemporaryDirectory() as home:
            with open(os.path.join(home, name), "w") as f:
                f.write(ports(recipe(name), moved))
            with program(command(home, moved), moved.setdefault(8080, mock.free_port()), home):
                comes_through(moved[8080])
                assert ask(moved[8080], body={**CHAT, "max_tokens": 3})[0] == 200


@check
def nginx_in_front():
    with run(VLLM_MOCK_LATENCY="constant ttft=40ms itl=40ms") as port:
        moved = {8000: port}
        with nginx(recipe("gateway-nginx.conf"), moved):
            comes_through(moved[8080])


@check
def haproxy_in_front():
    gateway(lambda home, moved: [shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"), "-f", "haproxy.cfg"], "haproxy.cfg")


@check
def envoy_in_front():
    binary = os.path.join(os.path.dirname(sys.executable), "envoy")
    gateway(lambda home, moved: [binary, "-c", "envoy.yaml", "--use-dynamic-base-id", "--concurrency", "1", "-l", "warning"],
            "envoy.yaml")


@check
def azures_trace():
    replay = os.path.join(mock.ROOT, "build", "vllm-mock-replay")
    head = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    rows = "2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n"
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
        f.write(head + rows)
        f.flush()
        command = [replay, f.name, "--device", "h100", "--model", "meta-llama/Llama-3.1-8B-Instruct"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        arrivals = [float(line.split(",")[0]) for line in done.stdout.splitlines()[1:]]
        assert arrivals == [0.68059, 4.995169], arrivals
        assert "h100/llama-3.1-8b-tp1.json" in done.stderr
        longer = subprocess.run(command + ["--tensor-parallel-size", "2"], capture_output=True, text=True, check=True)
        assert "h100/llama-3.1-8b-tp2.json" in longer.stderr
        trace = f.name + ".json"
        subprocess.run(command + ["--perfetto", trace], capture_output=True, check=True)
        with open(trace) as t:
            spans = [e for e in json.load(t)["traceEvents"] if e["ph"] == "X"]
        os.unlink(trace)
        # steps are told apart by a number, not by their names
        assert {e["name"] for e in spans if e["pid"] == 0} == {"step"}
        numbers = [e["args"]["number"] for e in spans if e["pid"] == 0]
        assert numbers == sorted(set(numbers)) and len(numbers) > 100, numbers
        assert {e["cat"] for e in spans} == {"engine", "request"}
        for bad in (["--device", "h1000"], ["--max-model-len", "10000000"], ["--tensor-parallel-size", "0"]):
            done = subprocess.run(command + bad, capture_output=True, text=True)
            assert done.returncode == 1 and done.stdout == "", bad
        for row in "yesterday,1,1", "2023-11-16 18:15:46.5+02:00,1,1", "2023-11-15 18:15:46,1,1":
            f.seek(0)
            f.truncate()
            f.write(head + rows + row + "\n")
            f.flush()
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 1 and ":4: " in done.stderr and "TIMESTAMP" in done.stderr, (row, done.stderr)
