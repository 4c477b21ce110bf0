"""Programs from seeds. A program is a list of operations (world.py); the seed decides everything about it."""

import random
from collections.abc import Callable
from typing import Any

Body = list[Any]
Maker = Callable[["Generator"], list[Any]]

ERRORS = ["trouble", "other", "value", "fatal", "cancelled", "timeout", "called", "exit", "interrupt"]
COMMON = ["trouble", "other", "value"]


class Generator:
    """Makes the operations of one program."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(seed)
        self.depth = 0
        self.cancellers_raise = self.chance(0.5)
        self.tables: list[list[tuple[int, Maker]]] = []

    def number(self) -> int:
        """A thing's: mostly one of the first ones, so that operations meet."""
        return min(int(self.random.expovariate(0.35)), 9)

    def numbers(self) -> list[int]:
        return [self.number() for _ in range(self.random.choice((0, 1, 2, 2, 3, 4)))]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def error(self) -> str:
        return self.random.choice(COMMON if self.chance(0.7) else ERRORS)

    def value(self) -> Any:
        return self.random.choice(
            (1, 2, "text", None, True, [], ["deferred", self.number()], ["failure", self.error()], ["error", "value"])
        )

    def ending(self) -> list[Any]:
        kind = self.random.choices(("pass", "return", "raise", "deferred", "new"), (4, 4, 3, 3, 1))[0]
        if kind == "pass":
            return ["pass"]
        if kind == "raise":
            return ["raise", self.error()]
        return ["return", self.value() if kind == "return" else [kind, self.number()]]

    def body(self) -> Body:
        operations = []
        if self.depth < 3 and self.chance(0.55):
            self.depth += 1
            operations = self.operations(self.random.choice((1, 1, 2, 3)))
            self.depth -= 1
        return [operations, self.ending()]

    def steps(self) -> Body:
        """What a generator or coroutine does."""
        steps: list[Any] = []
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            how = self.random.choices(("value", "do", "inline", "ensured", "coroutine"), (8, 3, 1, 1, 1))[0]
            what: Any
            if how == "value":
                what = self.random.choice((["deferred", self.number()], ["deferred", self.number()], ["new"], 7))
            elif self.depth >= 3:
                continue
            else:
                self.depth += 1
                what = self.operations(self.random.choice((1, 2))) if how == "do" else self.steps()
                self.depth -= 1
            steps.append([how, what, self.chance(0.4)])
        return [steps, self.ending()]

    def operations(self, count: int) -> list[Any]:
        made = []
        for _ in range(count):
            table = self.random.choice(self.tables)
            maker = self.random.choices([each for _, each in table], [weight for weight, _ in table])[0]
            made.append(maker(self))
        return made


def _new(g: Generator) -> list[Any]:
    canceller = g.body() if g.chance(0.4) else None
    if canceller and not g.cancellers_raise:
        canceller[1] = ["pass"]
    return ["new", canceller]


def _race(g: Generator) -> list[Any]:
    return ["race", g.numbers()]


def _add(g: Generator) -> list[Any]:
    return ["add", g.number(), g.one("callback", "errback", "both", "callbacks"), g.body(), g.body()]


def _trap(g: Generator) -> list[Any]:
    names = [g.random.choice(ERRORS) for _ in range(g.one(1, 2))]
    return ["trap", g.number(), names, g.chance(0.4)]


DEFERREDS: list[tuple[int, Maker]] = [
    (8, _new),
    (2, lambda g: ["succeed", g.value()]),
    (2, lambda g: ["fail", g.error()]),
    (14, _add),
    (9, lambda g: ["fire", g.number(), g.value()]),
    (6, lambda g: ["err", g.number(), None if g.depth == 0 and g.chance(0.1) else g.error()]),
    (6, lambda g: ["cancel", g.number()]),
    (2, lambda g: ["pause", g.number()]),
    (3, lambda g: ["unpause", g.number()]),
    (2, lambda g: ["chain", g.number(), g.number()]),
    (2, lambda g: ["drop", g.number()]),
    (5, lambda g: ["look", g.number()]),
    (3, _trap),
]

SEVERAL: list[tuple[int, Maker]] = [
    (3, lambda g: ["deferred_list", g.numbers(), g.chance(0.3), g.chance(0.3), g.chance(0.3)]),
    (3, lambda g: ["gather", g.numbers(), g.chance(0.4)]),
    (3, _race),
    (2, lambda g: ["maybe", g.body()]),
    (1, lambda g: ["execute", g.body()]),
]

COROUTINES: list[tuple[int, Maker]] = [
    (5, lambda g: ["inline", g.steps()]),
    (5, lambda g: ["coroutine", g.steps(), g.one("ensure", "ensure", "from", "maybe")]),
]

