#!/usr/bin/env python3
"""Every endpoint, answered well, as a stream and in each of its errors: the bytes, kept in table/*.txt for review.

  table.py compare     asks the module, compares with the files (what `make test` does)
  table.py record      asks the module, writes the files; `git diff` then shows what changed for a client

The recordings in http/ say what vLLM answers; these files say what a user of this module gets, so that no byte changes
unseen. Requests are made in order, of one fresh server; errors that any endpoint has (method, JSON, type, model) are
asked of each without being written down. Ids follow from the seed; times are masked, sounds and
pictures stand as digests.
"""
import hashlib
import http.client
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import mock     # noqa: E402

FILES = os.path.join(HERE, "table")
SERVER = """vllm_mock_args m --max-model-len 2048 --enable-lora --enable-scale-out --enable-tokenizer-info-endpoint
           --enable-auto-tool-choice --tool-call-parser hermes;
vllm_mock_endpoints all; vllm_mock_lora_paths any; vllm_mock_admin on; vllm_mock_seed 7; vllm_mock_latency none;
vllm_mock_output tokens=8;"""
ENV = {"VLLM_SERVER_DEV_MODE": "1", "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_ENABLE_RESPONSES_API_STORE": "1",
       "VLLM_HOST_IP": "127.0.0.1"}

