#!/usr/bin/env python3
"""Writes the bodies of the recorded requests as seeds for protocols_fuzz: corpus.py DIR."""
import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "golden", "http")
# in the order of the fuzz target's tables
PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/pooling",
         "/classify", "/score", "/rerank", "/v2/embed", "/v1/chat/completions/batch", "/inference/v1/generate",
         "/generative_scoring", "/v1/audio/speech", "/v1/images/generations", "/v1/video/generations",
         "/tokenize", "/detokenize", "/v1/messages/count_tokens", "/v1/chat/completions/render",
         "/v1/completions/render", "/v1/messages/render", "/v1/responses/render", "/v1/chat/completions/derender",
         "/v1/completions/derender"]
# what no recording has
OTHERS = [("/v1/audio/speech", dict(model="m", input="Hello.", voice="alloy", response_format="pcm", speed=2.0)),
          ("/v1/images/generations", dict(model="m", prompt="a cat", n=2, size="16x16", response_format="b64_json")),
          ("/v1/video/generations", dict(model="m", prompt="a cat", size="16x16", seconds="1"))]
SETTINGS = {"tools": 1 | 8, "reasoning": 1 | 2, "embed": 16, "classify": 32}


def bodies(case):
    for step in [case] + case.get("steps", []):
        request = step.get("request", {})
        if request.get("path") in PATHS and "json" in request:
            yield PATHS.index(request["path"]), SETTINGS.get(case.get("server"), 0), request["json"]


def write(folder, seed):
    with open(os.path.join(folder, hashlib.sha1(seed).hexdigest()), "wb") as out:
        out.write(seed)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name in sorted(os.listdir(FOLDER)):
        if not name.endswith(".json") or name == "servers.json":
            continue
        with open(os.path.join(FOLDER, name), encoding="utf8") as f:
            for case in json.load(f):
                for which, how, body in bodies(case):
                    seed = bytes([which, how, len(case["id"]) % 7]) + json.dumps(body).encode()
                    if len(seed) <= 4096:
                        write(folder, seed)
    for path, body in OTHERS:
        write(folder, bytes([PATHS.index(path), 0, 0]) + json.dumps(body).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
