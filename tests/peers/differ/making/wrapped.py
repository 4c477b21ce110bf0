"""Programs of what goes round a protocol, and of endpoints' strings."""

from typing import Any

from making.generator import Generator, Maker


def _outer_do(g: Generator) -> list[Any]:
    what = g.one("feed", "feed", "write", "write", "sequence", "lose", "lost", "timeout", "timeout", "reset", "pass on")
    body = [[["outer_do", g.number(), g.one("reset", "write", "lose"), 1, None]], ["pass"]] if g.chance(0.4) else None
    return ["outer_do", g.number(), what, g.one(0, 1, 2, 3, 10, 50), body]


WRAPPED: list[tuple[int, Maker]] = [
    (3, lambda g: ["wrap", g.number()]),
    (8, _outer_do),
    (5, lambda g: ["advance", g.one(0, 0.5, 1, 1, 2, 5)]),
    (1, lambda g: ["calls_left"]),
    (1, lambda g: ["log_files"]),
]

WORDS = (
    "tcp",
    "tcp",
    "unix",
    "ssl",
    "tls",
    "fd",
    ":",
    ":",
    ":",
    ":",
    "80",
    "8000",
    "0",
    "-1",
    "port=",
    "host=",
    "127.0.0.1",
)
MORE_WORDS = ("interface=", "backlog=", "timeout=", "5", "path", "mode=", "666", "lockfile=", "\\:", "=", "x", "", "é")


def _endpoint(g: Generator) -> list[Any]:
    if g.chance(0.5):
        text = "".join(g.random.choice(WORDS + MORE_WORDS) for _ in range(g.random.randint(0, 8)))
    else:
        options = ["8000", "port=80", "127.0.0.1", "host=127.0.0.1", "backlog=5", "interface=127.0.0.1", "timeout=3"]
        options += [
            "interface=\\:\\:1",
            "timeout=x",
            "mode=666",
            "lockfile=0",
            "address=a",
            "path",
            "bindAddress=::1",
            "",
        ]
        chosen = [g.random.choice(options) for _ in range(g.one(0, 1, 2, 2, 3))]
        for twice, plain in (("port=80", "8000"), ("host=127.0.0.1", "127.0.0.1")):
            if plain in chosen:  # of two that are named, Twisted takes one
                chosen = [each for each in chosen if each != twice]
        text = ":".join([g.one("tcp", "tcp", "unix"), *chosen])
    return ["endpoint", g.chance(0.5), text]


def wrapped(g: Generator) -> list[Any]:
    if g.chance(0.2):
        return [_endpoint(g) for _ in range(5)]
    g.tables = [WRAPPED]
    kind = g.one("throttle", "throttle", "wrap", "time", "log", "limit")
    made: list[Any] = [["policy", kind, g.one(1, 2, 99), g.one(None, 5, 10)], ["wrap", 0], ["wrap", 0]]
    return made + g.operations(g.random.randint(3, 20)) + [["log_files"]]
