"""C files are as clang-format 14 writes them (.clang-format)."""

import os
import re
import shutil
import subprocess

from source import Finding

NAME = "format"


def check(tree):
    tool = shutil.which("clang-format-14")
    if not tool:
        yield Finding(".clang-format", 1, "clang-format-14 is missing: tools/install-deps --lint")
        return
    files = tree.c_files()
    if not files:
        return
    run = subprocess.run([tool, "--dry-run", "--Werror", *files], cwd=tree.root,
                         capture_output=True, text=True, check=False)
    for match in re.finditer(r"^(.+?):(\d+):\d+: error: ", run.stderr, re.M):
        path = os.path.normpath(match.group(1))
        yield Finding(path, int(match.group(2)), f"not formatted: clang-format-14 -i {path}")
    if run.returncode and "error:" not in run.stderr:
        yield Finding(".clang-format", 1, run.stderr.strip())
