"""Words that mark unfinished work, and paths of one machine."""

import re

from source import Finding

NAME = "leftovers"

SUFFIXES = (".c", ".h", ".py", ".sh", ".cmake", ".proto", ".md", ".json", ".txt", ".in")
_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP|[Ff]or now)\b")
_PATHS = re.compile(r"(?<![\w.}$])/(home|root|work|Users)/")


def check(tree):
    scripts = {path for path, _ in tree.scripts()}
    for path in tree.files:
        # The words stand in this lint and in its selftest.
        if path.startswith("tools/lint/") or not (path.endswith(SUFFIXES) or path in scripts):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            for match in _WORDS.finditer(line):
                yield Finding(path, number, f"'{match.group()}': finish it, or file an issue")
            if _PATHS.search(line):
                yield Finding(path, number, "a path of one machine")
