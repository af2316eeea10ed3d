"""What every lint reads: the tree's files, and C text without what a lint must not see.

A lint is a module with a docstring, a `NAME`, and `check(tree)`, which yields findings. It reads
the tree and nothing else, so that selftest can hand it a small tree with a planted fault.
"""

import os
import re
import subprocess
from typing import Iterator, List, NamedTuple, Optional


class Finding(NamedTuple):
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class Tree:
    """The files of a source tree, by their path from its top."""

    def __init__(self, root: str, build: Optional[str] = None):
        self.root = root
        self.build = build or os.path.join(root, "build", "dev")
        self.files = sorted(self._list())
        self._texts = {}

    def _list(self) -> List[str]:
        git = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, capture_output=True, check=False)
        if git.returncode == 0:
            names = git.stdout.decode().split("\0")
            return [n for n in names if n and os.path.isfile(os.path.join(self.root, n))]
        names = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f not in ("build", ".git")]
            names += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
        return names

    def text(self, path: str) -> str:
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def matching(self, *suffixes: str) -> List[str]:
        return [f for f in self.files if f.endswith(suffixes)]

    def c_files(self) -> List[str]:
        return self.matching(".c", ".h")

    def scripts(self) -> Iterator[tuple]:
        """(path, interpreter) of every file that starts with #!, or ends in .py or .sh."""
        for path in self.files:
            if path.endswith((".py", ".sh")) or "." not in os.path.basename(path):
                first = self.text(path).split("\n", 1)[0]
                if "python" in first or path.endswith(".py"):
                    yield path, "python"
                elif first.startswith("#!") and re.search(r"\b(ba)?sh\b", first):
                    yield path, "bash"


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


_LITERALS = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|->|\.\.\.|\n|\S")


def without_comments(text: str) -> str:
    """The text with comments made spaces; lines and columns stay."""
    def keep_strings(match):
        return _blank(match.group()) if match.group().startswith("/") else match.group()
    return _LITERALS.sub(keep_strings, text)


def code(text: str) -> str:
    """The text with comments and the inside of literals made spaces; directives stay."""
    def empty(match):
        word = match.group()
        if word.startswith("/"):
            return _blank(word)
        return word[0] + " " * (len(word) - 2) + word[-1]
    return _LITERALS.sub(empty, text)


class Token(NamedTuple):
    text: str
    line: int


def tokens(text: str) -> List[Token]:
    """The tokens of C text, without comments and preprocessor directives."""
    line, found = 1, []
    for match in _TOKEN.finditer(_DIRECTIVE.sub(lambda m: _blank(m.group()), code(text))):
        if match.group() == "\n":
            line += 1
        else:
            found.append(Token(match.group(), line))
    return found


def closing(toks: List[Token], at: int) -> int:
    """The index of the bracket that closes the one at `at`; the last token if none does."""
    opens, closes = "([{", ")]}"
    depth = 0
    for index in range(at, len(toks)):
        if toks[index].text in opens:
            depth += 1
        elif toks[index].text in closes:
            depth -= 1
            if depth == 0:
                return index
    return len(toks) - 1


class Function(NamedTuple):
    name: str
    line: int            # of its name
    parameters: int
    body: List[Token]    # with its braces

    def lines(self) -> int:
        """Lines between the braces."""
        return max(0, self.body[-1].line - self.body[0].line - 1)


_NO_NAMES = {"__attribute__", "_Alignas", "_Static_assert"}


def _parameter_count(toks: List[Token]) -> int:
    if not toks or (len(toks) == 1 and toks[0].text == "void"):
        return 0
    depth, count = 0, 1
    for token in toks:
        if token.text in "([{":
            depth += 1
        elif token.text in ")]}":
            depth -= 1
        elif token.text == "," and depth == 0:
            count += 1
    return count - 1 if toks[-1].text == "..." else count


def functions(text: str) -> Iterator[Function]:
    """Every function defined in C text."""
    toks = tokens(text)
    index, start = 0, None
    while index < len(toks):
        word = toks[index].text
        named = index > 0 and re.match(r"[A-Za-z_]", toks[index - 1].text) and \
            toks[index - 1].text not in _NO_NAMES
        if word == "(" and start is None and named:
            end = closing(toks, index)
            start = (toks[index - 1], _parameter_count(toks[index + 1:end]))
            index = end
        elif word in "([":
            index = closing(toks, index)
        elif word == "{":
            end = closing(toks, index)
            if start:
                yield Function(start[0].text, start[0].line, start[1], toks[index:end + 1])
                start = None
            index = end
        elif word in (";", "=", ","):
            start = None
        index += 1
