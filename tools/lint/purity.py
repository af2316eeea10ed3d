"""The core and the ledger are pure: what their objects call and keep, read with nm and size.

A pure object may call the functions of PURE, and objects of settle_base that are pure themselves or
listed in TRUSTED. It keeps no state of its own: constants only, neither .data nor .bss.
"""

import os
import re
import subprocess

from source import Finding

NAME = "purity"

LIBRARIES = {
    "core": "lib/core/libsettle_core.a",
    "ledger": "participant/ledger/libsettle_ledger.a",
}
BASE = "lib/base/libsettle_base.a"

PURE = set("""memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr
    __memcpy_chk __memmove_chk __memset_chk __stack_chk_fail _GLOBAL_OFFSET_TABLE_""".split())

# Objects of base that end the process or write into the caller's buffer, and what for.
TRUSTED = {
    "assert.c.o",   # a false ASSERT prints and aborts
    "err.c.o",      # formats into the caller's struct err
}


def _lines(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")


def objects(library):
    """{object: (defined symbols, undefined symbols, bytes of .data and .bss)} of an archive."""
    found, name = {}, None
    for line in _lines("nm", library):
        if line.endswith(".o:"):
            name = line[:-1]
            found[name] = [set(), set(), 0]
        elif name and len(line.split()) >= 2:
            kind, symbol = line.split()[-2:]
            found[name][1 if kind in "Uvw" else 0].add(symbol)
    for line in _lines("size", "-A", library):
        member = re.match(r"(\S+\.o)\s+\(ex ", line)
        section = re.match(r"\.(?:data|bss|tdata|tbss)(?:\.(?!rel\.ro)\S+)?\s+(\d+)", line)
        if member:
            name = member.group(1)
        elif section and name in found:
            found[name][2] += int(section.group(1))
    return found


def impure_calls(calls, own, base):
    """The symbols among `calls` that lead out of what is pure, each with its way there."""
    providers = {symbol: name for name, entry in base.items() for symbol in entry[0]}
    todo, seen, wrong = [(c, c) for c in sorted(calls)], set(), []
    while todo:
        symbol, way = todo.pop()
        provider = providers.get(symbol)
        if symbol in PURE or symbol in own or provider in TRUSTED or symbol in seen:
            continue
        seen.add(symbol)
        if provider:
            todo += [(c, f"{way} -> {c}") for c in sorted(base[provider][1])]
        else:
            wrong.append(way)
    return sorted(wrong)


def check(tree):
    base_path = os.path.join(tree.build, BASE)
    for module, library in LIBRARIES.items():
        path = os.path.join(tree.build, library)
        folder = os.path.dirname(library) + "/"
        if not any(f.startswith(folder) for f in tree.c_files()):
            continue
        if not (os.path.exists(path) and os.path.exists(base_path)):
            yield Finding(library, 1, "not built: cmake --preset dev && cmake --build --preset dev")
            continue
        base, parts = objects(base_path), objects(path)
        own = set().union(*(entry[0] for entry in parts.values()))
        for name, (_, calls, kept) in sorted(parts.items()):
            for way in impure_calls(calls, own, base):
                yield Finding(f"{library}({name})", 1, f"{module} is pure, but calls {way}")
            if kept:
                yield Finding(f"{library}({name})", 1,
                              f"{module} is pure, but keeps {kept} bytes of state of its own")
