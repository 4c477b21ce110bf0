"""Programs of receivers of messages."""

from typing import Any

from making.generator import COMMON, Body, Generator

# Receivers of messages. What a receiver is fed is made of pieces that mean something to it, cut anywhere.

PIECES: dict[str, tuple[str, ...]] = {
    "lines": ("a", "bc", "\r\n", "\r\n", "\r\n", "\r", "\n", ";", "defgh", ""),
    "only lines": ("a", "bc", "\r\n", "\r\n", "\r\n", "\r", "\n", "defgh", ""),
    "netstrings": (
        "0:,",
        "1:a,",
        "3:bcd,",
        "3:bc",
        "d,",
        "12:abcdefghijkl,",
        "1:a;",
        "01:a,",
        "x",
        ":",
        "5",
        "20:",
        "",
    ),
    "strings 8": ("\0", "\1a", "\3bcd", "\3bc", "d", "\14abcdefghijkl", "\40"),
    "strings 16": ("\0\0", "\0\1a", "\0\3bcd", "\0\3bc", "d", "\0", "\0\14abcdefghijkl", "\1\0"),
}


def _fed(g: Generator, kind: str) -> str:
    return "".join(g.random.choice(PIECES[kind]) for _ in range(g.one(1, 1, 2, 3, 5, 8)))


def _receivers_act(g: Generator, kind: str, inside: bool) -> list[Any]:
    names = ["lose", "longest", "send string"] if "lines" not in kind else ["lose", "longest", "send line"]
    if kind != "only lines":
        names += ["pause", "pause", "stop"]
    if kind == "lines":
        names += ["raw", "raw", "line", "line", "clear", "delimiter"]
    if kind == "lines" or not inside:  # Twisted tells of a string again when it is given more, or resumed, meanwhile
        names += ["feed"] if kind == "only lines" else ["feed", "resume", "resume"]
    name = "feed" if not inside and g.chance(0.7) else g.random.choice(names)
    if name in ("feed", "line"):
        return [name, _fed(g, kind)]
    if name in ("send line", "send string"):
        return [name, g.one("", "x", "yz", "z" * 300)]
    if name == "longest":
        return [name, g.one(1, 2, 5, 12, 99999)]
    return [name, g.one(";", "\n", "\r\n")] if name == "delimiter" else [name]


def _receivers_body(g: Generator, kind: str) -> Body:
    acts = [_receivers_act(g, kind, True) for _ in range(g.one(0, 0, 1, 1, 2))]
    ending = g.random.choices((["pass"], ["return", 1], ["raise", g.one(*COMMON)]), (8, 1, 1))[0]
    return [acts, ending]


def messages(g: Generator) -> list[Any]:
    kind = g.random.choice([*PIECES, "lines", "lines"])
    bodies = [_receivers_body(g, kind) for _ in range(g.one(0, 2, 4, 8))]
    made: list[Any] = [["receiver", kind, g.one(99999, 5, 12), bodies]]
    return made + [["receiver_do", 0, _receivers_act(g, kind, False)] for _ in range(g.random.randint(1, 12))]
