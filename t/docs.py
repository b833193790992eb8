#!/usr/bin/env python3
"""What the code declares and what the documents describe must be the same names.  Prints `N passed, N failed`."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
failed = passed = 0


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf8") as f:
        return f.read()


def say(what, *why):
    """A check that failed, if there is a why."""
    global failed, passed
    why = [w for w in why if w]
    failed, passed = failed + bool(why), passed + (not why)
    if why:
        print("FAILED %s" % what)
        print("".join("     %s\n" % w for w in why), end="")


def same(what, code, text, where):
    code, text = list(code), list(text)
    missing, unknown = sorted(set(code) - set(text)), sorted(set(text) - set(code))
    twice = sorted({n for n in text if text.count(n) > 1})
    say(what, not code and "nothing was found in the code",
        missing and "not in %s: %s" % (where, ", ".join(missing)),
        unknown and "in %s, but not in the code: %s" % (where, ", ".join(unknown)),
        twice and "more than once in %s: %s" % (where, ", ".join(twice)))


def section(path, title):
    """What stands below a heading, up to the next one of its level."""
    level, text = re.search(r"^(#+) %s$\n(.*)" % re.escape(title), read(path), re.M | re.S).groups()
    return re.split(r"^#{1,%d} " % len(level), text, flags=re.M)[0]


def rows(text):
    """The cells of all tables."""
    return [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("|")]


def names(text, pattern, column=0):
    return [n for row in rows(text) if len(row) > column for n in re.findall(pattern, row[column])]


def directives():
    code = re.findall(r'"(vllm_mock[a-z_]*)"', read("ngx_http_vllm_mock_module.c"))
    headings = re.findall(r"^### (.*)$", read("docs/directives.md"), re.M)
    same("directives, reference", code, [n for h in headings for n in re.findall(r"vllm_mock[a-z_]*", h)],
         "docs/directives.md")
    same("directives, README", code, names(section("README.md", "Directives"), r"^`(vllm_mock[a-z_]*)"), "README.md")


def variables():
    code = ["$" + v for v in re.findall(r'"(vllm_mock_[a-z_]*)"', read("src/http/variables.c"))]
    same("variables", code, names(section("docs/directives.md", "nginx variables"), r"`(\$vllm_mock_[a-z_]*)`"),
         "docs/directives.md")


def endpoints():
    code = re.findall(r'^    \{ "(/[^"]*)"', read("src/http/route.c"), re.M)
    text = read("docs/endpoints.md").split("\n## Headers")[0]
    said = names(text, r"`(/[^`]*)`", 1)
    same("endpoints", code, set(said), "docs/endpoints.md")


def environment():
    glue = "".join(read(os.path.join("src/http", f)) for f in sorted(os.listdir(os.path.join(ROOT, "src/http"))))
    code = set(re.findall(r'_env(?:_copy|_true|_str)?\("([A-Z_]+)"', glue)) | set(re.findall(r'\{ "(MOCK_[A-Z_0-9]+)"', glue))
    code |= set(re.findall(r'\{ "(VLLM_[A-Z_]+)"', read("src/api/settings.c")))
    same("environment", code, names(section("docs/directives.md", "Environment"), r"`([A-Z][A-Z_0-9]+)`"),
         "docs/directives.md")


def arguments():
    """Those that the reference explains exist; so do their short names."""
    code = set(re.findall(r'^    \{ "([a-z0-9-]+)", (?:NULL|"[a-z]+"),', read("src/api/settings.c"), re.M))
    said = set(names(section("docs/directives.md", "vllm_mock_args"), r"`--([a-z0-9-]+)`"))
    say("arguments", not said and "none are explained",
        said - code and "in docs/directives.md, but not in the code: %s" % ", ".join(sorted(said - code)))


def settings():
    """The keys of vllm_mock_engine and vllm_mock_latency are explained."""
    for what, file, title in (("vllm_mock_engine", "src/engine/options.c", "vllm_mock_engine"),
                              ("vllm_mock_latency", "src/engine/latency.c", "vllm_mock_latency")):
        code = set(re.findall(r'^    \{ "([a-z0-9_]+)", ', read(file), re.M))
        said = set(re.findall(r"[a-z0-9_]+", section("docs/directives.md", title)))
        say("keys of " + what, not code and "nothing was found in the code",
            code - said and "not in docs/directives.md: %s" % ", ".join(sorted(code - said)))


def links():
    """Documents lead to files that are there."""
    for name in ["README.md", "CONTRIBUTING.md"] + ["docs/" + f for f in sorted(os.listdir(os.path.join(ROOT, "docs")))]:
        if name.endswith(".md"):
            gone = [t for t in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(name))
                    if not os.path.exists(os.path.join(ROOT, os.path.dirname(name), t))]
            say("links of " + name, gone and "lead nowhere: " + ", ".join(gone))


def main():
    for check in directives, variables, endpoints, environment, arguments, settings, links:
        try:
            check()
        except (AttributeError, OSError) as e:
            say(check.__name__, "%s: %s" % (type(e).__name__, e))
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