LOCKS: list[tuple[int, Maker]] = [
    (2, lambda g: ["lock", g.one(1, 1, 2)]),
    (4, lambda g: ["acquire", g.number()]),
    (4, lambda g: ["release", g.number()]),
    (3, lambda g: ["locked", g.number(), g.body()]),
    (2, lambda g: ["lock_state", g.number()]),
    (1, lambda g: ["queue", g.one(None, None, 0, 1, 2), g.one(None, None, 0, 1, 2)]),
    (3, lambda g: ["put", g.number(), g.one(1, None, "text", ["error", "value"], ["deferred", g.number()])]),
    (3, lambda g: ["get", g.number()]),
    (1, lambda g: ["queue_state", g.number()]),
]


def _delay(g: Generator) -> float:
    return g.random.choice((0, 0, 0.5, 1, 1.5, 2, 3))


TIMERS: list[tuple[int, Maker]] = [
    (8, lambda g: ["later", _delay(g) if g.chance(0.95) else -1, g.body()]),
    (10, lambda g: ["advance", _delay(g)] if g.depth == 0 else ["calls_left"]),
    (3, lambda g: ["call_cancel", g.number()]),
    (3, lambda g: ["call_reset", g.number(), _delay(g)]),
    (3, lambda g: ["call_delay", g.number(), g.one(-2, -1, 0, 1, 2.5)]),
    (3, lambda g: ["call_state", g.number()]),
    (2, lambda g: ["calls_left"]),
    (3, lambda g: ["timeout", g.number(), _delay(g), g.body() if g.chance(0.3) else None]),
    (3, lambda g: ["defer_later", _delay(g), g.body() if g.chance(0.7) else None]),
]


def _task_do(g: Generator) -> list[Any]:
    # Resumed while it waits, or stopped in what it waits for, a task of Twisted's is run twice.
    return ["task_do", g.number(), g.one("pause", "stop", "whenDone") if g.depth == 0 else "whenDone"]


LOOPS: list[tuple[int, Maker]] = [
    (2, lambda g: ["looping", g.body(), g.chance(0.3)]),
    (4, lambda g: ["loop_start", g.number(), g.one(0.5, 1, 2, 2, -1), g.chance(0.5)]),
    (2, lambda g: ["loop_stop", g.number()]),
    (1, lambda g: ["loop_reset", g.number()]),
    (1, lambda g: ["loop_state", g.number()]),
    (1, lambda g: ["cooperator", g.one(1, 2, 5), g.chance(0.8)]),
    (3, lambda g: ["cooperate", g.number(), [g.body() for _ in range(g.one(0, 1, 2, 4))]]),
    (1, lambda g: ["coiterate", g.number(), [g.body() for _ in range(g.one(0, 1, 2, 4))]]),
    (1, lambda g: ["cooperator_do", g.number(), g.one("start", "running")]),
    (4, _task_do),
]


def deferreds(g: Generator) -> list[Any]:
    # In Twisted a canceller that raises while a race is decided keeps it from ending (docs/twisted.md): not together.
    several = [each for each in SEVERAL if each[1] is not _race] if g.cancellers_raise else SEVERAL
    g.tables = [DEFERREDS, DEFERREDS, DEFERREDS, several, COROUTINES]
    start = [_new(g) for _ in range(g.one(1, 2, 3, 4))]
    return start + g.operations(g.random.randint(3, 20))


def locks(g: Generator) -> list[Any]:
    g.tables = [DEFERREDS, LOCKS, LOCKS, COROUTINES]
    start: list[Any] = [["lock", g.one(1, 1, 2)], ["queue", g.one(None, 1, 2), g.one(None, 0, 1)]]
    return start + g.operations(g.random.randint(3, 20))


def timers(g: Generator) -> list[Any]:
    g.tables = [DEFERREDS, TIMERS, TIMERS, LOOPS]
    start: list[Any] = [["real_timers"]] if g.chance(0.5) else []
    start += [["looping", g.body(), False], ["cooperator", 2, True], ["new", None]]
    return start + g.operations(g.random.randint(3, 20)) + [["advance", 0.5], ["advance", 1], ["advance", 3]]


# Connections. One side of a program is the closer: all that ends a connection is done there, and the other side writes
# only when nothing is under way, and never stops reading. Where both ends close, or one writes while the other closes,
# what each of them sees depends on who comes first, and the order of the events of one wait is not promised.

WRITING: list[tuple[int, Maker]] = [
    (8, lambda g: ["write", g.one("a", "b", "c"), g.one(0, 1, 3, 10, 10, 1000)]),
    (1, lambda g: ["write_bad", g.one("text", None, 7)]),
    (1, lambda g: ["write_sequence", [g.one("d", "e") for _ in range(g.one(0, 1, 2, 3))]]),
]

PRODUCING: list[tuple[int, Maker]] = [
    (3, lambda g: ["register", g.chance(0.5), g.one(0, 1, 2, 3), g.one(1, 10, 70000)]),
    (1, lambda g: ["unregister"]),
]

QUIET: list[tuple[int, Maker]] = [
    (3, lambda g: ["resume"]),
    (2, lambda g: ["state"]),
    (1, lambda g: [g.one("peer", "host")]),
]

