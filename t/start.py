#!/usr/bin/env python3
"""`make run` and the image's entry point as somebody who just cloned uses them. Prints `N passed, N failed`.

tools/run.sh and docker/entrypoint.sh run as they stand: what they serve without arguments, with vLLM's, with the environment's
settings, with a configuration of one's own, and what they say about what cannot be."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "t", "lib"))
import mock  # noqa: E402

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
CHAT = {"messages": [{"role": "user", "content": "Will it rain?"}]}
tests = []


def check(function):
    tests.append(function)
    return function


class Served:
    """A started script, on a free port."""

    def __init__(self, script, *arguments, **env):
        self.port = mock.free_port()
        self.temp = tempfile.TemporaryDirectory()
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("VLLM_", "MOCK_", "MODEL_NAME", "SIMULATION"))}
        clean.update({"SERVER_PORT": str(self.port), "NGINX": mock.NGINX, "VLLM_MOCK_NGINX": mock.NGINX,
                      "VLLM_MOCK_RUN": self.temp.name, "VLLM_MOCK_HOME": os.path.join(ROOT, "docker"),
                      "VLLM_MOCK_ETC": os.path.join(self.temp.name, "etc"), "VLLM_MOCK_USER": "root",
                      "VLLM_MOCK_NGINX_CONF": "/nonexistent", "VLLM_MOCK_MODULES": os.path.dirname(mock.MODULE)})
        clean.update({k: v.replace("PORT", str(self.port)) for k, v in env.items()})
        self.log = open(os.path.join(self.temp.name, "said"), "w+")
        self.process = subprocess.Popen([os.path.join(ROOT, script), *arguments], env=clean, stdout=self.log,
                                        stderr=subprocess.STDOUT)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        def serves():
            try:
                self.ask("/health", raw=True)
                return True
            except OSError as e:
                if self.process.poll() is not None:
                    raise RuntimeError("it does not serve: " + self.said()) from e
        mock.until(20, "it serves", serves)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.log.close()
        self.temp.cleanup()

    def ask(self, path, body=None, raw=False):
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path),
                                         None if body is None else json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as r:
            text = r.read().decode()
        return text if raw else json.loads(text)

    def chat(self, **more):
        return self.ask("/v1/chat/completions", {**CHAT, **more})["choices"][0]


def refused(script, *arguments, **env):
    """What it says when it does not start."""
    served = Served(script, *arguments, **env)
    with served.temp, served.log:
        assert served.process.wait(60) != 0
        return served.said()


def run(**env):
    return Served("tools/run.sh", **env)


def image(*arguments, **env):
    return Served("docker/entrypoint.sh", *arguments, **env)


def everything(served):
    """What a server without arguments has to have."""
    quick = [served.chat() for _ in range(20)]
    assert {c["finish_reason"] for c in quick} == {"stop"}
    capped = [served.chat(max_tokens=100000 // 50) for _ in range(20)]
    assert "stop" in {c["finish_reason"] for c in capped}
    assert served.chat(max_tokens=1)["finish_reason"] == "length"

    called = [served.chat(tools=TOOLS)["finish_reason"] for _ in range(40)]
    assert 0 < called.count("tool_calls") < 40, called
    call = served.chat(tools=TOOLS, tool_choice="required")["message"]["tool_calls"][0]["function"]
    assert call["name"] == "weather" and "city" in json.loads(call["arguments"])

    assert served.chat()["message"]["reasoning"] is None
    assert served.chat(reasoning_effort="high", min_tokens=20)["message"]["reasoning"]

    first = served.ask("/v1/responses", {"input": "a", "max_output_tokens": 4})["id"]
    assert served.ask("/v1/responses/" + first)["id"] == first
    second = served.ask("/v1/responses", {"input": "b", "max_output_tokens": 4, "previous_response_id": first})
    assert second["previous_response_id"] == first

    tokens = served.ask("/v1/completions/render", {"prompt": "Hello there", "max_tokens": 3})[0]
    assert served.ask("/inference/v1/generate", tokens)["choices"]
    assert served.ask("/tokenizer_info")["tokenizer_class"]


@check
def make_run_serves_everything():
    with run() as served:
        everything(served)


@check
def the_image_serves_everything():
    with image() as served:
        everything(served)


@check
def make_run_takes_vllms_arguments():
    with run(ARGS="my/model --served-model-name a 'b c' --max-model-len=512 --no-enable-auto-tool-choice") as served:
        models = served.ask("/v1/models")["data"]
        assert [(m["id"], m["root"], m["max_model_len"]) for m in models] == [("a", "my/model", 512), ("b c", "my/model", 512)]
        try:
            served.chat(tools=TOOLS)
            raise AssertionError("tools are taken")
        except urllib.error.HTTPError as e:
            assert e.code == 400
    with run(SERVER_PORT="1", ARGS="--port PORT") as served:
        assert served.ask("/v1/models")["data"]


@check
def what_make_run_cannot_take():
    assert "unrecognized argument \"--enable-lorra\"; did you mean --enable-lora" in refused("tools/run.sh", ARGS="--enable-lorra")
    assert "a quote is not closed" in refused("tools/run.sh", ARGS="'a")
    assert "ARGS goes with nginx.conf.example alone" in refused("tools/run.sh", ARGS="a", CONF="/dev/null")


@check
def a_configuration_of_ones_own():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write("load_module modules/ngx_http_vllm_mock_module.so;\nevents { }\nhttp {\n    vllm_mock_zone mock 64m;\n    server {\n"
                "        listen 8000;\n        vllm_mock_model own;\n        location / { vllm_mock mock; }\n    }\n}\n")
        f.flush()
        with run(CONF=f.name) as served:
            assert [m["id"] for m in served.ask("/v1/models")["data"]] == ["own"]


@check
def the_environments_settings():
    settings = {"VLLM_MOCK_OUTPUT": "text=words tokens=7", "VLLM_MOCK_LATENCY": "per_token overhead=1ms per_token=1us",
                "VLLM_MOCK_TIME_SCALE": "0.5"}
    for served in run(**settings), image(**settings), image("my/model", **settings):
        with served:
            config = served.ask("/admin/config")
            assert config["output"]["tokens"].startswith("fixed:7"), config["output"]
            assert (config["output"]["text"], config["latency"]["model"], config["time_scale"]) == ("words", "per_token", 0.5)
            body = {"prompt": "a", "max_tokens": 100}
            assert served.ask("/v1/completions", body)["usage"]["completion_tokens"] == 7
    said = refused("docker/entrypoint.sh", VLLM_MOCK_OUTPUT="tokens=many; }")
    assert "invalid value \"many;\" of tokens" in said, said


@check
def an_image_with_arguments_is_as_strict_as_vllm():
    with image("my/model", "--max-model-len", "4096") as served:
        lengths = [served.ask("/v1/completions", {"prompt": "a", "max_tokens": 4000})["choices"][0]["finish_reason"]
                   for _ in range(10)]
        assert "stop" in lengths
        for body, status in ({**CHAT, "model": "other"}, 404), ({**CHAT, "tools": TOOLS}, 400):
            try:
                served.ask("/v1/chat/completions", body)
                raise AssertionError(body)
            except urllib.error.HTTPError as e:
                assert e.code == status


@check
def the_readmes_own_configuration():
    """It answers in seconds: no answer is as long as the model allows."""
    with open(os.path.join(ROOT, "README.md")) as f:
        conf = re.search(r"^    load_module modules.*?^    \}$", f.read(), re.S | re.M).group(0)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write(conf.replace("\n    ", "\n").strip().replace("vllm_mock_latency  constant ttft=80ms itl=12ms", "vllm_mock_latency none"))
        f.flush()
        with run(CONF=f.name) as served:
            choices = [served.chat(max_tokens=7000)["finish_reason"] for _ in range(10)]
            assert set(choices) == {"stop"}, choices
            lengths = sorted(served.ask("/v1/chat/completions", CHAT)["usage"]["completion_tokens"] for _ in range(21))
            assert lengths[10] < 1000, lengths


def main():
    failed = 0
    for test in tests:
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        try:
            test()
        except Exception as e:
            failed += 1
            print("FAILED %s: %s: %s" % (test.__name__, type(e).__name__, e))
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
