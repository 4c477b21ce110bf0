"""How an operation's cost grows with how much there is already; written once against Twisted's names.

Each function takes that number and gives the seconds of process CPU that ONE operation took, or a Deferred of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import operations

TIMERS = 10_000
"""Timers that are scheduled, cancelled or fired among the others."""
LINKS = 20_000
"""A shorter chain is made several times, until it is so many links in all."""

_random = random.Random(2)


def _among(others: int, operation: Callable[[int], Any]) -> Any:
    """The operation on some timers, among others that are far from due."""
    operations.crowd(10_000 + _random.random() * 100 for _ in range(others))
    return operation(TIMERS).addCallback(lambda took: took / TIMERS)


def timer_schedule(others: int) -> Any:
    return _among(others, operations.timer_schedule)


def timer_cancel(others: int) -> Any:
    return _among(others, operations.timer_cancel)


def timer_fire(others: int) -> Any:
    return _among(others, operations.timer_fire)


def chain_link(links: int) -> float:
    times = max(1, LINKS // links)
    return sum(operations.deferred_chain_link(links + 1) for _ in range(times)) / times / links
