"""Shell scripts parse and satisfy shellcheck; Python files compile."""

import re
import shutil
import subprocess

from source import Finding

NAME = "scripts"


def _bash(tree, paths):
    for path in paths:
        run = subprocess.run(["bash", "-n", path], cwd=tree.root, capture_output=True, text=True,
                             check=False)
        for match in re.finditer(r"line (\d+): (.*)", run.stderr):
            yield Finding(path, int(match.group(1)), match.group(2))
    tool = shutil.which("shellcheck")
    if not tool:
        yield Finding("tools/lint/scripts.py", 1,
                      "shellcheck is missing: tools/install-deps --lint")
        return
    run = subprocess.run([tool, "--format=gcc", "--shell=bash", "--source-path=SCRIPTDIR",
                          "--external-sources", *paths], cwd=tree.root, capture_output=True,
                         text=True, check=False)
    for match in re.finditer(r"^(.+?):(\d+):\d+: (.*)$", run.stdout, re.M):
        yield Finding(match.group(1), int(match.group(2)), match.group(3))


def check(tree):
    shells = [path for path, language in tree.scripts() if language == "bash"]
    if shells:
        yield from _bash(tree, shells)
    for path, language in tree.scripts():
        if language == "python":
            try:
                compile(tree.text(path), path, "exec")
            except SyntaxError as error:
                yield Finding(path, error.lineno or 1, str(error.msg))
