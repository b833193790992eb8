#!/usr/bin/env python3
"""Workers that die: with the lock, in a reload, after one, in the background; how many there may be."""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time

import load
from load import check, metrics, total

SERVER = "vllm_mock_model m; vllm_mock_latency constant ttft=5ms itl=%s;"
STORE = {"VLLM_ENABLE_RESPONSES_API_STORE": "1"}


def stream(server, tokens, **more):
    s = load.connect(server.port)
    load.ask(s, {"model": "m", "prompt": "a", "max_tokens": tokens, "stream": True, "ignore_eos": True, **more})
    assert s.recv(100).startswith(b"HTTP/1.1 200")
    return s


def state_of(pid):
    """As ps shows it; "" for one that is gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def nudge(server):
    """
    The kernel wakes one worker for a connection; if that one is killed, the others hear of it with the next one only.
    """
    def answered():
        try:
            return server.get("/health", timeout=0.2 * load.SLOW) == ""
        except OSError:
            return False
    load.until(10, "an answer", answered)


class Memory:
    """The shared zone, as the master has it."""

    def __init__(self, server, size):
        self.pid = server.process.pid
        with open("/proc/%d/maps" % self.pid) as f:
            areas = [[int(x, 16) for x in line.split()[0].split("-")] for line in f if " rw-s " in line]
        self.start, = [a for a, b in areas if b - a == size]
        self.size = size

    def read(self, at, n):
        with open("/proc/%d/mem" % self.pid, "rb", 0) as f:
            f.seek(at)
            return f.read(n)

    def write(self, at, data):
        with open("/proc/%d/mem" % self.pid, "r+b", 0) as f:
            f.seek(at)
            f.write(data)

    def lock(self, pid):
        """The word that nginx's slab begins with: who holds it."""
        self.write(self.start, struct.pack("=Q", pid))

    def dirty(self, created):
        """The flag of a replica that somebody is about to change: it stands two words before its birth."""
        whole = self.read(self.start, self.size)
        places = [m.start() for m in re.finditer(re.escape(struct.pack("=d", created)), whole)]
        places = [p for p in places if whole[p - 16:p - 8] == bytes(8)]
        assert places
        for p in places[-1:]:
            self.write(self.start + p - 16, struct.pack("=Q", 1))


def created(server):
    """When the zone was made, to the last bit."""
    return total(metrics(server.get()), "process_start_time_seconds")


# ---- in the background ----

@check
def a_background_response_outlives_its_connection():
    """Lengths that were drawn at runtime are its own; the connection and what it held is gone."""
    with load.mock.Mock(server=SERVER % "1ms", workers=2, env=STORE) as server:
        status, answer = load.request(server.port, {"output": "tokens=uniform:1:50"}, path="/admin/config")
        assert status == 200, answer
        before = set(server.children())
        for _ in range(600):
            s = load.connect(server.port)
            load.ask(s, {"model": "m", "input": "a", "background": True, "stream": True}, "/v1/responses")
            s.recv(10)
            s.close()
        load.until(20, "all are over", lambda: load.idle(server))
        assert set(server.children()) == before, server.errors()
        m = metrics(server.get())
        assert total(m, "vllm:request_success_total") == 600
        assert 1 <= total(m, "vllm:generation_tokens_total") / 600 <= 50
        listed = json.loads(server.get("/admin/requests?limit=5"))["requests"]
        assert [r["endpoint"] for r in listed] == ["/v1/responses"] * 5, listed


# ---- the lock ----

@check
def a_reload_takes_the_lock_of_a_dead_worker():
    """The master waits for it in the midst of a reload, in which it reaps nobody."""
    with load.mock.Mock(server=SERVER % "1ms", workers=2) as server:
        memory = Memory(server, 64 << 20)
        gate = os.path.join(server.dir, "gate")
        os.mkfifo(gate)
        server.write(server=SERVER % "1ms" + "include %s;" % gate)
        old = set(server.children())
        server.process.send_signal(signal.SIGHUP)
        with open(gate, "w"):               # opens when the master does: it is within the reload
            victim = min(old)
            os.kill(victim, signal.SIGKILL)
            load.until(5, "a zombie", lambda: state_of(victim) == "Z")
            memory.lock(victim)
        load.until(10, "new workers", lambda: len(set(server.children()) - old) == 2)
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 2})[0] == 200


