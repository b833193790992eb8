#!/usr/bin/env python3
"""Answers that are kept: by whatever worker, within bounds, whoever goes away."""
import concurrent.futures
import json
import os
import signal
import sys
import urllib.error
import urllib.request

import load
from load import check, metrics, total

SERVER = "vllm_mock_model m; vllm_mock_latency constant ttft=5ms itl=%s;"
STORE = {"VLLM_ENABLE_RESPONSES_API_STORE": "1"}


def call(server, path="", body=None):
    data = json.dumps(body).encode() if body is not None else None
    q = urllib.request.Request(server.url + "/v1/responses" + path, data=data, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(q, timeout=60) as r:
            return r.status, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def create(server, **more):
    status, text = call(server, body={"model": "m", "input": "hello", **more})
    assert status == 200, text
    return text


def status(server, name):
    code, text = call(server, "/" + name)
    return json.loads(text)["status"] if code == 200 else code


@check
def many_in_the_background():
    with load.mock.Mock(server=SERVER % "2ms", workers=4, env=STORE) as server:
        names = ["resp_%d" % i for i in range(200)]
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            first = list(pool.map(lambda n: create(server, background=True, request_id=n, max_output_tokens=20,
                                                   stream=n.endswith("7")), names))
        for name, text in zip(names, first):
            if name.endswith("7"):
                assert text.count(b"event: response.output_text.delta") == 20, text
                assert call(server, "/%s?stream=true" % name)[1] == text
                later = call(server, "/%s?stream=true&starting_after=5" % name)[1]
                assert text.endswith(later) and text.count(b"event:") == later.count(b"event:") + 6
            else:
                assert json.loads(text)["status"] == "queued"
        load.until(10, "all are over", lambda: all(status(server, n) == "incomplete" for n in names))
        load.until(5, "nothing is left", lambda: load.idle(server))
        m = metrics(server.get())
        assert total(m, "vllm:request_success_total") == 200
        assert total(m, "vllm_mock:streams") == 0


@check
def who_is_cancelled_stays_so():
    with load.mock.Mock(server=SERVER % "20ms", workers=4, env=STORE) as server:
        names = ["resp_%d" % i for i in range(40)]
        for n in names:
            create(server, background=True, request_id=n, max_output_tokens=2000)
        load.until(5, "all run", lambda: load.state(server)["engines"][0]["live"] == 40)
        for n in names[::2]:
            code, text = call(server, "/%s/cancel" % n, {})
            assert code == 200 and json.loads(text)["status"] == "cancelled", text
            assert call(server, "/%s/cancel" % n, {})[0] == 400
        load.until(5, "half of them run", lambda: load.state(server)["engines"][0]["live"] == 20)
        for n in names[1::2]:
            assert call(server, "/%s/cancel" % n, {})[0] == 200
        load.until(5, "nothing is left", lambda: load.idle(server))
        assert all(status(server, n) == "cancelled" for n in names)
        assert total(metrics(server.get()), "vllm:request_success_total") == 0


@check
def one_whose_client_left_goes_on():
    with load.mock.Mock(server=SERVER % "5ms", workers=2, env=STORE) as server:
        with load.connect(server.port) as s:
            load.ask(s, {"model": "m", "input": "a", "background": True, "stream": True, "request_id": "resp_a",
                         "max_output_tokens": 100}, "/v1/responses")
            assert s.recv(100)
        load.until(10, "it is over", lambda: status(server, "resp_a") == "incomplete")
        assert call(server, "/resp_a?stream=true")[1].count(b"event: response.output_text.delta") == 100


@check
def a_worker_that_dies_fails_its_own():
    with load.mock.Mock(server=SERVER % "20ms", workers=2, env=STORE) as server:
        names = ["resp_%d" % i for i in range(20)]
        for n in names:
            create(server, background=True, request_id=n, max_output_tokens=2000)
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        load.until(10, "they failed", lambda: all(status(server, n) == "failed" for n in names))
        load.until(5, "nothing is left", lambda: load.idle(server))
        create(server, max_output_tokens=3)


@check
def what_is_old_makes_room():
    with load.mock.Mock(server="vllm_mock_model m; vllm_mock_latency none;", workers=2, env=STORE) as server:
        create(server, request_id="resp_first", max_output_tokens=1)
        assert status(server, "resp_first") == "incomplete"
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: create(server, request_id="resp_%d" % i, max_output_tokens=1), range(1100)))
        assert status(server, "resp_first") == 404
        assert status(server, "resp_1099") == "incomplete"

        # texts count too: 4 MB of them

        create(server, request_id="resp_first", max_output_tokens=1)
        long = "word " * 20000
        for i in range(45):
            create(server, request_id="resp_long%d" % i, input=long, max_output_tokens=1, truncation="auto")
        assert status(server, "resp_first") == 404
        assert status(server, "resp_long44") == "incomplete"
        create(server, request_id="resp_huge", input="word " * 900000, max_output_tokens=1, truncation="auto")
        assert status(server, "resp_huge") == 404
        create(server, request_id="resp_next", max_output_tokens=1)
        assert status(server, "resp_next") == "incomplete"


@check
def a_conversation_goes_on():
    with load.mock.Mock(server="vllm_mock_model m; vllm_mock_latency none;", workers=4, env=STORE) as server:
        last, tokens = None, 0
        for i in range(5):
            more = {"previous_response_id": last} if last else {}
            answer = json.loads(create(server, instructions="be brief", max_output_tokens=5, **more))
            assert answer["previous_response_id"] == last
            assert answer["usage"]["input_tokens"] > tokens
            last, tokens = answer["id"], answer["usage"]["input_tokens"]
        code, text = call(server, body={"model": "m", "input": "a", "previous_response_id": "resp_none"})
        assert code == 404 and b"resp_none" in text, text


if __name__ == "__main__":
    sys.exit(load.main())
