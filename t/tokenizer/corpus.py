"""Texts on which tokenizers must agree: bytes, the same ones in every run."""
import os
import random
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SENTENCES = """\
The quick brown fox jumps over the lazy dog, isn't it?  I'd say they've won; we'll see — won't we?
DON'T SHOUT, IT'S LATE. They'Re, We'Ll, I'vE, he'D, i'm, I'M; 'tis 'twas rock'n'roll o'clock 'S 'LL s' ''s 's's
1 22 333 4444 55555 666666 3.14159 1,234,567.89 0x1F 1e-10 ½ ² ³ Ⅷ ① ٣٤٥ १२३ 一二三 １２３
Größe, Übermäßigkeit, façade, naïve, coöperate, Ångström, İstanbul, ıspanak, ŒUVRE, Ǆ ǅ ǆ ﬁ ﬂ ß ẞ ſ 'ſ x'ſt
Привет, мир! Как дела? Съешь же ещё этих мягких французских булок. ЁЛКА Йод й
Γειά σου Κόσμε, ΣΊΣΥΦΟΣ ς σ ά ΐ
שלום עולם, מה שלומך? בְּרֵאשִׁית בָּרָא אֱלֹהִים
مرحبا بالعالم، كيف حالك؟ ٱلْحَمْدُ لِلَّٰهِ ۝ ۱۲۳
नमस्ते दुनिया, कैसे हो? क्षत्रिय ज्ञान श्री
สวัสดีชาวโลก น้ำ กำลัง ๑๒๓
こんにちは世界。カタカナとひらがな、漢字混じり文です。「引用」ヶヵー々〆
你好，世界！这是一个测试。繁體字與簡體字。𠮷野家 㐀 豈
안녕하세요 세계! 한국어 테스트입니다. 한글
தமிழ் ಕನ್ನಡ తెలుగు ไทย ລາວ မြန်မာ ខ្មែរ አማርኛ ᏣᎳᎩ ქართული Հայերեն
😀😃👨‍👩‍👧‍👦👩🏽‍🚀🇩🇪🇫🇷🏳️‍🌈❤️☎️1️⃣🫠 ©®™ ←↑→↓ ∑∫√∞ ≠≤≥ ½
e\u0301 é a\u0308\u0323 a\u0323\u0308 ö\u0304 A\u030a Å \u212b \u1e9b\u0323 q\u0307\u0323 \u0344 \u0958 \u2126 \u00b5
x\u0300\u0301\u0302\u0303 \u0301leading \u200b\u200d\u200c\ufeff \u00ad soft\u00adhyphen \u2028 \u2029 \u0085 \u00a0nbsp\u3000wide
if (x != NULL && x->next[i]++ >= 0x7fff) { return *p--; } /* comment */ // line
def f(self, *args, **kw): return {k: v for k, v in kw.items() if not k.startswith("__")}
SELECT * FROM `users` WHERE name LIKE '%O''Brien%' AND id IN (1,2,3);--
<div class="a b" id='c'>&nbsp;&lt;tag&gt;</div><!-- x --><|not_special|><|im_start|
https://example.com/path/to/file.html?q=1&r=two%20words#frag user@example.org C:\\\\Windows\\\\System32
{"a": [1, 2.5e-3, null, true], "b": {"c": "\\\\u00e9\\\\n"}}
HTTPServer XMLHttpRequest getElementById snake_case_name kebab-case CamelCaseABCdef iPhone eBay ABC123def DŽungla
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
!!!??? ... --- === *** ///// \\\\\\\\ ###### ~~~ ``` ''' \"\"\" ,,, ;;; ::: ((())) [[]] {{}} <<>> @@ $$ %% ^^ && || ++
▁the▁ ▁ ▁▁ Ġhello Ċ <0x0A> <unk> < s> </ s> <|> [INST] [/INST]
Mr. O'Neill's dog didn't've barked; y'all'd've heard. It's 5 o'clock'S
""".splitlines()

SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n", "\n ", "\t\t", "      ", "\u00a0", "\u3000", "\r", "\v", "\f",
          "\u2009", "\u2028", " " * 40, "\n" * 5, "\u0085", "\u1680"]
JOINERS = ["", "", " ", " ", "'", "-", ".", "/", "\u0301", "\u0323", "\u200d", "_", "\u030a", "\ufe0f", "\u20dd"]

