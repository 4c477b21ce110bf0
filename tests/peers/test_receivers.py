"""Receivers are told the same on Twisted and on ours, whatever is done to them."""

from pathlib import Path

import pytest
from tests.interpreters import Python

PROGRAM = str(Path(__file__).with_name("receivers.py"))


@pytest.mark.parametrize("pure", ["", "1"], ids=["compiled", "interpreted"])
def test_receivers_are_told_the_same(full: Python, pure: str) -> None:
    stock = full.run(PROGRAM, "3000")
    ours = full.run("-m", "torsion", "run", PROGRAM, "3000", env={**full.environment, "TORSION_PURE": pure})
    assert (stock.stderr, ours.stderr) == ("", "")
    expected, got = stock.stdout.splitlines(), ours.stdout.splitlines()
    assert len(expected) == 9000
    assert [pair for pair in zip(expected, got, strict=True) if pair[0] != pair[1]] == []
