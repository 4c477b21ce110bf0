"""Lines out of a stream of bytes, for a receiver that may change its mind after each.

Before the receiver's code runs, what waits is noted, and after it everything is looked at anew: that code may clear
what waits, bring more, turn to raw data, pause, or set another delimiter.

Here a line is parted from what is behind it by one call: nothing else in the interpreter is as quick. But it copies
what is behind, so the lines of a large piece are parted from a window of it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

WINDOW = 2048  # bytes: as many are soon copied


class Waiting:
    """What one receiver has not been given yet: ``window``, then ``later`` from ``at`` on."""

    def __init__(self) -> None:
        self.window = b""
        self.later = b""
        self.at = 0
        self.busy = False  # handing on: what comes meanwhile waits for its turn

    def widen(self) -> None:
        """Take more of what comes later; as much again, so that a long line is not searched once a step."""
        end = self.at + WINDOW + len(self.window)
        self.window += self.later[self.at : end]
        self.at = end
        if end >= len(self.later):
            self.later, self.at = b"", 0

    def take(self) -> bytes:
        data = self.window + self.later[self.at :] if self.later else self.window
        self.window, self.later, self.at = b"", b"", 0
        return data


def waiting_for(receiver: Any) -> Waiting:
    """What was received and waits. It is kept in the receiver's `_held`, which is None at first."""
    waiting: Waiting | None = receiver._held
    if waiting is None:
        waiting = receiver._held = Waiting()
        # The interpreter finds what is the instance's own sooner than what is its class's.
        with suppress(AttributeError):  # a subclass may have made it a property
            receiver.line_mode = receiver.line_mode
            receiver.paused = receiver.paused
    return waiting


def take_waiting(receiver: Any) -> bytes:
    """What the receiver has not been given, and will not be given any more."""
    return waiting_for(receiver).take()


def receive_lines(receiver: Any, data: bytes) -> Any:
    """The dataReceived of `receiver`: hand on what came, as lines or raw, and return what stops that (104, 105).

    Of the receiver it uses delimiter, MAX_LENGTH, line_mode, paused, transport.disconnecting, and what is to be told:
    lineReceived, rawDataReceived, lineLengthExceeded.
    """
    waiting: Waiting | None = receiver._held
    if waiting is None:
        waiting = waiting_for(receiver)
    if type(data) is not bytes:
        data = bytes(memoryview(data))
    if data:
        if waiting.window or waiting.later:
            data = waiting.take() + data
        if len(data) > WINDOW:
            waiting.later = data
        else:
            waiting.window = data
    elif not (waiting.window or waiting.later):
        return None
    if waiting.busy:
        return None
    waiting.busy = True
    try:
        while not receiver.paused:
            if receiver.line_mode:
                delimiter = receiver.delimiter
                if not delimiter:
                    raise ValueError("a delimiter of no bytes ends no line")
                line, found, rest = waiting.window.partition(delimiter)
                if not found:
                    if waiting.later:
                        waiting.widen()
                        continue
                    if len(line) < receiver.MAX_LENGTH + len(delimiter):
                        return None
                    return receiver.lineLengthExceeded(waiting.take())
                if len(line) > receiver.MAX_LENGTH:
                    return receiver.lineLengthExceeded(waiting.take())
                waiting.window = rest
                why = receiver.lineReceived(line)
                if why or not (waiting.window or waiting.later):
                    return why
                transport = receiver.transport
                if transport and transport.disconnecting:
                    return why
            else:
                why = receiver.rawDataReceived(waiting.take())
                if why or not (waiting.window or waiting.later):
                    return why
        return None
    finally:
        waiting.busy = False
