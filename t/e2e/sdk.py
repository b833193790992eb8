"""What users of OpenAI's and Anthropic's clients see: each check talks to a module of its own through the real client."""
import base64
import concurrent.futures
import io
import json
import os
import struct
import time
import urllib.request
import wave
import zlib

import anthropic
import openai

from checks import MODEL, SAY, check, mock, serving


def client(server, **more):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=more.pop("api_key", "none"), max_retries=0, **more)


@check
def models():
    with serving() as s:
        listed = client(s).models.list().data
        assert [m.id for m in listed] == [MODEL], listed
        assert listed[0].owned_by == "vllm"


@check
def chat():
    with serving() as s:
        r = client(s).chat.completions.create(model=MODEL, messages=SAY, max_tokens=20)
        assert r.choices[0].message.role == "assistant" and r.choices[0].message.content
        assert r.usage.completion_tokens <= 20
        assert r.usage.total_tokens == r.usage.prompt_tokens + r.usage.completion_tokens


@check
def chat_stream_equals_whole():
    with serving() as s:
        ask = dict(model=MODEL, messages=SAY, max_tokens=30, seed=7)
        whole = client(s).chat.completions.create(**ask)
        chunks = list(client(s).chat.completions.create(stream=True, stream_options={"include_usage": True}, **ask))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == whole.choices[0].message.content, (text, whole)
        assert chunks[-1].usage == whole.usage, (chunks[-1].usage, whole.usage)
        assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason


@check
def completions():
    with serving() as s:
        r = client(s).completions.create(model=MODEL, prompt=["one", "two"], max_tokens=5, n=2)
        assert [c.index for c in r.choices] == [0, 1, 2, 3]


@check
def logprobs():
    with serving() as s:
        r = client(s).chat.completions.create(model=MODEL, messages=SAY, max_tokens=4, logprobs=True, top_logprobs=3)
        rows = r.choices[0].logprobs.content
        assert len(rows) == r.usage.completion_tokens
        for row in rows:
            assert len(row.top_logprobs) >= 3 and row.logprob <= 0


