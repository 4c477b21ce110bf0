"""Strings behind their length out of a stream of bytes, for a receiver that may change its mind after each.

What was received stays in one piece, and a number says how far it has been handed on: so a string costs a copy of its
own bytes, however many wait behind it. Before the receiver's code runs the number is right, and after it everything is
looked at anew: that code may set what waits, bring more, or pause. Lines are found in twin/lines.
"""

from __future__ import annotations

from struct import unpack_from
from typing import Any


class Held:
    """What one receiver has not been given yet: ``data`` from ``at`` on."""

    def __init__(self) -> None:
        self.data = b""
        self.at = 0
        self.busy = False  # handing on: what comes meanwhile waits for its turn

    def rest(self) -> bytes:
        return self.data[self.at :]

    def replace(self, data: bytes) -> None:
        self.data = data
        self.at = 0


def held_by(receiver: Any) -> Held:
    """What was received and waits. It is kept in the receiver's `_held`, which is None at first."""
    held: Held | None = receiver._held
    if held is None:
        held = receiver._held = Held()
    return held


def receive_strings(receiver: Any, data: bytes) -> None:
    """The dataReceived of `receiver`: hand on the strings that came, each behind its length (105).

    Of the receiver it uses structFormat, prefixLength, MAX_LENGTH, paused, and what is to be told: stringReceived,
    lengthLimitExceeded.
    """
    held: Held | None = receiver._held
    if held is None:
        held = held_by(receiver)
    if type(data) is not bytes:
        data = bytes(memoryview(data))
    if data:
        if held.data:
            data = held.data[held.at :] + data
        held.data = data
        held.at = 0
    if held.busy:
        return
    held.busy = True
    try:
        while not receiver.paused:
            raw = whole = held.data  # twice: pieces of `raw` are cut in C
            size = len(whole)
            start = held.at + receiver.prefixLength
            if start > size:
                return
            (length,) = unpack_from(receiver.structFormat, whole, held.at)
            if length > receiver.MAX_LENGTH:
                receiver.lengthLimitExceeded(length)
                return
            end = start + length
            if end > size:
                return
            held.at = end
            receiver.stringReceived(raw[start:end])
    finally:
        held.busy = False
        if held.at == len(held.data):  # what has been handed on need not be kept
            held.data = b""
            held.at = 0