SAID = [{"role": "user", "content": "Say this is a test!"}]
TOOL = {"type": "function", "function": {"name": "find", "parameters": {
    "type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]}}, "required": ["city"]}}}
WAV = (b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\x7d\0\0" + bytes(32000))
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010800000000"
                    "3a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082")


def form(*parts):
    """multipart/form-data: (name, value) or (name, file's name, bytes)."""
    out = b""
    for part in parts:
        out += b'--edge\r\nContent-Disposition: form-data; name="%s"' % part[0].encode()
        out += b'; filename="%s"\r\n\r\n' % part[1].encode() if len(part) == 3 else b"\r\n\r\n"
        out += (part[-1] if isinstance(part[-1], bytes) else part[-1].encode()) + b"\r\n"
    return out + b"--edge--\r\n"


# route: (what, body, {path=, method=}); a dict is sent as JSON, bytes as a form, None is no body

chat = dict(model="m", messages=SAID, max_tokens=3)
text = dict(model="m", prompt="Once upon", max_tokens=3)
asked = dict(model="m", input="Say this", max_output_tokens=3)
told = dict(model="m", messages=SAID, max_tokens=3)
embed = dict(model="m", input="a few words")
pair = dict(model="m", text_1="a blue sky", text_2=["the sky is blue", "a dog"])
rank = dict(model="m", query="a blue sky", documents=["a dog", "the sky is blue"])
voice = dict(model="m", input="Hello there.", voice="alloy")
made = dict(request_id="r", choices=[dict(index=0, token_ids=[300, 301], finish_reason="stop", logprobs=None)])
film = dict(model="m", prompt="a cat", size="16x16", seconds="1")
heard = [("model", "m"), ("file", "a.wav", WAV)]
seen = [("model", "m"), ("image", "a.png", PNG), ("prompt", "a cat")]

CASES = {
    "/v1/chat/completions": [
        ("success", chat), ("stream", dict(chat, stream=True)),
        ("stream with usage", dict(chat, stream=True, stream_options=dict(include_usage=True))),
        ("logprobs", dict(chat, logprobs=True, top_logprobs=2)), ("two choices", dict(chat, n=2)),
        ("a tool is called", dict(chat, tools=[TOOL], tool_choice="required", max_tokens=40)),
        ("a tool is called, stream", dict(chat, tools=[TOOL], tool_choice="required", max_tokens=40, stream=True)),
        ("a schema", dict(chat, max_tokens=40, response_format=dict(type="json_schema", json_schema=dict(
            name="s", schema=TOOL["function"]["parameters"])))),
        ("a picture", dict(chat, modalities=["image"], size="16x16")),
        ("no messages left", dict(chat, messages=[])),
        ("a longer prompt than the model takes", dict(chat, messages=[dict(role="user", content="word " * 2100)])),
        ("max_tokens 0", dict(chat, max_tokens=0)), ("temperature -1", dict(chat, temperature=-1)),
        ("top_logprobs alone", dict(chat, top_logprobs=2)), ("an unknown role", dict(chat, messages=[dict(role=1)])),
        ("a tool that is not there", dict(chat, tools=[TOOL], tool_choice=dict(
            type="function", function=dict(name="other")))),
        ("a bad regex", dict(chat, structured_outputs=dict(regex="(")))],
    "/v1/chat/completions/batch": [
        ("success", dict(chat, messages=[SAID, SAID])), ("a stream is refused", dict(chat, messages=[SAID], stream=True))],
    "/v1/completions": [
        ("success", text), ("stream", dict(text, stream=True)), ("echo", dict(text, echo=True)),
        ("two prompts", dict(text, prompt=["a", "b"])), ("ids", dict(text, prompt=[11, 12, 13])),
        ("logprobs", dict(text, logprobs=1)), ("an id out of the vocabulary", dict(text, prompt=[99999999])),
        ("an empty prompt", dict(text, prompt="")), ("more logprobs than there are", dict(text, logprobs=100))],
    "/v1/responses": [
        ("success", dict(asked, store=False)), ("stream", dict(asked, store=False, stream=True)),
        ("kept", dict(asked, request_id="resp_one")), ("the next one", dict(asked, previous_response_id="resp_one")),
        ("in the background, not kept", dict(asked, background=True, store=False)),
        ("an unknown one before it", dict(asked, previous_response_id="resp_none"))],
    "/v1/responses/{response_id}": [
        ("success", None, dict(path="/v1/responses/resp_one")), ("unknown", None, dict(path="/v1/responses/resp_none")),
        ("not an id", None, dict(path="/v1/responses/none"))],
    "/v1/responses/{response_id}/cancel": [
        ("not in the background", None, dict(path="/v1/responses/resp_one/cancel")),
        ("unknown", None, dict(path="/v1/responses/resp_none/cancel"))],
    "/v1/messages": [
        ("success", told), ("stream", dict(told, stream=True)),
        ("a tool is called", dict(told, max_tokens=40, tool_choice=dict(type="any"), tools=[dict(
            name="find", input_schema=TOOL["function"]["parameters"])])),
        ("max_tokens 0", dict(told, max_tokens=0))],
    "/v1/messages/count_tokens": [("success", told)],
    "/generative_scoring": [
        ("success", dict(model="m", query="good?", items=["yes", "no"], label_token_ids=[11, 12])),
        ("no items", dict(model="m", query="good?", items=[], label_token_ids=[11, 12])),
        ("one label out of the vocabulary", dict(model="m", query="good?", items=["a"], label_token_ids=[-1, 12]))],
    "/invocations": [("success, a chat", chat), ("success, a completion", text), ("stream", dict(chat, stream=True))],

    "/v1/models": [("success", None)],
    "/v1/load_lora_adapter": [
        ("success", dict(lora_name="a", lora_path="/models/a")), ("twice", dict(lora_name="a", lora_path="/models/a")),
        ("no name", dict(lora_name="", lora_path="/models/a"))],
    "/v1/unload_lora_adapter": [("success", dict(lora_name="a")), ("unknown", dict(lora_name="a"))],
    "/adapters": [("success", dict(name="b", src="/models/b")), ("twice", dict(name="b", src="/models/b"))],
    "/adapters/{adapter_name}": [
        ("success", None, dict(path="/adapters/b", method="DELETE")),
        ("unknown", None, dict(path="/adapters/b", method="DELETE"))],

    "/tokenize": [("success", dict(model="m", prompt="a few words")), ("a chat", dict(model="m", messages=SAID)),
                  ("pieces", dict(model="m", prompt="a few words", return_token_strs=True))],
    "/detokenize": [("success", dict(model="m", tokens=[300, 301])), ("out of range", dict(model="m", tokens=[-1]))],
    "/tokenizer_info": [("success", None)],

    "/v1/embeddings": [
        ("success", dict(embed, dimensions=4)), ("base64", dict(embed, dimensions=4, encoding_format="base64")),
        ("bytes", dict(embed, dimensions=4, encoding_format="bytes")),
        ("ids", dict(embed, dimensions=4, input=[[11, 12], [13]])), ("no words", dict(embed, input=[])),
        ("an unknown format", dict(embed, encoding_format="hex")), ("no dimensions", dict(embed, dimensions=0))],
    "/v2/embed": [("success", dict(model="m", texts=["a", "b"], embedding_types=["float", "binary"], output_dimension=8)),
                  ("an instruction that is not there", dict(model="m", texts=["a"], input_type="search_query")),
                  ("nothing", dict(model="m"))],
    "/score": [("success", pair), ("nothing to score", dict(pair, text_2=[]))],
    "/v1/score": [("success", pair), ("two and three", dict(pair, text_1=["a", "b"], text_2=["a", "b", "c"]))],
    "/rerank": [("success", rank)],
    "/v1/rerank": [("success", dict(rank, top_n=1))],
    "/v2/rerank": [("success", rank), ("no documents", dict(rank, documents=[]))],
    "/pooling": [("success", dict(model="m", input="a", task="embed")),
                 ("dimensions", dict(model="m", input="a", task="embed", dimensions=4)),
                 ("an unknown task", dict(model="m", input="a", task="none"))],
    "/classify": [("success", dict(model="m", input=["good", "bad"]))],

    "/v1/audio/transcriptions": [
        ("success", form(*heard)), ("text", form(*heard, ("response_format", "text"))),
        ("srt", form(*heard, ("response_format", "srt"))), ("vtt", form(*heard, ("response_format", "vtt"))),
        ("verbose", form(*heard, ("response_format", "verbose_json"))),
        ("stream", form(*heard, ("stream", "true"))), ("no file", form(("model", "m"))),
        ("not a sound", form(("model", "m"), ("file", "a.wav", b"no"))),
        ("another model", form(("model", "x"), *heard[1:])),
        ("an unknown language", form(*heard, ("language", "xx")))],
    "/v1/audio/translations": [("success", form(*heard)), ("no file", form(("model", "m")))],
    "/v1/audio/speech": [
        ("success", voice), ("pcm", dict(voice, response_format="pcm")), ("no words", dict(voice, input="")),
        ("an unknown voice", dict(voice, voice="nobody")), ("too fast", dict(voice, speed=9))],
    "/v1/audio/voices": [("success", None)],
    "/v1/images/generations": [
        ("success", dict(model="m", prompt="a cat", size="16x16", response_format="b64_json")),
        ("two", dict(model="m", prompt="a cat", size="16x16", n=2)), ("no size", dict(model="m", prompt="a", size="x")),
        ("none", dict(model="m", prompt="a cat", n=0))],
    "/v1/images/edits": [("success", form(*seen, ("size", "16x16"))), ("no picture", form(("model", "m"), ("prompt", "a"))),
                         ("not a picture", form(("model", "m"), ("prompt", "a"), ("image", "a.png", b"no")))],
    "/v1/video/generations": [("success", film), ("no words", dict(film, prompt="")), ("no size", dict(film, size="x"))],
    "/v1/videos": [("success", film), ("a form", form(("model", "m"), ("prompt", "a cat"), ("size", "16x16"))),
                   ("too long", dict(film, seconds="100000"))],
    "/v1/videos/{video_id}": [("unknown", None, dict(path="/v1/videos/video_none"))],
    "/v1/videos/{video_id}/content": [("unknown", None, dict(path="/v1/videos/video_none/content"))],

    "/health": [("success", None)], "/ping": [("success", None), ("POST", None, dict(method="POST"))],
    "/version": [("success", None)], "/load": [("success", None)], "/ready": [("success", None)],
    "/health/ready": [("success", None)], "/metrics": [("success", None)], "/metrics/": [("success", None)],
    "/docs": [("success", None)], "/redoc": [("success", None)], "/openapi.json": [("success", None)],

    "/server_info": [("success", None)], "/get_world_size": [("success", None)], "/kv_event_sources": [("success", None)],
    "/sleep": [("success", None, dict(path="/sleep?level=1", method="POST")),
               ("no level", None, dict(path="/sleep?level=x", method="POST"))],
    "/is_sleeping": [("success", None)],
    "/wake_up": [("success", None), ("an unknown part", None, dict(path="/wake_up?tags=x", method="POST"))],
    "/pause": [("success", None), ("an unknown mode", None, dict(path="/pause?mode=x", method="POST"))],
    "/is_paused": [("success", None)], "/resume": [("success", None)], "/reset_prefix_cache": [("success", None)],
    "/reset_mm_cache": [("success", None)], "/reset_encoder_cache": [("success", None)],
    "/abort_requests": [("success", dict(request_ids=["none"]))],
    "/inference/v1/abort_requests": [("success", dict(request_ids=["none"]))],
    "/inference/v1/generate": [
        ("success", dict(token_ids=[11, 12], sampling_params=dict(max_tokens=3))),
        ("stream", dict(token_ids=[11, 12], sampling_params=dict(max_tokens=3), stream=True)),
        ("no tokens", dict(token_ids=[], sampling_params=dict(max_tokens=3)))],
    "/v1/chat/completions/render": [("success", chat)],
    "/v1/completions/render": [("success", text)],
    "/v1/messages/render": [("success", told)],
    "/v1/responses/render": [("success", asked)],
    "/v1/chat/completions/derender": [
        ("success", dict(model="m", generate_response=made, chat_request=chat)),
        ("no request beside a parser", dict(model="m", generate_response=made))],
    "/v1/completions/derender": [("success", dict(model="m", generate_responses=[made]))],
    "/is_scaling_elastic_ep": [("success", None)],
    "/scale_elastic_ep": [("no size", dict(new_data_parallel_size=0)), ("not a size", dict(new_data_parallel_size="x"))],

    "/set_metrics": [("success", dict(running=3)), ("an unknown wave", dict(running="wave:1"))],
    "/fake_metrics": [("success", {"running-requests": 3}), ("too many buckets", {"tpot-buckets-values": [1] * 30})],
    "/CreateUser": [("success", dict(name="u", rpm=10, tpm=100))], "/ReadUser": [("success", dict(name="u"))],
    "/UpdateUser": [("success", dict(name="u", rpm=20, tpm=100))],
    "/DeleteUser": [("success", dict(name="u")), ("unknown", dict(name="u"))],
    "/admin/config": [("success", dict(time_scale=0.5)), ("not a number", dict(time_scale="x"))],
    "/admin/requests": [("success", None)], "/admin/state": [("success", None)], "/": [("success", None)],
}

MASKS = [(re.compile(p), w) for p, w in (
    (r"modelperm-[0-9a-f]{16}", "modelperm-ID"),
    (r"(?<![0-9.])1[789]\d{8}(\.\d+)?(?![0-9])", "TIME"),
    (r"127\.0\.0\.1:\d+", "HOST"))]
# these have no success, or one whose path is another at each run: t/14-media.t and t/load/kept_test.py have them
NEVER = {"/v1/responses/{response_id}/cancel", "/scale_elastic_ep", "/v1/videos/{video_id}",
         "/v1/videos/{video_id}/content"}
LEFT_OUT = {"date", "server", "connection", "transfer-encoding"}
NUMBERS = {"/admin/state", "/admin/requests", "/server_info", "/tokenizer_info"}


def ask(port, method, path, body):
    headers = {}
    if isinstance(body, bytes):
        headers["Content-Type"] = "multipart/form-data; boundary=edge"
    elif body is not None:
        headers["Content-Type"] = "application/json"
        body = body if isinstance(body, str) else json.dumps(body)
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        c.request(method, path, body, headers)
        r = c.getresponse()
        return r.status, r.reason, r.getheaders(), r.read()
    finally:
        c.close()


def shown(path, status, reason, headers, body):
    """An answer as it stands in a file."""
    try:
        said = body.decode()
        if "\0" in said:
            raise ValueError
    except ValueError:
        said = "(%d bytes, SHA-256 %s, first %r)" % (len(body), hashlib.sha256(body).hexdigest(), body[:12])
    if path.startswith("/metrics"):
        said = "".join(line + "\n" for line in said.split("\n") if line.startswith("#"))
    if "audio" in path and "b64_json" not in said or len(said) > 20000:
        said = said if len(said) < 20000 else "(%d characters, first %r)" % (len(said), said[:60])
    lines = ["HTTP/1.1 %d %s" % (status, reason)]
    lines += sorted("%s: %s" % (k.lower(), v) for k, v in headers if k.lower() not in LEFT_OUT)
    out = "\n".join(lines) + "\n\n" + said
    for pattern, word in MASKS:
        out = pattern.sub(word, out)
    if path in NUMBERS:
        out = re.sub(r"(?<![\w.])\d+(\.\d+)?(?![\w.])", "N", out)
    return out


def errors(route, method, cases):
    """What any endpoint refuses."""
    path = cases[0][2].get("path", route) if len(cases[0]) > 2 else route
    if not route.startswith("/metrics"):
        yield "another method", None, dict(path=path, method="PUT")
    body = cases[0][1]
    if isinstance(body, dict):
        yield "not JSON", "{", {}
        yield "a list", [], {}
        yield "nothing in it", {}, {}
        if "model" in body:
            yield "another model", dict(body, model="x"), {}
    elif isinstance(body, bytes):
        yield "not a form", b"no", {}


def name_of(route):
    return re.sub(r"[^\w]+", "-", route).strip("-").lower() or "index"


def table(m):
    """{file's name: text} and what the table does not have."""
    paths = json.loads(m.get("/openapi.json"))["paths"]
    lacking = sorted(set(paths) ^ set(CASES))
    files = {}
    for route, cases in CASES.items():
        method = next(iter(paths.get(route, {"get": 0}))).upper()
        if cases[0][1] is not None:
            method = "POST"
        out = ""
        for what, body, *more in list(cases) + list(errors(route, method, cases)):
            more = more[0] if more else {}
            path, verb = more.get("path", route), more.get("method", method)
            answer = ask(m.port, verb, path, body)
            if "success" in what and not 200 <= answer[0] < 300:
                lacking.append("%s, %s: %d" % (route, what, answer[0]))
            sent = ""
            if isinstance(body, bytes):
                sent = "(a form of %d bytes)\n" % len(body)
            elif body is not None:
                sent = body if isinstance(body, str) else json.dumps(body)
                sent = (sent if len(sent) < 400 else sent[:400] + "...") + "\n"
            out += "=== %s\n%s %s\n%s--- \n%s\n\n" % (what, verb, path, sent, shown(route, *answer))
        if not any("success" in c[0] for c in cases):
            lacking += [] if route in NEVER else [route]
        files[name_of(route) + ("-slash" if route == "/metrics/" else "") + ".txt"] = out
    return files, lacking


def main():
    with mock.Mock(server=SERVER, env=ENV, workers=1) as m:
        files, lacking = table(m)
    if sys.argv[1:] == ["record"]:
        for name in os.listdir(FILES):
            os.remove(os.path.join(FILES, name))
        for name, said in files.items():
            with open(os.path.join(FILES, name), "w", encoding="utf8") as f:
                f.write(said)
        print("\n".join("not in the table: " + x for x in lacking) or "%d files" % len(files))
        return 0
    passed, failed = 0, len(lacking)
    for x in lacking:
        print("FAIL not in the table, or no success:", x)
    for name in sorted(set(files) | set(os.listdir(FILES))):
        path = os.path.join(FILES, name)
        kept = open(path, encoding="utf8").read() if os.path.exists(path) else ""
        was, now = kept.split("=== "), files.get(name, "").split("=== ")
        for a, b in zip(was, now):
            passed, failed = passed + (a == b), failed + (a != b)
            if a != b:
                where = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                print("FAIL %s, %s: ...%r expected, got ...%r" % (name, a.split("\n")[0], a[where - 40:where + 80],
                                                                b[where - 40:where + 80]))
        if len(was) != len(now):
            failed += 1
            print("FAIL %s: %d cases expected, got %d" % (name, len(was), len(now)))
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
