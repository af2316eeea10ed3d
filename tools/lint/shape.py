"""Sizes: functions, parameters, nesting, files, lines."""

from source import Finding, closing, functions

NAME = "shape"

FUNCTION_LINES = 70
PARAMETERS = 6
NESTING = 3
FILE_LINES = 600
COLUMNS = 100

LINE_SUFFIXES = (".c", ".h", ".py", ".sh", ".cmake", ".proto", "CMakeLists.txt")


class _Nesting:
    """Walks the statements of a body; `deepest` is the largest depth and its line."""

    def __init__(self, body):
        self.toks = body
        self.deepest = (0, body[0].line)

    def word(self, at):
        return self.toks[at].text if at < len(self.toks) else ""

    def enter(self, at, depth):
        if depth > self.deepest[0]:
            self.deepest = (depth, self.toks[at].line)

    def skip_parens(self, at):
        return closing(self.toks, at) + 1 if self.word(at) == "(" else at

    def simple(self, at):
        """Past the ';' that ends the statement at `at`, or before the '}' of its block."""
        while at < len(self.toks) and self.word(at) not in (";", "}"):
            at = closing(self.toks, at) + 1 if self.word(at) in ("(", "[", "{") else at + 1
        return at + 1 if self.word(at) == ";" else at

    def block(self, at, depth):
        at += 1
        while at < len(self.toks) and self.word(at) != "}":
            at = self.statement(at, depth)
        return at + 1

    def branch(self, at, depth):
        self.enter(at, depth + 1)
        at = self.statement(self.skip_parens(at + 1), depth + 1)
        while self.word(at) == "else":
            if self.word(at + 1) == "if":
                at = self.statement(self.skip_parens(at + 2), depth + 1)
            else:
                at = self.statement(at + 1, depth + 1)
        return at

    def statement(self, at, depth):
        word = self.word(at)
        if word == "{":
            return self.block(at, depth)
        if word == "if":
            return self.branch(at, depth)
        if word in ("for", "while", "switch"):
            self.enter(at, depth + 1)
            return self.statement(self.skip_parens(at + 1), depth + 1)
        if word == "do":
            self.enter(at, depth + 1)
            return self.simple(self.statement(at + 1, depth + 1))
        if word in ("case", "default"):
            while at < len(self.toks) and self.word(at) not in (":", "}"):
                at += 1
            return at + 1 if self.word(at) == ":" else at
        return self.simple(at)


def nesting(function):
    walk = _Nesting(function.body)
    walk.block(0, 0)
    return walk.deepest


def _functions(tree, path):
    for function in functions(tree.text(path)):
        name = function.name
        if function.lines() > FUNCTION_LINES:
            yield Finding(path, function.line,
                          f"{name}() has {function.lines()} lines; at most {FUNCTION_LINES}")
        if function.parameters > PARAMETERS:
            yield Finding(path, function.line,
                          f"{name}() has {function.parameters} parameters; at most {PARAMETERS}")
        depth, line = nesting(function)
        if depth > NESTING:
            yield Finding(path, line, f"{name}() nests {depth} deep; at most {NESTING}")


def check(tree):
    for path in tree.c_files():
        yield from _functions(tree, path)
        count = tree.text(path).count("\n")
        if count > FILE_LINES:
            yield Finding(path, count, f"the file has {count} lines; at most {FILE_LINES}")
    scripts = {path for path, _ in tree.scripts()}
    for path in tree.files:
        if path.endswith(LINE_SUFFIXES) or path in scripts:
            for number, line in enumerate(tree.text(path).split("\n"), 1):
                if len(line) > COLUMNS:
                    yield Finding(path, number, f"{len(line)} columns; at most {COLUMNS}")