@check
def structured():
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "age": {"type": "integer"}},
              "required": ["city", "age"], "additionalProperties": False}
    with serving() as s:
        r = client(s).chat.completions.create(
            model=MODEL, messages=SAY, max_tokens=200,
            response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
        value = json.loads(r.choices[0].message.content)
        assert set(value) == {"city", "age"} and isinstance(value["age"], int), value


TOOL = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"], "additionalProperties": False}


@check
def tool_calls_stream():
    with serving("--enable-auto-tool-choice --tool-call-parser hermes") as s:
        stream = client(s).chat.completions.create(
            model=MODEL, messages=SAY, stream=True, tool_choice="required",
            tools=[{"type": "function", "function": {"name": "weather", "parameters": TOOL}}])
        names, arguments, reasons = [], "", []
        for c in stream:
            for call in c.choices[0].delta.tool_calls or []:
                names += [call.function.name] if call.function.name else []
                arguments += call.function.arguments or ""
            reasons += [c.choices[0].finish_reason] if c.choices[0].finish_reason else []
        assert names == ["weather"] and reasons == ["tool_calls"], (names, reasons)
        assert set(json.loads(arguments)) == {"city", "days"}, arguments


@check
def reasoning():
    with serving("--reasoning-parser qwen3", location="vllm_mock m; vllm_mock_output tokens=30;") as s:
        m = client(s).chat.completions.create(model=MODEL, messages=SAY)
        assert m.choices[0].message.reasoning and m.choices[0].message.content, m
        assert 0 < m.usage.completion_tokens_details.reasoning_tokens < m.usage.completion_tokens


@check
def a_budget_ends_a_thought():
    with serving("--reasoning-parser qwen3", location="vllm_mock m; vllm_mock_output tokens=60;") as s:
        for budget, tokens in (0, 0), (1, 1), (5, 5), (1000, 20), (-1, 20):
            r = client(s).chat.completions.create(model=MODEL, messages=SAY, extra_body={"thinking_token_budget": budget})
            assert r.usage.completion_tokens_details.reasoning_tokens == tokens, (budget, r)
            assert r.choices[0].message.content and bool(r.choices[0].message.reasoning) == (budget != 0), r


@check
def responses():
    with serving() as s:
        whole = client(s).responses.create(model=MODEL, input="Hello", max_output_tokens=8)
        assert whole.output_text and whole.usage.output_tokens <= 8
        events = list(client(s).responses.create(model=MODEL, input="Hello", max_output_tokens=8, stream=True))
        assert [e.sequence_number for e in events] == list(range(len(events)))
        text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        assert events[-1].type == "response.completed" and events[-1].response.output_text == text


def sound(seconds, rate=8000):
    """A WAV file as the SDK sends it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(b"\0\0" * int(seconds * rate))
    return "talk.wav", file.getvalue()


@check
def transcriptions():
    with serving(more="vllm_mock_endpoints all;") as s:
        create = client(s).audio.transcriptions.create
        whole = create(model=MODEL, file=sound(45))
        assert len(whole.text.split()) > 100 and whole.usage.seconds == 45, whole
        assert create(model=MODEL, file=sound(45)).text == whole.text
        assert create(model=MODEL, file=sound(44)).text != whole.text
        verbose = create(model=MODEL, file=sound(45), response_format="verbose_json",
                         timestamp_granularities=["segment"])
        assert verbose.duration == 45 and verbose.text == whole.text, verbose
        ends = [0.0] + [x.end for x in verbose.segments]
        assert ends == sorted(ends) and ends[-1] <= 45, ends
        assert "".join(x.text for x in verbose.segments).replace(" ", "") == whole.text.replace(" ", "")
        chunks = list(create(model=MODEL, file=sound(45), stream=True, extra_body={"stream_include_usage": True}))
        assert "".join(c.choices[0]["delta"]["content"] for c in chunks if c.choices) == whole.text, chunks
        assert {c.object for c in chunks} == {"transcription.chunk"}
        assert chunks[-1].usage["completion_tokens"] == sum(len(x.tokens) for x in verbose.segments) + 2
        assert client(s).audio.translations.create(model=MODEL, file=sound(3)).text
        try:
            create(model=MODEL, file=("a.wav", b""))
        except openai.BadRequestError as e:
            assert "audio file" in e.message
        else:
            raise AssertionError("no error")


@check
def speech():
    with serving(more="vllm_mock_endpoints all;") as s:
        create = client(s).audio.speech.create
        data = create(model=MODEL, voice="nova", input="a" * 30).read()
        with wave.open(io.BytesIO(data)) as w:
            assert (w.getframerate(), w.getsampwidth(), w.getnchannels(), w.getnframes()) == (24000, 2, 1, 48000)
            assert any(w.readframes(48000))
        assert create(model=MODEL, voice="nova", input="a" * 30, response_format="pcm").read() == data[44:]
        assert len(create(model=MODEL, voice="nova", input="a" * 30, response_format="pcm", speed=2).read()) == 48000
        body = {"model": MODEL, "voice": "nova", "input": "a" * 30, "stream_format": "sse"}
        r = urllib.request.Request(s.url + "/v1/audio/speech", json.dumps(body).encode(),
                                   {"Content-Type": "application/json"})
        with urllib.request.urlopen(r, timeout=60) as answer:
            events = [json.loads(line[6:]) for line in answer.read().decode().splitlines() if line]
        assert b"".join(base64.b64decode(e["audio"]) for e in events[:-1]) == data
        assert events[-1]["type"] == "speech.audio.done" and events[-1]["usage"]["output_tokens"] == 50, events[-1]


def png(data):
    """Chunks of a PNG, each with its CRC, and as many pixels as the header says: its size, the chunks' names."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, names, pixels, size = 8, [], b"", None
    while at < len(data):
        n, name = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + n]
        assert zlib.crc32(name + content) == struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0], name
        size = struct.unpack(">II", content[:8]) if name == b"IHDR" else size
        pixels += content if name == b"IDAT" else b""
        names, at = names + [name], at + 12 + n
    assert len(zlib.decompress(pixels)) == size[1] * (size[0] + 1)
    return size, names


@check
def images():
    with serving(more="vllm_mock_endpoints all;") as s:
        create = client(s).images.generate
        r = create(model=MODEL, prompt="a cat", n=2, size="1024x1536", response_format="b64_json")
        one, two = [base64.b64decode(d.b64_json) for d in r.data]
        assert png(one) == ((1024, 1536), [b"IHDR", b"PLTE", b"IDAT", b"IEND"]) and one != two
        assert r.usage.output_tokens == 2 * 32 * 48, r.usage
        r = create(model=MODEL, prompt="a cat", size="1024x1536")
        assert base64.b64decode(r.data[0].url.split("base64,")[1]) == one
        edited = client(s).images.edit(model=MODEL, image=("cat.png", one), prompt="with a hat")
        data = base64.b64decode(edited.data[0].url.split("base64,")[1])
        assert png(data)[0] == (1024, 1536) and data != one


@check
def videos():
    with serving(more="vllm_mock_endpoints all; vllm_mock_latency constant ttft=20ms itl=1ms;") as s:
        body = json.dumps({"model": MODEL, "prompt": "the sea", "seconds": "4", "size": "640x360"}).encode()

        def ask(path, data=None, method=None):
            r = urllib.request.Request(s.url + path, data, {"Content-Type": "application/json"}, method=method)
            with urllib.request.urlopen(r, timeout=60) as answer:
                return answer.read()

        job = json.loads(ask("/v1/videos", body))
        assert job["status"] == "queued" and job["object"] == "video", job
        seen = [(job["status"], job["progress"])]
        while job["status"] not in ("completed", "failed"):
            time.sleep(0.01)
            job = json.loads(ask("/v1/videos/" + job["id"]))
            seen.append((job["status"], job["progress"]))
        assert job["status"] == "completed" and job["completed_at"] >= job["created_at"], job
        assert "in_progress" in [x[0] for x in seen] and [x[1] for x in seen] == sorted(x[1] for x in seen), seen
        size, names = png(ask("/v1/videos/%s/content" % job["id"]))
        assert size == (640, 360) and names.count(b"fcTL") == 96, (size, names)
        assert json.loads(ask("/v1/videos/" + job["id"], method="DELETE"))["deleted"]


