#!/usr/bin/env python3
"""Tokenizers from files against the programs that they are of: ids, decoded text, and that written text is encoded to
the ids that it was made of.  Every vocabulary with TEXTS texts: t/tokenizer/tokenizer_test.py [NAME...]"""
import os
import random
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import corpus  # noqa: E402
import vocabularies  # noqa: E402

TEXTS = 10500
PROGRAM = os.path.join(vocabularies.ROOT, "build", "tokenizer", "tokens")
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAILED %s%s" % (name, "\n     " + why if why else ""))


def run(what, v, texts=()):
    data = b"".join(struct.pack("<I", len(t)) + t for t in texts)
    p = subprocess.run([PROGRAM, what, v.path] + ([v.config] if v.config else []), input=data, stdout=subprocess.PIPE,
                       check=True)
    return p.stdout


def lists(data, text=False):
    """Lists of ids; with a text behind each."""
    at = 0
    while at < len(data):
        n = struct.unpack_from("<I", data, at)[0]
        ids = list(struct.unpack_from("<%dI" % n, data, at + 4))
        at += 4 + 4 * n
        if text:
            n = struct.unpack_from("<I", data, at)[0]
            yield ids, data[at + 4:at + 4 + n]
            at += 4 + n
        else:
            yield ids


def strings(data):
    at = 0
    while at < len(data):
        n = struct.unpack_from("<I", data, at)[0]
        yield data[at + 4:at + 4 + n].decode()
        at += 4 + n


def differing(inputs, ours, theirs):
    bad = [(i, o, t) for i, o, t in zip(inputs, ours, theirs) if o != t]
    return bad and "%d of %d differ: %r\n     is       %r\n     expected %r" % ((len(bad), len(inputs))
                                                                        + tuple(str(x)[:300] for x in min(bad, key=lambda b: len(b[0]))))


def encodes(v, texts):
    ours = list(lists(run("encode", v, texts)))
    theirs = v.encode([t.decode("utf8", "replace") for t in texts])
    why = differing(texts, ours, theirs)
    check(v.name + ": ids", len(ours) == len(texts) and not why, why)
    return theirs


def decodes(v, encoded):
    r = random.Random(3)
    known = sorted(v.spelled)
    ids = encoded[::4] + [[r.choice(known) for _ in range(r.randrange(1, 9))] for _ in range(3000)]
    ids += [[i] for i in known[:600]]
    ours = list(strings(run("decode", v, [struct.pack("<%dI" % len(i), *i) for i in ids])))
    why = differing(ids, ours, v.decode(ids))
    check(v.name + ": decoded", not why, why)


def writes(v, texts):
    """Words alone, and behind what is no special token."""
    leads = [b""] * 50 + [t for t in texts if not any(s.encode() in t for s in v.specials)][::20]
    leads = [t.decode("utf8", "replace").encode() for t in leads]
    written = list(lists(run("write", v, leads), text=True))
    expected = v.encode([t.decode("utf8", "replace") for _, t in written])
    # what a normalizer or a decoder changes cannot come back
    whole = [i for i, (_, t) in enumerate(written)
             if not leads[i] or (t.startswith(leads[i]) and v.decode(v.encode([leads[i].decode()]))[0].encode() == leads[i])]
    why = differing([leads[i] for i in whole], [written[i][0] for i in whole], [expected[i] for i in whole])
    check(v.name + ": written text is its tokens", len(whole) > 60 and not why, why or "too few are whole: %d" % len(whole))
    if v.name != "metaspace-never":                     # whose tokens have no regard for words
        strange = sorted({w for _, t in written[:50] for w in re.split(r"[ ,.]+", t.decode().lower()) if w} - set(corpus.words()))
        check(v.name + ": words are words", not strange, "%s in %r" % (strange, written[0][1]))


def describes(v):
    vocab, bos, _, longest, words = map(int, run("info", v).split())
    begin = [i for i in v.prompt("a") if i in v.special_ids]
    check(v.name + ": vocabulary", vocab == v.vocab, "%d, not %d" % (vocab, v.vocab))
    check(v.name + ": begin", begin == [bos] * (bos >= 0), "%d, not %s" % (bos, begin))
    check(v.name + ": longest", longest == v.longest or v.longest is None, "%d, not %s" % (longest, v.longest))
    check(v.name + ": words", words > (1500 if vocab > 30000 else 100) or v.name == "metaspace-never", str(words))


def hurries(v):
    """A megabyte of anything: a bound for what is not linear, not a measurement."""
    for name, text in (("letter", b"a" * 1000000), ("space", b" " * 1000000), ("mark", "\u0323\u0301".encode() * 250000),
                       ("sign", b"!" * 1000000), ("line", b"\n" * 1000000), ("CJK", "日".encode() * 333333)):
        ms = float(run("time", v, [text]).split()[0])
        check("%s: a megabyte of one %s" % (v.name, name), ms < 5000, "%.0f ms" % ms)


def build():
    subprocess.run(["make", "-s", "-C", vocabularies.ROOT, "lib"], check=True)
    subprocess.run(["gcc", "-g", "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", PROGRAM,
                    os.path.join(HERE, "tokens.c"), os.path.join(vocabularies.ROOT, "build", "libvm.a"), "-ljansson",
                    "-lutf8proc", "-lm"], check=True)


def main():
    vocabularies.install()
    build()
    plain = corpus.texts([], 1, TEXTS)
    for v in vocabularies.all_of_them(plain, corpus.words()):
        if sys.argv[1:] and not any(n in v.name for n in sys.argv[1:]):
            continue
        texts = corpus.texts(v.specials, 2, TEXTS)
        describes(v)
        decodes(v, encodes(v, texts))
        writes(v, texts)
        if v.name in ("llama2", "mistral", "qwen3", "o200k_base.tiktoken"):
            hurries(v)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