CLOSING: list[tuple[int, Maker]] = [
    (2, lambda g: ["pause"]),
    (5, lambda g: ["lose"]),
    (1, lambda g: ["write", "d", 70000]),
    (3, lambda g: ["lose_write"]),
    (1, lambda g: ["stop"]),
]

ALL = WRITING + QUIET + CLOSING


def _acts(g: Generator, table: list[tuple[int, Maker]], raising: bool = False) -> Body:
    operations = []
    if g.depth < 2:
        g.depth += 1
        makers = g.random.choices([each for _, each in table], [weight for weight, _ in table], k=g.one(1, 1, 2, 3))
        operations = [maker(g) for maker in makers]
        g.depth -= 1
    closes = any(name in ("lose", "abort", "lose_write", "stop") for name, *_ in operations)
    return [operations, ["raise", g.error()] if raising and not closes and g.chance(0.15) else ["pass"]]


def _script(g: Generator, closer: bool) -> dict[str, Any]:
    table = ALL if closer else QUIET
    script: dict[str, Any] = {"half": g.chance(0.4), "closer": closer}
    if g.chance(0.6):
        script["made"] = _acts(g, table, closer)
    if g.chance(0.6):
        marks = [g.one(1, 3, 10, 11, 20, 1000) for _ in range(g.one(1, 2, 3))]
        script["received"] = [[mark, _acts(g, table, closer)] for mark in marks]
    for when in ("read lost", "write lost"):
        if g.chance(0.3):
            script[when] = _acts(g, table, closer)
    if g.chance(0.3):
        script["lost"] = _acts(g, table)  # Twisted forgets the connector when this raises
    return script


def _client_script(g: Generator, closer: bool) -> dict[str, Any]:
    script = _script(g, closer)
    if "made" in script:
        script["made"][1] = ["pass"]  # on UNIX sockets Twisted keeps a connection whose connectionMade raised
    if closer:
        for when in ("failed", "client lost"):
            if g.chance(0.15):
                script[when] = ["connect"]
    return script


def _closing_act(g: Generator) -> Body:
    # What was written before an abort arrives or does not: abort only when nothing is under way.
    return [[["abort"]], ["pass"]] if g.chance(0.15) else _acts(g, ALL + PRODUCING)


def _stream(g: Generator, clients_close: bool) -> list[Any]:
    kind = g.random.choices(("act", "connect", "connector", "settle", "stop", "listen"), (8, 2, 1, 1, 1, 1))[0]
    if kind == "act":
        return ["act", g.number(), _closing_act(g), _acts(g, WRITING + QUIET)]
    if kind == "connect":
        return ["connect", g.number(), _client_script(g, clients_close)]
    if kind == "connector" and clients_close:
        return ["connector_do", g.number(), g.one("connect", "disconnect", "stopConnecting")]
    if kind == "stop":
        return ["stop_listening", g.number()]
    if kind == "listen":
        return ["listen", g.one("tcp", "unix"), _script(g, not clients_close)]
    return ["settle"]


def streams(g: Generator) -> list[Any]:
    clients_close = g.chance(0.5)
    made: list[Any] = [
        ["listen", g.one("tcp", "tcp", "unix"), _script(g, not clients_close)],
        ["connect", 0, _client_script(g, clients_close)],
    ]
    return made + [_stream(g, clients_close) for _ in range(g.random.randint(0, 8))] + [["settle"]]


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


# What goes round a protocol, and endpoints' strings.


def _outer_do(g: Generator) -> list[Any]:
    what = g.one("feed", "feed", "write", "write", "sequence", "lose", "lost", "timeout", "timeout", "reset")
    body = [[["outer_do", g.number(), g.one("reset", "write", "lose"), 1, None]], ["pass"]] if g.chance(0.4) else None
    return ["outer_do", g.number(), what, g.one(0, 1, 2, 3, 10, 50), body]


WRAPPED: list[tuple[int, Maker]] = [
    (3, lambda g: ["wrap", g.number()]),
    (8, _outer_do),
    (5, lambda g: ["advance", g.one(0, 0.5, 1, 1, 2, 5)]),
    (1, lambda g: ["calls_left"]),
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
    made: list[Any] = [["throttle", g.one(1, 2, 99), g.one(None, 5, 10)], ["wrap", 0], ["wrap", 0]]
    return made + g.operations(g.random.randint(3, 20))


KINDS: list[tuple[int, Callable[[Generator], list[Any]]]] = [
    (4, deferreds),
    (2, locks),
    (4, timers),
    (4, streams),
    (3, messages),
    (1, wrapped),
]


def program(seed: int, kinds: list[str] | None = None) -> list[Any]:
    """The program of this seed."""
    g = Generator(seed)
    chosen = [(weight, kind) for weight, kind in KINDS if kinds is None or kind.__name__ in kinds]
    return g.random.choices([kind for _, kind in chosen], [weight for weight, _ in chosen])[0](g)