# of most scripts, without what newer Unicode versions assigned
RANGES = [(0x20, 0x7e)] * 6 + [(0xa0, 0x17f), (0x180, 0x24f), (0x250, 0x36f), (0x370, 0x3ff), (0x400, 0x4ff), (0x531, 0x5f4),
          (0x620, 0x6ff), (0x900, 0x97f), (0xe01, 0xe5b), (0xf00, 0xfda), (0x10a0, 0x10ff), (0x1100, 0x11ff), (0x1e00, 0x1eff),
          (0x1f00, 0x1ffe), (0x2000, 0x206f), (0x2070, 0x218b), (0x2190, 0x23ff), (0x2460, 0x24ff), (0x2500, 0x27bf),
          (0x2c60, 0x2c7f), (0x3000, 0x30ff), (0x3131, 0x318e), (0x3400, 0x34ff), (0x4e00, 0x9fa5), (0xa640, 0xa69f),
          (0xac00, 0xd7a3), (0xe000, 0xe010), (0xf900, 0xfad9), (0xfb00, 0xfb06), (0xfb1d, 0xfb4f), (0xfe20, 0xfe2f),
          (0xff00, 0xffee), (0x1d400, 0x1d7ff), (0x1f300, 0x1f64f), (0x20000, 0x20100), (0x2f800, 0x2fa1d), (0x10400, 0x1044f),
          (0x300, 0x36f), (0x93c, 0x94d), (0x5b0, 0x5c2)]


def words():
    """The words that are written where nobody asks for anything else, the frequent ones first."""
    with open(os.path.join(ROOT, "src", "text", "words.c")) as f:
        return re.findall(r'"([a-z]+)"', f.read().split("vm_fragments")[0])


def files():
    """Lines of the project's own files: code, prose, tables, JSON."""
    for folder in "src/api", "src/http", "docs", "t", "t/golden/http":
        for name in sorted(os.listdir(os.path.join(ROOT, folder)))[:12]:
            path = os.path.join(ROOT, folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    for line in f.read(60000).splitlines(True):
                        yield line[:400]


def mixed(r, specials):
    parts = []
    for _ in range(r.randrange(1, 14)):
        kind = r.randrange(12)
        if kind < 5:
            words = r.choice(SENTENCES).split(" ")
            at = r.randrange(len(words))
            parts.append(" ".join(words[at:at + r.randrange(1, 5)]))
        elif kind < 7:
            parts.append(r.choice(SPACES))
        elif kind == 7:
            lo, hi = r.choice(RANGES)
            parts.append("".join(chr(r.randint(lo, hi)) for _ in range(r.randrange(1, 9))))
        elif kind == 8:
            parts.append("".join(chr(r.randint(*r.choice(RANGES))) for _ in range(r.randrange(1, 9))))
        elif kind == 9:
            parts.append(str(r.randrange(10 ** r.randrange(1, 12))))
        elif kind == 10 and specials:
            parts.append(r.choice(specials))
        else:
            parts.append(r.choice("abcdefghijklmnopqrstuvwxyzABCXYZ'.,") * r.randrange(1, 60))
        parts.append(r.choice(JOINERS))
    return "".join(parts)


def texts(specials, seed, n):
    """n texts with some of these special tokens in them."""
    r = random.Random(seed)
    out = [b"", b" ", b"\n", b"a", b"\xff", b"\xf0\x9f\x98", b"a\xe2\x82", b"\xed\xa0\x80", b"\xc0\x80\xf5", b"a\x00b\x01\x7f"]
    out += [s.encode() for s in SENTENCES]
    lines = list(files())
    out += r.sample(lines, min(len(lines), n // 4))
    out += [b"".join(lines[i:i + 30]) for i in range(0, len(lines) - 30, max(30, len(lines) // 100))]
    out += ["".join(s + x for s in SENTENCES for x in (r.choice(SPACES), r.choice(JOINERS))).encode() for _ in range(10)]
    for run in "a", " ", "\n", "ab", "日", "é", "!", "1", "\u0301", "A", " a", "\n ", "\u0323\u0301":
        out += [(run * k).encode() for k in (2, 3, 17, 100, 3000)]
    while len(out) < n:
        text = bytearray(mixed(r, specials).encode())
        if r.randrange(8) == 0 and text:                # no UTF-8 any more
            for _ in range(r.randrange(1, 4)):
                at = r.randrange(len(text) + 1)
                text[at:at + r.randrange(3)] = bytes(r.randrange(256) for _ in range(r.randrange(1, 4)))
        out.append(bytes(text))
    return out
