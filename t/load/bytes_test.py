#!/usr/bin/env python3
"""What is no UTF-8: whatever comes in, what goes out is."""
import json
import sys

import load
from load import check

SERVER = ("vllm_mock_model m; vllm_mock_latency none; vllm_mock_endpoints all; vllm_mock_args --enable-lora "
          "--enable-request-id-headers --tool-call-parser hermes --enable-auto-tool-choice;")
LONE = r'"\ud800x"'
BIG = "9223372036854775808"


def ask(server, path, body=b"", head=b"", method=b"POST"):
    """Status, head and text of one answer, which must be UTF-8."""
    body = body if isinstance(body, bytes) else body.encode()
    with load.connect(server.port) as s:
        s.sendall(b"%s %s HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\nConnection: close\r\n%s"
                  b"Content-Length: %d\r\n\r\n%s" % (method, path.encode(), head, len(body), body))
        answer = load.rest(s)
    status, out = load.split(answer)
    return status, answer.partition(b"\r\n\r\n")[0], out.decode()


def sane(server):
    for path in ("/metrics", "/v1/models", "/admin/state", "/admin/config", "/admin/requests"):
        assert ask(server, path, method=b"GET")[0] == 200, path
    assert 'vllm:num_requests_running{engine="0",model_name="m"}' in ask(server, "/metrics", method=b"GET")[2]


@check
def names_that_are_no_text_are_refused():
    with load.mock.Mock(server=SERVER, env={"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}) as server:
        for path, body, status in (
                ("/v1/load_lora_adapter", '{"lora_name": %s, "lora_path": "/x"}' % LONE, 400),
                ("/v1/load_lora_adapter", r'{"lora_name": "a\u0000b", "lora_path": "/x"}', 400),
                ("/v1/load_lora_adapter", '{"lora_name": "a", "lora_path": %s}' % LONE, 400),
                ("/v1/unload_lora_adapter", '{"lora_name": %s}' % LONE, 404),
                ("/set_metrics", '{"model_name": %s}' % LONE, 400),
                ("/set_metrics", r'{"model_name": "a\u0000b"}', 400),
                ("/set_metrics", '{%s: 1}' % LONE, 400),
                ("/admin/config", '{"output": %s}' % LONE, 400),
                ("/v1/completions", '{"model": %s, "prompt": "a"}' % LONE, 404),
                ("/v1/completions", r'{"model": "m\u0000", "prompt": "a"}', 404)):
            got = ask(server, path, body)
            assert got[0] == status, (path, body, got)
        sane(server)


@check
def answers_are_utf8():
    fields = ("user", "stop", "cache_salt", "request_id", "suffix", "echo")
    with load.mock.Mock(server=SERVER) as server:
        for stream in ("true", "false"):
            base = '{"model": "m", "max_tokens": 8, "stream": %s, "prompt": "a", ' % stream
            for field in fields:
                ask(server, "/v1/completions", base + '"%s": %s}' % (field, LONE))
            for kind, status in (('"choice": ["a", %s]' % LONE, 400), ('"regex": %s' % LONE, 400),
                                 ('"json": {"const": %s}' % LONE, 400), ('"json": {"type": %s}' % LONE, 400),
                                 ('"json": {"type": %s}' % BIG, 400), ('"json": {"const": %s}' % BIG, 200),
                                 ('"json": {"title": %s}' % BIG, 200), ('"json": {"const": NaN}', 400)):
                got = ask(server, "/v1/completions", base + '"structured_outputs": {%s}}' % kind)
                # a stream has its 200 before the engine sees the constraint
                assert got[0] == status or (stream == "true" and '"code": %d' % status in got[2]), (kind, got)
        for path, body in (("/v1/embeddings", '{"model": %s, "input": [%s, %s]}' % (BIG, BIG, LONE)),
                           ("/v1/responses", '{"model": "m", "input": "a", "metadata": {"a": %s}}' % LONE),
                           ("/tokenize", '{"model": "m", "prompt": %s}' % LONE)):
            ask(server, path, body)
        sane(server)


@check
def patterns_have_no_surrogates():
    with load.mock.Mock(server=SERVER) as server:
        for pattern in (r"[\u0000-\uffff]{50}", r"[\uD000-\uE000]{50}", r"[\x{d000}-\x{10ffff}]{50}"):
            for kind in ('"regex": %s' % json.dumps(pattern), '"grammar": %s' % json.dumps("root ::= " + pattern),
                         '"json": %s' % json.dumps({"type": "string", "pattern": "^" + pattern + "$"})):
                got = ask(server, "/v1/completions",
                          '{"model": "m", "prompt": "a", "max_tokens": 400, "structured_outputs": {%s}}' % kind)
                if got[0] == 200:
                    text = json.loads(got[2])["choices"][0]["text"]
                    text.encode()
                    assert len(text) >= 50, (kind, text)
                else:
                    assert '"regex"' not in kind, got


@check
def headers_are_latin1():
    with load.mock.Mock(server=SERVER) as server:
        status, head, text = ask(server, "/v1/completions", '{"model": "m", "prompt": "a", "max_tokens": 2}',
                                 b"X-Request-Id: \xff\xfe\r\n")
        assert status == 200 and b"X-Request-Id: \xff\xfe" in head, head
        assert json.loads(text)["id"] == "cmpl-\u00ff\u00fe", text
        sane(server)


if __name__ == "__main__":
    sys.exit(load.main())
