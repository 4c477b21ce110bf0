"""Programs of Deferreds, coroutines, locks and queues."""

from typing import Any

from making.generator import ERRORS, Generator, Maker


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
