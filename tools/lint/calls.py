"""Calls that are banned everywhere, or everywhere but at their home."""

import re

from source import Finding, code

NAME = "calls"

# function names -> what to do instead
EVERYWHERE = [
    ("strcpy strcat stpcpy strncat gets", "bound it: snprintf, or memcpy with a checked length"),
    ("sprintf vsprintf", "snprintf knows the buffer's size"),
    ("strtok strtok_r", "it writes into its input; scan with an index"),
    ("atoi atol atoll atof sscanf fscanf scanf", "it cannot report bad input; parse and check"),
    ("alloca", "the stack has no limit we could name; use the caller's memory"),
    ("rand srand random srandom drand48 lrand48", "base/prng.h where it is seeded, else getrandom"),
    ("sleep usleep nanosleep", "wait for a condition, on the loop"),
    ("system popen", "no shell"),
    ("assert", "ASSERT stays on in every build"),
]

# (pattern, folders that may, what it is). A folder is a prefix of the path; a file is itself.
AT_HOME = [
    (r"mdb_\w+", ["lib/store/", "tools/dump/"], "LMDB"),
    (r"(zoo|zookeeper)_\w+", ["lib/cluster/"], "ZooKeeper's client"),
    (r"socket|socketpair|connect|bind|listen|accept4?|send|recv|sendto|recvfrom|sendmsg|recvmsg"
     r"|[gs]etsockopt|getaddrinfo|getsockname|getpeername|shutdown|epoll_\w+|select",
     ["lib/net/", "tests/"], "sockets"),
    # The loop is the daemons' clock. The store's thread times its commits for the statistics, a
    # client's thread has no loop when it makes an id, and the benchmark measures.
    (r"clock_gettime|clock_nanosleep|gettimeofday|time|clock|timespec_get|ftime|timerfd_\w+",
     ["lib/net/loop", "lib/store/", "lib/client/", "tools/bench/", "tests/"], "clocks"),
]

# Waiting for another process has no event to wait on; one place may pause between two looks.
SLEEPS_ALLOWED = ["tests/support/"]

_INSTEAD = {name: instead for names, instead in EVERYWHERE for name in names.split()}
_CALL = re.compile(r"(?<![\w.>])([a-zA-Z_]\w*)\s*\(")
# A word before the name makes it a declaration or a definition, but for these.
_BEFORE_A_CALL = {"return", "else", "do", "case", "sizeof", "goto"}


def _is_declaration(text, at):
    before = re.search(r"([\w*]+)[ \t]*$", text[max(0, at - 60):at])
    if not before or before.group(1).lstrip("*") in _BEFORE_A_CALL:
        return False
    return bool(re.fullmatch(r"[A-Za-z_]\w*\**|\*+", before.group(1))) and \
        text[max(0, at - 200):at].rsplit("\n", 1)[-1][:1].isalpha()


def _wrong(path, name):
    if name in _INSTEAD:
        if "sleep" in name and path.startswith(tuple(SLEEPS_ALLOWED)):
            return None
        return f"{name}() is banned: {_INSTEAD[name]}"
    for pattern, homes, what in AT_HOME:
        if re.fullmatch(pattern, name) and not path.startswith(tuple(homes)):
            return f"{name}(): {what} live in {' '.join(homes)} only"
    return None


def check(tree):
    for path in tree.c_files():
        text = code(tree.text(path))
        for match in _CALL.finditer(text):
            wrong = _wrong(path, match.group(1))
            if wrong and not _is_declaration(text, match.start(1)):
                yield Finding(path, text.count("\n", 0, match.start()) + 1, wrong)
