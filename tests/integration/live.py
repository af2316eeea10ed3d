"""What the tests of the commands share: a cluster of real processes and what it says.

Everything waits for conditions with a limit and fails by name when the limit passes.
"""

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORTS = 60
SESSION_S = 2.0
TICK_S = 0.5
# I9: from the moment the faults heal, every transaction ends within this.
HEALED_LIMIT_S = SESSION_S + TICK_S + 5.0
LIMIT_S = 60.0
PAUSE_S = 0.03

build = None


def main(document):
    """The test program: the first argument is the build's folder, the others name tests."""
    global build
    if len(sys.argv) < 2 or not os.path.isdir(os.path.join(sys.argv[1], "bin")):
        sys.exit(document)
    build = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


def program(name):
    return os.path.join(build, "bin", name)


def free_base_port():
    """A port with as many free ones above it as a cluster takes."""
    def is_free(port):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
        return True

    for _ in range(200):
        base = random.randrange(20000, 32000)
        if all(is_free(port) for port in range(base, base + PORTS)):
            return base
    raise RuntimeError("no free range of ports")


def wait_for(what, condition, limit_s=LIMIT_S):
    """What condition() returned when it was true; AssertionError when the time is over."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {limit_s} s")
        time.sleep(PAUSE_S)
    return value


def new_id():
    """A UUIDv7."""
    stamp = int(time.time() * 1000).to_bytes(6, "big")
    tail = bytearray(os.urandom(10))
    tail[0] = 0x70 | tail[0] & 0x0F
    tail[2] = 0x80 | tail[2] & 0x3F
    return str(uuid.UUID(bytes=stamp + bytes(tail)))


def cents(text):
    units, _, fraction = text.lstrip("-").partition(".")
    value = int(units) * 100 + int((fraction + "00")[:2])
    return -value if text.startswith("-") else value


class Answer:
    """What a command said: exit code, its JSON lines, and its error text."""

    def __init__(self, run):
        self.code, self.out, self.err = run.returncode, run.stdout, run.stderr
        self.lines = []
        for line in run.stdout.splitlines():
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                pass

    def __getitem__(self, key):
        return self.lines[0][key]

    def __str__(self):
        return f"exit code {self.code}, said {self.out.strip()!r}, {self.err.strip()!r}"


class Live:
    """One cluster, in a folder of its own, on ports of its own."""

    def __init__(self, **shape):
        self.folder = tempfile.TemporaryDirectory(prefix="settle-live-")
        self.dir = os.path.join(self.folder.name, "c")
        self.port = free_base_port()
        words = ["--base-port", str(self.port), "--groups", "4", "--build", build]
        for name, value in shape.items():
            words += [f"--{name}", str(value)]
        self.address = self.tool("up", *words).strip().partition("=")[2]
        self.coordinators = [f"coordinator-{i + 1}" for i in range(shape.get("coordinators", 2))]
        self.banks = [f"bank-{chr(ord('a') + i)}" for i in range(shape.get("participants", 3))]

    def close(self):
        try:
            self.tool("down")
        finally:
            self.folder.cleanup()

    def tool(self, *words):
        run = subprocess.run([os.path.join(ROOT, "tools", "cluster"), *words, "--dir", self.dir],
                             capture_output=True, text=True, timeout=180, check=False)
        if run.returncode:
            raise AssertionError(f"tools/cluster {' '.join(words)}: {run.stderr}")
        return run.stdout

    def kill(self, name, signal="KILL"):
        self.tool("kill", name, signal)

    def start(self, *names):
        """Start all of them, then wait until the cluster sees them all."""
        for name in names:
            self.tool("start", name, "--no-wait")
        wait_for(f"{' '.join(names)} to serve", lambda: self.serves(names))

    def serves(self, names):
        status = self.status()
        if not status:
            return False
        seen = {c["id"] for c in status["coordinators"]}
        seen |= {p["id"] for p in status["participants"] if p["up"]}
        return all(name in seen or name == "zookeeper" for name in names)

    def log(self, name):
        with open(os.path.join(self.dir, "log", f"{name}.log"), encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def ctl(self, *words, address=None, stdin=None):
        return Answer(subprocess.run(
            [program("settlectl"), "--cluster", address or self.address, "--json", *words],
            capture_output=True, text=True, input=stdin, timeout=120, check=False))

    def ok(self, *words, stdin=None):
        answer = self.ctl(*words, stdin=stdin)
        if answer.code:
            raise AssertionError(f"settlectl {' '.join(words)}: {answer}")
        return answer

    def status(self):
        answer = self.ctl("status")
        return answer.lines[0] if answer.code == 0 else None

    def leader(self):
        """The coordinator that leads most groups, once every group has a leader."""
        def led():
            status = self.status()
            count = {c["id"]: len(c["groups"]) for c in status["coordinators"]} if status else {}
            return max(count, key=count.get) if sum(count.values()) == 4 else None
        return wait_for("a leader for every group", led)

    def account(self, name, amount="0.00", currency="EUR"):
        """Make an account with money in it."""
        self.ok("account", "create", name, "--currency", currency)
        if cents(amount):
            self.ok("deposit", "--account", name, "--amount", amount, "--currency", currency)
        return name

    def posted(self, name, currency="EUR"):
        return cents(self.ok("account", "show", name, "--currency", currency)["posted"])

    def transfer(self, source, target, amount, *words, currency="EUR"):
        return self.ctl("transfer", "--from", source, "--to", target, "--amount", amount,
                        "--currency", currency, *words)

    def assert_settled(self, limit_s=HEALED_LIMIT_S):
        """I9, I4: nothing is left in flight or in doubt, and the audit balances."""
        def empty():
            answer = self.ctl("txn", "list")
            return answer.code == 0 and not answer.lines
        wait_for("every transaction to end", empty, limit_s)
        audit = self.ok("audit")
        for line in audit.lines:
            if line["balanced"] is not True or cents(line["in_doubt"]):
                raise AssertionError(f"the audit: {line}")
        if not audit.lines:
            raise AssertionError("the audit saw no currency")


class Case(unittest.TestCase):
    """Tests on one cluster for the whole class."""

    SHAPE = {}

    @classmethod
    def setUpClass(cls):
        cls.live = Live(**cls.SHAPE)

    @classmethod
    def tearDownClass(cls):
        cls.live.close()

    def refused(self, answer, code, *words):
        """The exit code, and words that the answer or its error must contain."""
        self.assertEqual(code, answer.code, str(answer))
        for word in words:
            self.assertIn(word, answer.out + answer.err)
