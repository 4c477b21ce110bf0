"""Programs of timers, loops and tasks."""

from typing import Any

from making.deferreds import DEFERREDS
from making.generator import Generator, Maker


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


def timers(g: Generator) -> list[Any]:
    g.tables = [DEFERREDS, TIMERS, TIMERS, LOOPS]
    start: list[Any] = [["real_timers"]] if g.chance(0.5) else []
    start += [["looping", g.body(), False], ["cooperator", 2, True], ["new", None]]
    return start + g.operations(g.random.randint(3, 20)) + [["advance", 0.5], ["advance", 1], ["advance", 3]]
