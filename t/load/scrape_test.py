#!/usr/bin/env python3
"""Many requests, many workers, scrapes in between: every scrape agrees with itself, and the sums are right."""
import concurrent.futures
import random
import signal
import sys
import threading
import time

import load
from load import check, consistent, grown, metrics, total

REQUESTS = 1000
SCRAPES = 40
SERVER = "vllm_mock_model m; vllm_mock_engine max_num_seqs=16; vllm_mock_latency constant ttft=5ms itl=%s;"


def plan():
    r = random.Random(4)
    return [{"model": "m", "prompt": [5 + r.randrange(1000) for _ in range(r.randrange(1, 60))],
             "max_tokens": r.randrange(1, 40), "stream": r.random() < 0.5} for _ in range(REQUESTS)]


def run(server, bodies, between):
    """All bodies, each on its own connection, `between(i)` beside them, SCRAPES times: every scrape is looked at."""
    problems, scrapes = [], []
    done = threading.Event()

    def scrape():
        try:
            last = {}
            for i in range(SCRAPES):
                between(i)
                now = metrics(server.get())
                consistent(now)
                grown(last, now)
                last = now
                scrapes.append(total(now, "vllm:request_success_total"))
                if not done.is_set():
                    time.sleep(0.03)        # spreads them over the run
        except Exception as e:
            problems.append(e)
            raise

    def one(body):
        status, answer = load.request(server.port, body)
        assert status == 200, (status, answer)
        if body["stream"]:
            got = [e for e in load.events(answer) if e["choices"] and e["choices"][0]["text"] != ""]
            assert len(got) == body["max_tokens"], (len(got), body["max_tokens"])
        else:
            assert b'"completion_tokens":%d,' % body["max_tokens"] in answer, answer
        return True

    scraper = threading.Thread(target=scrape)
    scraper.start()
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        assert all(pool.map(one, bodies))
    done.set()
    scraper.join()
    assert not problems, problems
    assert len(scrapes) == SCRAPES
    assert len(set(scrapes)) > 5, "the scrapes did not see the traffic: %s" % scrapes


def sums(server, bodies):
    m = metrics(server.get())
    assert consistent(m) == len(bodies)
    assert total(m, "vllm:generation_tokens_total") == sum(b["max_tokens"] for b in bodies)
    assert total(m, "vllm:request_generation_tokens_sum") == sum(b["max_tokens"] for b in bodies)
    assert total(m, "vllm:prompt_tokens_total") == sum(len(b["prompt"]) for b in bodies)
    assert total(m, "vllm:num_requests_running") == total(m, "vllm:num_requests_waiting") == 0
    assert total(m, "vllm:kv_cache_usage_perc") == 0
    posted = sum(v for (n, l), v in m.items() if n == "http_requests_total" and 'handler="/v1/completions"' in l)
    assert posted == len(bodies), posted


@check
def four_workers():
    bodies = plan()
    with load.mock.Mock(server=SERVER % "1ms", workers=4) as server:
        run(server, bodies, lambda i: None)
        sums(server, bodies)
        assert len(server.children()) == 4
        assert load.idle(server), load.state(server)


@check
def across_reloads():
    """Also one that changes the engine: the old one goes on until its last request is done."""
    bodies = plan()
    with load.mock.Mock(server=SERVER % "1ms", workers=4, zone="160m") as server:
        first = set(server.children())

        def between(i):
            if i in (8, 20):
                server.reload()
            if i == 14:
                server.write(server=SERVER % "2ms")
                server.reload()

        run(server, bodies, between)
        sums(server, bodies)
        load.until(10, "the old workers go", lambda: len(server.children()) == 4)
        assert not first & set(server.children())
        load.until(5, "the old engines go", lambda: len(load.state(server)["engines"]) == 1)
        assert load.idle(server)


@check
def a_stream_outlives_a_reload():
    with load.mock.Mock(server=SERVER % "20ms", workers=2) as server:
        with load.connect(server.port) as s:
            load.ask(s, {"model": "m", "prompt": "a", "max_tokens": 60, "stream": True})
            first = s.recv(1)
            old = set(server.children())
            server.reload()
            status, body = load.split(first + load.rest(s))
        assert status == 200
        assert len(load.events(body)) == 60
        load.until(5, "the old workers go", lambda: not old & set(server.children()))


@check
def overrides_and_adapters_outlive_a_reload():
    with load.mock.Mock(server="vllm_mock_model m; vllm_mock_endpoints all; vllm_mock_lora_paths any;"
                               "vllm_mock_engine max_loras=2;", workers=2) as server:
        assert load.request(server.port, {"running": 7}, path="/set_metrics")[0] == 200
        assert load.request(server.port, {"lora_name": "l", "lora_path": "/x"}, path="/v1/load_lora_adapter")[0] == 200
        old = set(server.children())
        server.reload()
        load.until(5, "the old workers go", lambda: not old & set(server.children()))
        for _ in range(8):
            assert total(metrics(server.get()), "vllm:num_requests_running") == 7
            assert '"id":"l"' in server.get("/v1/models")


@check
def a_reload_that_fails_changes_nothing():
    with load.mock.Mock(server=SERVER % "1ms", workers=2) as server:
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 3})[0] == 200
        before = set(server.children())
        server.write(server="vllm_mock_engine max_num_seqs=none;")
        server.process.send_signal(signal.SIGHUP)
        load.until(5, "it is said", lambda: 'invalid value "none" of max_num_seqs' in server.errors())
        assert set(server.children()) == before
        assert load.request(server.port, {"model": "m", "prompt": "a", "max_tokens": 3})[0] == 200
        assert total(metrics(server.get()), "vllm:generation_tokens_total") == 6


if __name__ == "__main__":
    sys.exit(load.main())
