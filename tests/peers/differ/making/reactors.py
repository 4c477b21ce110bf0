"""Programs of a reactor's events, its end, and its threads."""

from typing import Any

from making.deferreds import DEFERREDS
from making.generator import Generator, Maker


def _phase(g: Generator) -> str:
    return str(g.one("before", "during", "after", "before") if g.chance(0.97) else "between")


TRIGGERS: list[tuple[int, Maker]] = [
    (8, lambda g: ["trigger", _phase(g), g.one("shutdown", "shutdown", "startup", "feast"), g.body()]),
    (3, lambda g: ["trigger_remove", g.number()]),
    (2, lambda g: ["fire_event", "feast"]),  # "startup" is the reactor's to fire
    (2, lambda g: ["when_running", g.body()]),
    (1, lambda g: ["stop_reactor"]),
    (2, lambda g: ["turn", g.one(1, 2)] if g.depth == 0 else ["look", g.number()]),
]


def triggers(g: Generator) -> list[Any]:
    g.tables = [DEFERREDS, TRIGGERS, TRIGGERS]
    made = [["new", None], *g.operations(g.random.randint(3, 16))]
    return made + [["fire_event", "feast"], ["stop_reactor"], ["turn", 3]] + g.operations(3) + [["turn", 2]]


def _job(g: Generator, alone: bool) -> list[Any]:
    steps = []
    for how in g.random.choices(("call", "call", "blocking"), k=g.one(0, 1, 2, 3)):
        told = g.ending() if alone or how == "blocking" else ["pass"]  # which of two is reported first is not known
        steps.append([how, told])
    ending = g.random.choices((["pass"], ["return", g.one(1, "x", None)], ["raise", g.error()]), (2, 3, 2))[0]
    return [steps, ending]


def _jobs(g: Generator) -> list[Any]:
    if g.depth:
        return ["call_from_thread", g.body()]
    how = g.one("deferred", "deferred", "deferred", "cancelled", "with result", "in thread")
    several = g.one(1, 1, 1, 2, 4)
    return ["in_threads", [_job(g, several == 1) for _ in range(several)], how]


JOBS: list[tuple[int, Maker]] = [
    (5, _jobs),
    (1, lambda g: ["call_from_thread", g.body()]),
    (1, lambda g: ["turn", 1] if g.depth == 0 else ["look", g.number()]),
]


def jobs(g: Generator) -> list[Any]:
    g.tables = [DEFERREDS, JOBS, JOBS]
    return [["new", None], _jobs(g), *g.operations(g.random.randint(1, 10)), ["turn", 2]]
