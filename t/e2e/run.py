"""Runs the checks of the files that are named, or of all: run.py [sdk] [schemas] [frameworks] [agent] [recipes]"""
import importlib
import sys

import checks

ALL = ["sdk", "schemas", "frameworks", "agent", "recipes"]

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        importlib.import_module(name)
    sys.exit(checks.run())
