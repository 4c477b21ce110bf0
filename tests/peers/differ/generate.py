"""Programs from seeds. A program is a list of operations (world.py); the seed decides everything about it."""

from collections.abc import Callable
from typing import Any

from making.connections import loopbacks, streams, tls
from making.deferreds import deferreds, locks
from making.generator import Generator
from making.messages import messages
from making.reactors import jobs, triggers
from making.timers import timers
from making.wrapped import wrapped

KINDS: list[tuple[int, Callable[[Generator], list[Any]]]] = [
    (4, deferreds),
    (2, locks),
    (4, timers),
    (4, streams),
    (1, tls),
    (1, loopbacks),
    (3, messages),
    (2, wrapped),
    (2, triggers),
    (1, jobs),
]


def program(seed: int, kinds: list[str] | None = None) -> list[Any]:
    """The program of this seed."""
    g = Generator(seed)
    chosen = [(weight, kind) for weight, kind in KINDS if kinds is None or kind.__name__ in kinds]
    return g.random.choices([kind for _, kind in chosen], [weight for weight, _ in chosen])[0](g)
