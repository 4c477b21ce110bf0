"""What all tests share: the lane in the header, hypothesis without a clock, and a check that nothing is left behind."""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import hypothesis
import pytest
from tests.clients import absent, client
from tests.interpreters import bare, full, python

import torsion
from torsion import lane

__all__ = ["bare", "client", "full", "no_leaks", "python"]

# A shared machine is slow at times: how long an example takes says nothing about it.
hypothesis.settings.register_profile(
    "torsion", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("torsion")


def pytest_report_header() -> str:
    why = lane.reason(torsion.LANE)
    return f"torsion {torsion.__version__}: {torsion.LANE} {f'({why})' if why else lane.freshness(torsion.LANE)}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if absent():
        terminalreporter.write_line(f"not installed, and tests skipped that need them: {', '.join(absent())}")


@pytest.fixture
def no_leaks() -> Callable[[], AbstractContextManager[None]]:
    """`with no_leaks():` what runs inside leaves no cycle, no thread and no file descriptor behind.

    What fills caches is run once before. Locals that are to be collected belong into a function called inside.
    """
    return _no_leaks


@contextmanager
def _no_leaks() -> Iterator[None]:
    while gc.collect():  # what earlier tests left; their finalizers may leave something, too
        pass
    gc.disable()
    threads, descriptors = set(threading.enumerate()), _open_descriptors()
    try:
        yield
        assert gc.collect() == 0, "reference cycles were left behind"
    finally:
        gc.enable()
    assert set(threading.enumerate()) <= threads, "threads were left behind"
    assert _open_descriptors() <= descriptors, "file descriptors were left open"


def _open_descriptors() -> set[tuple[int, str]]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add((int(name), os.readlink(f"/proc/self/fd/{name}")))
        except OSError:  # the descriptor of this very listing
            pass
    return found
