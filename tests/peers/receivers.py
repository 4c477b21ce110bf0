"""What receivers of lines, strings and netstrings are told in scenarios made up from numbers: a line of output each.

    python receivers.py COUNT                       on stock Twisted
    python -m torsion run receivers.py COUNT        on ours

A scenario does at random what programs do to a receiver, in every position: pause, close, turn to raw data and back,
take back what waits, change the delimiter or the limit, bring more, raise.
"""

import random
import sys
from typing import Any

from twisted.protocols import basic


class Transport:
    """Notes what is called."""

    def __init__(self) -> None:
        self.disconnecting = False
        self.log: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def note(*arguments: object) -> None:
            self.log.append(name)
            if name in ("loseConnection", "stopProducing"):
                self.disconnecting = True

        return note


def connected(receiver: Any) -> Any:
    receiver.makeConnection(Transport())
    return receiver


def lines(chance: random.Random) -> list[Any]:
    log: list[Any] = []

    class Lines(basic.LineReceiver):  # type: ignore[misc]
        MAX_LENGTH = chance.choice([3, 8, 50, 5000])

        def lineReceived(self, line: bytes) -> Any:
            log.append(("line", line))
            return act(self, chance, log)

        def rawDataReceived(self, data: bytes) -> Any:
            log.append(("raw", data))
            what = chance.random()
            if what < 0.5:
                return self.setLineMode(data[chance.randrange(len(data) + 1) :])
            return "enough" if what < 0.6 else None

        def lineLengthExceeded(self, line: bytes) -> Any:
            log.append(("exceeded", line))
            return chance.choice([None, "exceeded"])

    receiver = connected(Lines())
    words = [b"a", b"b", b"\r\n", b"\n", b"\r", b"ab\n", b"xyz"]
    if chance.random() < 0.05:
        words += [b"m" * 1500, b"ab\r\n" * 700]
    for _ in range(chance.randrange(1, 15)):
        data = b"".join(chance.choice(words) for _ in range(chance.randrange(12)))
        try:
            log.append(receiver.dataReceived(data))
            if receiver.paused and chance.random() < 0.6:
                receiver.resumeProducing()
        except LookupError:
            log.append("raised")
    return [*log, receiver.clearLineBuffer(), receiver.transport.log]


def act(receiver: Any, chance: random.Random, log: list[Any]) -> Any:
    """Do something, or mostly nothing; returns what lineReceived is to return."""
    what = chance.random()
    if what < 0.05:
        receiver.pauseProducing()
    elif what < 0.1:
        return "enough"
    elif what < 0.15:
        receiver.transport.loseConnection()
    elif what < 0.25:
        receiver.setRawMode()
    elif what < 0.3:
        log.append(("taken", receiver.clearLineBuffer()))
    elif what < 0.33:
        receiver.delimiter = chance.choice([b"\n", b"\r\n", b"a", b"ab\n"])
    elif what < 0.36:
        receiver.MAX_LENGTH = chance.choice([3, 8, 20])
    elif what < 0.38:
        receiver.dataReceived(chance.choice([b"q\r\n", b"zz", b"\n\r\n"]))
    elif what < 0.4:
        receiver.pauseProducing()
        receiver.resumeProducing()
    elif what < 0.41:
        raise LookupError
    return None


def strings(chance: random.Random) -> list[Any]:
    log: list[Any] = []
    exceeded: list[int] = []

    class Strings(chance.choice([basic.Int8StringReceiver, basic.Int16StringReceiver])):  # type: ignore[misc]
        MAX_LENGTH = chance.choice([2, 5, 99])

        def stringReceived(self, string: bytes) -> None:
            log.append(string)
            what = chance.random()
            if what < 0.1:
                self.pauseProducing()
            elif what < 0.2:
                log.append(self.recvd)
            elif what < 0.25:
                self.recvd = self.recvd[chance.randrange(3) :]
            elif what < 0.3:
                self.transport.loseConnection()

        def lengthLimitExceeded(self, length: int) -> None:
            exceeded.append(length)

    receiver = connected(Strings())
    for _ in range(chance.randrange(1, 12)):
        receiver.dataReceived(bytes(chance.choice([0, 0, 1, 2, 3, 7]) for _ in range(chance.randrange(15))))
        if not exceeded and receiver.paused and chance.random() < 0.6:
            receiver.resumeProducing()
        if exceeded:  # from here on, Twisted hands strings on a second time
            break
    return [*log, exceeded, receiver.recvd, receiver.transport.log]


def netstrings(chance: random.Random) -> list[Any]:
    log: list[Any] = []

    class Netstrings(basic.NetstringReceiver):  # type: ignore[misc]
        MAX_LENGTH = chance.choice([3, 12, 99])

        def stringReceived(self, string: bytes) -> None:
            log.append(string)

    receiver = connected(Netstrings())
    words = [b"1:a,", b"0:,", b"3:abc,", b"1", b"2", b":", b",", b"a", b"00", b"12:" + b"x" * 12 + b","]
    for _ in range(chance.randrange(1, 8)):
        receiver.dataReceived(b"".join(chance.choice(words) for _ in range(chance.choice([1, 1, 2, 3]))))
        log.append(bool(receiver.brokenPeer))
        if receiver.brokenPeer:
            break
    return [*log, receiver.transport.log]


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        for scenario in (lines, strings, netstrings):
            print(scenario.__name__, number, scenario(random.Random(number)))