def claude(server):
    return anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0)


@check
def messages():
    with serving() as s:
        m = claude(s).messages.create(model=MODEL, max_tokens=8, messages=SAY)
        assert m.content[0].text and m.usage.output_tokens <= 8, m
        assert claude(s).messages.count_tokens(model=MODEL, messages=SAY).input_tokens == m.usage.input_tokens
        with claude(s).messages.stream(model=MODEL, max_tokens=8, messages=SAY) as stream:
            text = "".join(stream.text_stream)
            assert stream.get_final_message().content[0].text == text and text


@check
def messages_tool():
    with serving("--enable-auto-tool-choice --tool-call-parser hermes") as s:
        m = claude(s).messages.create(model=MODEL, max_tokens=200, messages=SAY, tool_choice={"type": "any"},
                                      tools=[{"name": "weather", "input_schema": TOOL}])
        assert m.stop_reason == "tool_use" and set(m.content[0].input) == {"city", "days"}, m


@check
def simulation_takes_the_devices_profile():
    profiles = os.path.join(mock.ROOT, "profiles")
    with mock.Mock(server="vllm_mock_model llama2-7b; vllm_mock_profiles %s;" % profiles,
                   env={"SIMULATION": "a100"}) as s:
        assert 'num_gpu_blocks="7424"' in s.get()


@check
def unknown_model():
    with serving() as s:
        try:
            client(s).chat.completions.create(model="other", messages=SAY)
        except openai.NotFoundError as e:
            assert "other" in e.message and e.status_code == 404
        else:
            raise AssertionError("no error")


@check
def bad_key():
    with serving("--api-key right") as s:
        assert client(s, api_key="right").models.list().data
        try:
            client(s, api_key="wrong").models.list()
        except openai.AuthenticationError:
            return
        raise AssertionError("no error")


@check
def a_client_that_leaves_frees_its_slot():
    with serving() as s:
        stream = client(s).chat.completions.create(
            model=MODEL, messages=SAY, max_tokens=2000, stream=True, extra_body={"ignore_eos": True})
        next(iter(stream))
        assert "num_requests_running{engine=\"0\",model_name=\"%s\"} 1.0" % MODEL in s.get()
        stream.close()
        for _ in range(2000):
            if "num_requests_running{engine=\"0\",model_name=\"%s\"} 0.0" % MODEL in s.get():
                return
        raise AssertionError("still running")


@check
def all_workers_count_together():
    with serving(workers=2) as s:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            got = list(pool.map(lambda i: client(s).completions.create(
                model=MODEL, prompt="x%d" % i, max_tokens=8, extra_body={"ignore_eos": True}).usage.completion_tokens,
                range(64)))
        assert got == [8] * 64
        assert "vllm:generation_tokens_total{engine=\"0\",model_name=\"%s\"} 512.0" % MODEL in s.get()


def value(text, name):
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + "{"))


def scrapes(s, requests, many, between=lambda: None):
    """`requests` over connections of their own, `many` scrapes meanwhile: each consistent, counters never down."""
    def one(i):
        body = json.dumps({"model": MODEL, "prompt": "x%d" % i, "max_tokens": 5, "ignore_eos": True}).encode()
        r = urllib.request.Request(s.url + "/v1/completions", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(r, timeout=60) as answer:
            return json.load(answer)["usage"]["completion_tokens"]

    before = (0, 0)
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        futures = [pool.submit(one, i) for i in range(requests)]
        for i in range(many):
            text = s.get()
            now = (value(text, "vllm:request_success_total"), value(text, "vllm:generation_tokens_total"))
            assert now >= before and now[1] >= before[1], (before, now)
            assert now[1] >= 5 * now[0], now
            assert value(text, "vllm:e2e_request_latency_seconds_count") == now[0], now
            before = now
            if i == many // 2:
                between()
        return sum(f.result() for f in futures)


@check
def scrapes_agree_with_four_workers():
    with serving(workers=4) as s:
        assert scrapes(s, 1000, 40) == 5000
        text = s.get()
        assert value(text, "vllm:request_success_total") == 1000
        assert value(text, "vllm:generation_tokens_total") == 5000


@check
def a_reload_loses_no_count():
    with serving(workers=4) as s:
        assert scrapes(s, 600, 20, s.reload) == 3000
        assert value(s.get(), "vllm:generation_tokens_total") == 3000
