"""Producers and the bound of what waits to be written, on both drivers (68, 69)."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Net, net

from torsion.contract import Reactor
from torsion.error import ConnectionAborted, ConnectionDone
from torsion.net.stream import WriteLimitExceeded

LIMIT = 65536


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


class Producer:
    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


class Pull(Producer):
    """Writes one piece each time, then unregisters."""

    def __init__(self, transport: Any, pieces: int) -> None:
        super().__init__()
        self.transport, self.left = transport, pieces

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.left:
            self.left -= 1
            self.transport.write(b"piece,")
        else:
            self.transport.unregisterProducer()


def test_s068_a_second_producer_is_refused(here: Net) -> None:
    protocol, _ = here.accept()
    protocol.transport.registerProducer(Producer(), True)
    with pytest.raises(RuntimeError):
        protocol.transport.registerProducer(Producer(), True)


def test_s068_after_the_end_a_producer_is_stopped_at_once(here: Net) -> None:
    protocol, peer = here.accept()
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    producer = Producer()
    protocol.transport.registerProducer(producer, True)
    assert producer.told == ["stop"]
    assert protocol.transport.producer is None


def test_s068_a_pull_producer_is_resumed_at_once_and_whenever_all_is_sent(here: Net) -> None:
    protocol, peer = here.accept()
    producer = Pull(protocol.transport, 3)
    protocol.transport.registerProducer(producer, False)
    assert producer.told == ["resume"]
    assert here.read(peer, 18) == b"piece,piece,piece,"
    here.until(lambda: len(producer.told) == 4)
    here.turns()
    assert producer.told == ["resume"] * 4


def test_s068_a_push_producer_is_paused_above_65536_at_each_write_and_resumed_when_all_is_sent(here: Net) -> None:
    protocol, peer = here.accept()
    producer = Producer()
    protocol.transport.registerProducer(producer, True)
    assert producer.told == []
    protocol.transport.write(b"x" * LIMIT)
    assert producer.told == []
    protocol.transport.write(b"x")
    assert producer.told == ["pause"]
    protocol.transport.write(b"x")
    assert producer.told == ["pause", "pause"]
    assert len(here.read(peer, LIMIT + 2)) == LIMIT + 2
    here.until(lambda: "resume" in producer.told)
    protocol.transport.write(b"x")
    here.turns()
    assert producer.told == ["pause", "pause", "resume"], "only when it was paused"


def test_s068_writesequence_pauses_too(here: Net) -> None:
    protocol, _ = here.accept()
    producer = Producer()
    protocol.transport.registerProducer(producer, True)
    protocol.transport.writeSequence([b"x" * LIMIT, b"x"])
    assert producer.told == ["pause"]


def test_s062_pauseproducing_may_itself_write(here: Net) -> None:
    protocol, peer = here.accept()

    class Writing(Producer):
        def pauseProducing(self) -> None:
            super().pauseProducing()
            if len(self.told) < 3:
                protocol.transport.write(b"y")

    producer = Writing()
    protocol.transport.registerProducer(producer, True)
    protocol.transport.write(b"x" * (LIMIT + 1))
    assert producer.told == ["pause"] * 3
    assert here.read(peer, LIMIT + 3).endswith(b"xyy")


def test_s068_loseconnection_waits_for_a_pull_producer(here: Net) -> None:
    protocol, peer = here.accept()
    producer = Pull(protocol.transport, 3)
    protocol.transport.registerProducer(producer, False)
    protocol.transport.loseConnection()
    assert here.read(peer, 100) == b"piece,piece,piece,"
    here.until(lambda: "lost" in protocol.told)
    assert type(protocol.reasons[0]) is ConnectionDone
    assert producer.told == ["resume"] * 4


def test_s068_loseconnection_in_a_pull_producers_turn(here: Net) -> None:
    protocol, peer = here.accept()

    class Last(Pull):
        def resumeProducing(self) -> None:
            super().resumeProducing()
            if not self.left:
                self.transport.loseConnection()

    protocol.transport.registerProducer(Last(protocol.transport, 2), False)
    assert here.read(peer, 100) == b"piece,piece,"
    here.until(lambda: "lost" in protocol.told)


def test_s068_loseconnection_waits_for_a_paused_push_producer(here: Net) -> None:
    protocol, peer = here.accept()

    class Ending(Producer):
        def resumeProducing(self) -> None:
            super().resumeProducing()
            protocol.transport.write(b"end")
            protocol.transport.unregisterProducer()

    producer = Ending()
    protocol.transport.registerProducer(producer, True)
    protocol.transport.write(b"x" * (LIMIT + 1))
    protocol.transport.loseConnection()
    assert here.read(peer, LIMIT + 100).endswith(b"xend")
    here.until(lambda: "lost" in protocol.told)
    assert producer.told == ["pause", "resume"]


def test_s068_an_unpaused_push_producer_does_not_hold_the_close(here: Net) -> None:
    protocol, peer = here.accept()
    producer = Producer()
    protocol.transport.registerProducer(producer, True)
    protocol.transport.write(b"x")
    protocol.transport.loseConnection()
    assert here.read(peer, 100) == b"x"
    here.until(lambda: "lost" in protocol.told)
    assert producer.told == ["stop"]


def test_s068_unregistering_while_closing_completes_the_close(here: Net) -> None:
    protocol, peer = here.accept()
    producer = Producer()
    protocol.transport.registerProducer(producer, False)
    protocol.transport.loseConnection()
    here.turns()
    assert protocol.told == ["made"]
    protocol.transport.unregisterProducer()
    here.until(lambda: "lost" in protocol.told)
    assert peer.recv(1) == b""


def test_s068_registering_while_closing_works(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.loseConnection()
    producer = Pull(protocol.transport, 1)
    protocol.transport.registerProducer(producer, False)
    assert here.read(peer, 100) == b"piece,"
    here.until(lambda: "lost" in protocol.told)


def test_s069_resumeproducing_after_loseconnection_or_the_end_does_nothing(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.write(b"x" * 16_000_000)
    here.turns()
    protocol.transport.loseConnection()
    protocol.transport.resumeProducing()
    peer.sendall(b"unread")
    here.turns()
    assert protocol.received == b""
    assert protocol.transport not in here.reactor.getReaders()
    protocol.transport.abortConnection()
    here.until(lambda: "lost" in protocol.told)
    protocol.transport.resumeProducing()
    assert protocol.transport not in here.reactor.getReaders()


def test_what_resumeproducing_raises_is_reported_and_ends_the_connection(here: Net, reports: Reports) -> None:
    protocol, _ = here.accept()

    class Failing(Producer):
        def resumeProducing(self) -> None:
            super().resumeProducing()
            if len(self.told) == 2:
                raise ValueError
            protocol.transport.write(b"x")

    protocol.transport.registerProducer(Failing(), False)
    here.until(lambda: "lost" in protocol.told)
    reports.take(ValueError)
    assert type(protocol.reasons[0]) is ValueError


def test_stopconsuming_and_stopproducing_close(here: Net) -> None:
    for method in ("stopConsuming", "stopProducing"):
        protocol, _ = here.accept()
        getattr(protocol.transport, method)()
        here.until(lambda protocol=protocol: "lost" in protocol.told)


# The bound that a program sets


def test_without_a_limit_anything_waits(here: Net) -> None:
    protocol, _ = here.accept()
    protocol.transport.write(b"x" * 30_000_000)
    here.turns()
    assert protocol.told == ["made"]


def test_a_limit_pauses_the_producer_there(here: Net) -> None:
    protocol, _ = here.accept()
    producer = Producer()
    protocol.transport.set_write_limit(1000)
    protocol.transport.registerProducer(producer, True)
    protocol.transport.write(b"x" * 1000)
    assert producer.told == []
    protocol.transport.write(b"x")
    assert producer.told == ["pause"]
    protocol.transport.set_write_limit(10**6)
    protocol.transport.write(b"x" * LIMIT)
    assert producer.told == ["pause"]


def test_a_limit_may_abort_with_a_clear_reason(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.set_write_limit(20_000_000, abort=True)
    protocol.transport.write(b"x" * 20_000_000)
    here.turns()
    assert protocol.told == ["made"]
    protocol.transport.write(b"x" * 20_000_000)
    assert protocol.told == ["made"], "not within write"
    here.until(lambda: "lost" in protocol.told)
    reason = protocol.reasons[0]
    assert type(reason) is WriteLimitExceeded and isinstance(reason, ConnectionAborted)
    assert "20000000" in str(reason)
    with pytest.raises(ConnectionResetError):
        while peer.recv(65536):
            pass


def test_a_limit_that_aborts_pauses_a_producer_as_ever(here: Net) -> None:
    protocol, _ = here.accept()
    producer = Producer()
    protocol.transport.set_write_limit(10**8, abort=True)
    protocol.transport.registerProducer(producer, True)
    protocol.transport.write(b"x" * (LIMIT + 1))
    assert producer.told == ["pause"]


@pytest.mark.parametrize("limit", [-1, "10"])
def test_a_limit_that_is_none(here: Net, limit: Any) -> None:
    protocol, _ = here.accept()
    with pytest.raises((ValueError, TypeError)):
        protocol.transport.set_write_limit(limit)


def test_a_producer_that_raises_when_it_is_paused_does_not_keep_back_what_was_written(here: Net) -> None:
    class Producer:
        def pauseProducing(self) -> None:
            raise ZeroDivisionError

        def resumeProducing(self) -> None: ...

        def stopProducing(self) -> None: ...

    protocol, peer = here.accept()
    protocol.transport.registerProducer(Producer(), True)
    with pytest.raises(ZeroDivisionError):
        protocol.transport.write(b"x" * 70_000)
    assert here.read(peer, 70_000) == b"x" * 70_000
    with pytest.raises(ZeroDivisionError):
        protocol.transport.writeSequence([b"x" * 70_000])
    assert here.read(peer, 70_000) == b"x" * 70_000