@check
def reloads_and_deaths_at_once():
    with load.mock.Mock(server=SERVER % "1ms", workers=3) as server:
        stop = []

        def traffic():
            while not stop:
                try:
                    load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 5, "stream": True})
                    server.get("/admin/requests?limit=512")
                except (OSError, ValueError, IndexError, AssertionError):
                    pass                    # of a worker that died

        threads = [threading.Thread(target=traffic) for _ in range(8)]
        for t in threads:
            t.start()
        try:
            for i in range(25):
                children = server.children()
                server.process.send_signal(signal.SIGHUP)
                for pid in children[:2]:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                load.until(20, "workers", lambda: set(server.children()) - set(children))
                nudge(server)
        finally:
            stop.append(1)
            for t in threads:
                t.join()
        load.until(10, "all is free", lambda: load.idle(server))
        load.histograms(metrics(server.get()))


@check
def what_begins_after_a_recovery_is_whole():
    """One stream of before ends with an error, one of after with all its tokens; neither has anything behind its end."""
    with load.mock.Mock(server=SERVER % "20ms", workers=1) as server:
        memory = Memory(server, 64 << 20)
        first = stream(server, 500)
        load.until(5, "it runs", lambda: load.state(server)["engines"][0]["running"] == 1)
        memory.dirty(created(server))
        second = stream(server, 30)
        before, after = load.rest(first), load.rest(second)
        assert before.count(b"[DONE]") == after.count(b"[DONE]") == 1, (before[-300:], after[-300:])
        assert b'"error"' in before and b'"error"' not in after, after
        assert after.count(b'"text"') == 30, after.count(b'"text"')
        load.until(5, "all is free", lambda: load.idle(server))
        assert total(metrics(server.get()), "vllm:request_success_total") == 1


# ---- what they leave ----

@check
def a_draining_worker_that_dies_leaves_nothing():
    """It has no successor: those that are there already release what it had."""
    with load.mock.Mock(server=SERVER % "10ms" + "vllm_mock_rate_limit concurrency=100 by=all;", workers=2) as server:
        clients = [stream(server, 4000) for _ in range(100)]
        load.until(10, "all run", lambda: load.state(server)["engines"][0]["live"] == 100)
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 1})[0] == 429
        old = set(server.children())
        server.reload()
        load.until(10, "new workers", lambda: len(set(server.children()) - old) == 2)
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        nudge(server)
        load.until(5, "nothing runs", lambda: load.idle(server))
        m = metrics(server.get())
        assert total(m, "vllm:request_success_total") == 0
        assert total(m, "vllm_mock:streams") == 0
        listed = json.loads(server.get("/admin/requests?limit=512"))["requests"]
        assert {r["state"] for r in listed} == {"finished"}, listed[:3]
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 1})[0] == 200
        for s in clients:
            s.close()


# ---- what they tell ----

@check
def all_workers_tell_of_one_process():
    with load.mock.Mock(server=SERVER % "1ms", workers=4) as server:
        def look():
            m = metrics(server.get())
            return total(m, "process_start_time_seconds"), total(m, "process_cpu_seconds_total")

        starts, last = set(), 0
        for turn in range(60):
            if turn in (20, 40):
                load.request(server.port, {"model": "m", "prompt": "a" * 50000, "max_tokens": 50})
                victim = server.children()[0]
                os.kill(victim, signal.SIGKILL)
                load.until(5, "another", lambda: victim not in server.children() and len(server.children()) == 4)
                nudge(server)
            start, cpu = load.until(5, "a scrape", lambda: look())
            starts.add(start)
            assert cpu >= last, (turn, cpu, last)
            last = cpu
        assert len(starts) == 1 and abs(time.time() - starts.pop()) < 600
        assert last > 0


