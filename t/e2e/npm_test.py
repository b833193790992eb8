#!/usr/bin/env python3
"""Clients of npm: OpenAI's (openai.mjs), Anthropic's (anthropic.mjs), Vercel's (aisdk.mjs).

Each file says what it checks.  Their versions are pinned in package.json (all of them run on Node 18); they are
installed below build/."""
import glob
import os
import shutil
import subprocess
import sys

from programs import BUILD, CALLS, HERE, SERVER, run, same

DIR = os.path.join(BUILD, "npm")
CHECKS = {"openai.mjs": SERVER, "anthropic.mjs": CALLS, "aisdk.mjs": CALLS}


def install():
    wanted, have = os.path.join(HERE, "package.json"), os.path.join(DIR, "installed.json")
    if not same(wanted, have):
        os.makedirs(DIR, exist_ok=True)
        shutil.copy(wanted, os.path.join(DIR, "package.json"))
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit"], cwd=DIR, check=True)
        shutil.copy(wanted, have)
    for file in glob.glob(os.path.join(HERE, "*.mjs")):     # they find the clients beside themselves
        shutil.copy(file, DIR)


if __name__ == "__main__":
    sys.exit(run("npm", install, {file: (server, ["node", os.path.join(DIR, file)]) for file, server in CHECKS.items()}))
