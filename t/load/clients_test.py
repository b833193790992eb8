#!/usr/bin/env python3
"""Clients that go away, clients that read slowly, workers that die."""
import concurrent.futures
import os
import random
import re
import signal
import socket
import struct
import sys
import time

import load
from load import check, metrics, total

SERVER = "vllm_mock_model m; vllm_mock_engine max_num_seqs=32; vllm_mock_latency constant ttft=5ms itl=%s;"


def leave(s):
    """Gone at once, with a reset."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


@check
def who_goes_away_frees_its_slot():
    with load.mock.Mock(server=SERVER % "20ms", workers=2) as server:
        clients = []
        for i in range(100):                # 32 run, the others wait
            s = load.connect(server.port)
            load.ask(s, {"model": "m", "prompt": "a", "max_tokens": 2000, "stream": i % 3 > 0, "ignore_eos": True})
            clients.append(s)
        load.until(10, "all are there", lambda: load.state(server)["engines"][0]["live"] == 100)
        engine = load.state(server)["engines"][0]
        assert (engine["running"], engine["waiting"]) == (32, 68), engine
        for i, s in enumerate(clients):
            if i % 2:
                leave(s)
            else:
                s.close()
        load.until(5, "all slots are free", lambda: load.idle(server))
        m = metrics(server.get())
        assert total(m, "vllm:request_success_total") == 0
        assert total(m, "vllm_mock:streams") == 0, total(m, "vllm_mock:streams")
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 2})[0] == 200


@check
def some_of_many_go_away():
    """The others get every token, exactly."""
    with load.mock.Mock(server=SERVER % "2ms", workers=4) as server:
        r = random.Random(7)
        lengths = [r.randrange(20, 60) for _ in range(600)]

        def one(i):
            with load.connect(server.port) as s:
                load.ask(s, {"model": "m", "prompt": "a", "max_tokens": lengths[i], "stream": True, "ignore_eos": True})
                if i % 3 == 0:
                    s.recv(1 + i)
                    leave(s)
                    return True
                status, body = load.split(load.rest(s))
                return status == 200 and len(load.events(body)) == lengths[i]

        with concurrent.futures.ThreadPoolExecutor(60) as pool:
            assert all(pool.map(one, range(600)))
        load.until(5, "all slots are free", lambda: load.idle(server))
        load.consistent(metrics(server.get()))


@check
def who_reads_slowly_gets_everything_once():
    """A megabyte and more through a small window; others are not held up by it."""
    n = 3000
    with load.mock.Mock(server="vllm_mock_model m; vllm_mock_latency none;", workers=1) as server:
        with load.connect(server.port, receive_buffer=4096) as s:
            load.ask(s, {"model": "m", "prompt": "a", "max_tokens": n, "stream": True, "logprobs": 5,
                         "ignore_eos": True})
            first = s.recv(100)
            for _ in range(50):             # nobody reads: the worker is there for others
                assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 3})[0] == 200
            status, body = load.split(first + load.rest(s))
        assert status == 200 and len(body) > 1000000, (status, len(body))
        got = [e["choices"][0] for e in load.events(body)]
        assert len(got) == n, len(got)
        at = 0
        for choice in got:
            assert choice["logprobs"]["text_offset"] == [at], (choice, at)
            at += len(choice["logprobs"]["tokens"][0])
        load.until(5, "its slot is free", lambda: load.idle(server))


@check
def who_reads_nothing_is_timed_out():
    """nginx's send_timeout ends a stream whose client does not read, and frees its slot."""
    with load.mock.Mock(server="vllm_mock_model m; vllm_mock_engine max_model_len=32k; send_timeout 300ms;"
                               "vllm_mock_latency constant ttft=0 itl=300us;", workers=1) as server:
        with load.connect(server.port, receive_buffer=4096) as s:
            load.ask(s, {"model": "m", "prompt": "a", "max_tokens": 30000, "stream": True, "logprobs": 20,
                         "ignore_eos": True})
            load.until(5, "it runs", lambda: load.state(server)["engines"][0]["running"])
            load.until(20, "its slot is free", lambda: load.idle(server))
            assert total(metrics(server.get()), "vllm:request_success_total") == 0


def ended(clients):
    """Those whose connection is over."""
    out = set()
    for s in clients:
        try:
            while s.recv(65536):
                pass
            out.add(s)
        except BlockingIOError:
            pass
        except ConnectionResetError:
            out.add(s)
    return out


@check
def a_worker_that_is_killed_leaves_nothing():
    """Its streams end, those of the others go on, all its places are free."""
    with load.mock.Mock(server=SERVER % "10ms", workers=2) as server:
        for turn in range(5):
            clients = []
            for _ in range(40):
                s = load.connect(server.port)
                load.ask(s, {"model": "m", "prompt": "a", "max_tokens": 4000, "stream": True, "ignore_eos": True})
                clients.append(s)
            load.until(10, "all are there", lambda: load.state(server)["engines"][0]["live"] == 40)
            for s in clients:
                s.setblocking(False)
            victim = server.children()[turn % 2]
            os.kill(victim, signal.SIGKILL)
            # a worker may have had no stream at all: then the master's word is what to wait for
            load.until(10, "it is dead", lambda: victim not in server.children())
            over = ended(clients)
            load.until(10, "its places are free", lambda: load.state(server)["engines"][0]["live"] == 40 - len(over))
            assert total(metrics(server.get()), "vllm_mock:streams") == 40 - len(over)
            for s in clients:
                s.close()
            load.until(5, "all places are free", lambda: load.idle(server))
            load.until(5, "a new worker", lambda: len(server.children()) == 2)


@check
def workers_die_under_load():
    """At any moment, also with the lock in their hands: the zone stays whole and no counter goes down."""
    with load.mock.Mock(server=SERVER % "1ms", workers=4) as server:
        r = random.Random(3)
        stop = []

        def traffic(i):
            n = 0
            while not stop:
                try:
                    status, _ = load.request(server.port, {"model": "m", "prompt": "a" * (i + 1), "max_tokens": 20,
                                                           "stream": i % 2 == 0})
                    n += status == 200
                except (OSError, ValueError, IndexError, AssertionError):
                    pass                    # of a worker that died
            return n

        def scrape():
            try:
                return metrics(server.get())
            except OSError:
                return None

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            threads = [pool.submit(traffic, i) for i in range(24)]
            try:
                last = {}
                for _ in range(25):
                    children = server.children()
                    if children:
                        os.kill(r.choice(children), signal.SIGKILL)
                    now = load.until(5, "a scrape", scrape)
                    load.grown({k: v for k, v in last.items() if k[0].startswith("vllm:")}, now)
                    last = now
                    time.sleep(0.05)        # some traffic between the deaths
            finally:
                stop.append(1)
            assert sum(t.result() for t in threads) > 100
        load.until(10, "all slots are free", lambda: load.idle(server))
        load.histograms(metrics(server.get()))
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 2})[0] == 200
        alerts = [line for line in server.errors().splitlines() if "[alert]" in line]
        # a worker that died with the lock: nginx's master says so and frees it
        assert all(re.search(r"exited on signal 9|shared memory zone \"\w+\" was locked by \d+", line)
                   for line in alerts), alerts


if __name__ == "__main__":
    sys.exit(load.main())