@check
def an_idle_server_measures_its_loop():
    with load.mock.Mock(server=SERVER % "1ms", workers=2) as server:
        def beats():
            return total(metrics(server.get()), "vllm_mock:event_loop_lag_seconds_count")
        first = beats()
        load.until(10, "ten more", lambda: beats() >= first + 10)


# ---- how many, how much ----

@check
def many_workers_old_and_new():
    """Three times as many as there were once places for."""
    with load.mock.Mock(server=SERVER % "20ms", workers=70, main="worker_rlimit_nofile 4096;") as server:
        clients = [stream(server, 200) for _ in range(30)]
        for _ in range(4):
            old = set(server.children())
            server.reload()
            load.until(30, "new workers", lambda: len(set(server.children()) - old) == 70)
            clients += [stream(server, 200) for _ in range(30)]
        for s in clients:
            body = load.rest(s)
            assert body.count(b"[DONE]") == 1 and b'"error"' not in body
        load.until(10, "the old ones go", lambda: len(server.children()) == 70)
        assert "exited with" not in "".join(re.findall(r".*fatal code.*", server.errors()))
        assert total(metrics(server.get()), "vllm:request_success_total") == len(clients)


@check
def a_zone_keeps_its_size():
    """Another size would be another zone, without its counters: the reload is refused, and says why."""
    with load.mock.Mock(server=SERVER % "1ms", workers=2) as server:
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 3})[0] == 200
        assert load.request(server.port, {"running": 7}, path="/set_metrics")[0] == 200
        old = set(server.children())
        server.zone = "96m"
        server.write(server=SERVER % "1ms")
        server.process.send_signal(signal.SIGHUP)
        load.until(5, "a word about it", lambda: 'the size of zone "m" cannot change from 67108864 to 100663296'
                   in server.errors())
        assert set(server.children()) == old
        m = metrics(server.get())
        assert total(m, "vllm:request_success_total") == 1 and total(m, "vllm:num_requests_running") == 7
        server.zone = "64m"
        server.write(server=SERVER % "2ms")
        server.reload()
        assert total(metrics(server.get()), "vllm:request_success_total") == 1


@check
def a_full_zone_says_so():
    zone = 8 << 20
    small = "vllm_mock_engine num_gpu_blocks=64 max_num_seqs=4 max_model_len=512; vllm_mock_endpoints all;"
    with load.mock.Mock(server=SERVER % "1ms" + small, workers=1, zone=str(zone), env=STORE) as server:
        status, body = load.request(server.port, {"model": "m", "input": "a", "background": True},
                                    path="/v1/responses")
        assert status == 500, (status, body)
        assert b'zone \\"m\\" has no room' in body and b"vllm_mock_zone" in body, body
        assert re.search(r'\[crit\].*zone "m" is full: \d+ bytes are needed for kept answers', server.errors())
        assert load.idle(server)
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 3})[0] == 200


def session(leader):
    """Processes that a shell of its own has started, itself included."""
    out = []
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name) as f:
                fields = f.read().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                out.append(int(name))
        except (OSError, IndexError, ValueError):
            pass                            # no process, or gone
    return out


@check
def a_closed_terminal_leaves_nothing():
    """make run, as a shell starts it, and SIGHUP to all of its group."""
    for _ in range(5):                      # another may take the port before nginx does
        port = load.mock.free_port()
        env = {**os.environ, "SERVER_PORT": str(port), "NGINX": load.mock.NGINX}
        run = subprocess.Popen([os.path.join(load.mock.ROOT, "tools", "run.sh")], env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, start_new_session=True)
        if b"vllm-mock serves" in run.stdout.readline():
            break
        run.wait()
        run.stdout.close()
    assert len(session(run.pid)) > 2
    s = load.connect(port)
    load.ask(s, {"model": "m", "prompt": "a", "max_tokens": 5000, "stream": True, "ignore_eos": True})
    assert s.recv(10)
    os.killpg(run.pid, signal.SIGHUP)
    load.until(20, "all of them are gone", lambda: run.poll() is not None and not session(run.pid))
    run.stdout.close()


if __name__ == "__main__":
    sys.exit(load.main())
