"""Who may include whom: dependencies are a line, never a loop (lib/ARCHITECTURE.md).

base < core < {wire, store, cluster}; net on base; runtime and client know the adapters; the daemons
are thin. An adapter never includes another adapter; only net's loop.h is open to cluster. A header
NAME_internal.h belongs to its own folder. Libraries and system interfaces have one home each.
"""

import os
import re

from source import Finding, without_comments

NAME = "layers"

# folder -> what it may include, as folders or single headers; the longest matching folder rules.
MAY = {
    "lib/include/settle": ["lib/include/settle"],
    "lib/base": [],
    "lib/core": ["lib/base"],
    "lib/wire": ["lib/base", "lib/core"],
    "lib/store": ["lib/base", "lib/core"],
    "lib/cluster": ["lib/base", "lib/core", "lib/net/loop.h"],
    "lib/net": ["lib/base"],
    "lib/runtime": ["lib/base", "lib/core", "lib/wire", "lib/store", "lib/cluster", "lib/net"],
    # libsettle keeps nothing on disk.
    "lib/client": ["lib/base", "lib/core", "lib/wire", "lib/cluster", "lib/net",
                   "lib/include/settle"],
    "participant/ledger": ["lib/base", "lib/core/types.h"],
    "participant": ["lib/base", "lib/core", "lib/wire", "lib/store", "lib/cluster", "lib/net",
                    "lib/runtime", "participant/ledger"],
    "coordinator": ["lib/base", "lib/core", "lib/wire", "lib/store", "lib/cluster", "lib/net",
                    "lib/runtime"],
    # The commands use libsettle and nothing else.
    "tools": ["lib/include/settle"],
    # The simulator runs the sources that the daemons run, and no adapter that touches the world.
    "tests/sim": ["lib/base", "lib/core", "lib/wire", "lib/runtime/outbox.h",
                  "participant/ledger", "tests/support"],
    "tests": ["lib", "participant", "coordinator", "tools", "tests/support"],
}

# What the quotes of an #include are relative to, besides the file's own folder.
SEARCH = ["lib", "lib/include", "participant", "tests", "tools", "."]

PURE = ("lib/core", "participant/ledger")
PURE_HEADERS = {"limits.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
                "string.h", "inttypes.h"}

# (headers, folders where they may be included, what they are)
HOMES = [
    (r"lmdb\.h", ["lib/store"], "LMDB"),
    (r"zookeeper/.*", ["lib/cluster"], "ZooKeeper's client"),
    (r"event2?/.*|event\.h", ["lib/net", "lib/cluster"], "libevent"),
    (r"protobuf-c/.*|.*\.pb-c\.h", ["lib/wire"], "protobuf"),
    (r"openssl/.*", ["lib/wire", "lib/net", "lib/client"], "OpenSSL"),
    (r"ini\.h", ["lib/runtime"], "libinih"),
    (r"jansson\.h", ["tools"], "jansson"),
    (r"(sys/(socket|un|epoll)|netdb|netinet/.*|arpa/inet)\.h", ["lib/net"], "sockets"),
]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def home(path):
    """The longest folder of MAY that holds `path`."""
    owners = [f for f in MAY if path.startswith(f + "/")]
    return max(owners, key=len) if owners else None


def resolve(tree_files, path, name):
    """The file of the tree that an #include "name" means, or None (a generated header)."""
    for folder in [os.path.dirname(path), *SEARCH]:
        target = os.path.normpath(os.path.join(folder, name))
        if target in tree_files:
            return target
    return None


def _within(path, folders):
    return any(path == f or path.startswith(f + "/") for f in folders)


def _quoted(owner, path, target):
    folder = os.path.dirname(target)
    if target.endswith("_internal.h") and not path.startswith(folder + "/"):
        return f'"{target}" is for {folder} alone'
    if target.startswith(owner + "/") and home(target) == owner:
        return None
    if _within(target, MAY[owner]):
        return None
    allowed = ", ".join(MAY[owner]) or "nothing but itself"
    return f'"{target}" is out of reach: {owner} may include {allowed}'


def _system(path, name):
    if path.startswith("tests/"):
        return None
    for pattern, folders, what in HOMES:
        if re.fullmatch(pattern, name) and not _within(path, folders):
            return f"<{name}> is {what}: only in {', '.join(folders)}"
    if _within(path, PURE) and name not in PURE_HEADERS and not name.endswith(".pb-c.h"):
        return f"<{name}> in a pure module: only {' '.join(sorted(PURE_HEADERS))}"
    return None


def check(tree):
    files = set(tree.files)
    for path in tree.c_files():
        owner = home(path)
        if not owner:
            yield Finding(path, 1, "C code outside the folders of the layers")
            continue
        text = without_comments(tree.text(path))
        for match in _INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            name = match.group(2)
            target = resolve(files, path, name) if match.group(1) == '"' else None
            wrong = _quoted(owner, path, target) if target else _system(path, name)
            if wrong:
                yield Finding(path, line, wrong)
