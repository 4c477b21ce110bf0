"""Producers of a TLS connection, over a transport in memory: who pauses them, how they pull, what they hold up."""

import pytest
from tests.contract.parts import Reports
from tests.contract.tlsparts import Full, Passes, Pulling, Pushing, Session, TLSRecorder

from torsion.error import ConnectionDone


@pytest.fixture(autouse=True)
def _reports(reports: Reports) -> Reports:
    """What is reported and not expected fails the test."""
    return reports


def test_s068_one_producer_at_a_time() -> None:
    session = Session()
    session.app.transport.registerProducer(Pushing(), True)
    with pytest.raises(RuntimeError, match="never unregistered"):
        session.app.transport.registerProducer(Pushing(), True)
    session.app.transport.unregisterProducer()
    session.app.transport.unregisterProducer()
    assert session.wire.producer is None


def test_s068_a_producer_for_nobody_is_stopped() -> None:
    session = Session()
    session.lose(ConnectionDone())
    producer = Pushing()
    session.app.transport.registerProducer(producer, True)
    assert producer.told == ["stop"]


def test_s068_what_waits_below_pauses_a_producer_once() -> None:
    session = Session()
    producer = Pushing()
    session.app.transport.registerProducer(producer, True)
    session.wire.producer.pauseProducing()
    session.wire.producer.pauseProducing()
    session.wire.producer.resumeProducing()
    session.wire.producer.resumeProducing()
    assert producer.told == ["pause", "resume"]
    session.wire.producer.stopProducing()
    assert producer.told[-1] == "stop"


def test_s068_a_producer_waits_for_the_handshake() -> None:
    app, producer = TLSRecorder(), Pushing()

    def begin() -> None:
        app.transport.registerProducer(producer, True)
        app.transport.write(b"some")
        app.transport.write(b" more")

    app.on_made = begin
    session = Session(False, app, shake=False)
    assert producer.told == ["pause"]
    session.pump()
    assert producer.told == ["pause", "resume"]
    assert session.peer.received == b"some more"


def test_s068_a_producer_that_pulls_is_asked_later() -> None:
    session = Session(clock=Passes())
    transport = session.app.transport
    producer = Pulling(transport, [b"one", b" two", b" three"])
    transport.registerProducer(producer, False)
    assert producer.told == []
    for asked in (1, 2, 3):
        session.clock.turn()
        assert len(producer.told) == asked
    session.clock.turn()
    session.pump()
    assert session.peer.received == b"one two three"
    assert session.clock.waiting == []


def test_s068_a_producer_that_pulls_is_paused_and_stopped() -> None:
    session = Session(clock=Passes())
    transport = session.app.transport
    producer = Pulling(transport, [b"x"] * 100)
    transport.registerProducer(producer, False)
    session.clock.turn()
    session.wire.producer.pauseProducing()
    session.clock.turn()
    session.clock.turn()
    assert producer.told == ["resume"]
    session.wire.producer.resumeProducing()
    session.clock.turn()
    assert producer.told == ["resume"] * 2
    session.wire.producer.stopProducing()
    session.clock.turn()
    assert producer.told == ["resume"] * 2 + ["stop"]


def test_s068_a_producer_that_pulls_and_fails_ends_the_connection(reports: Reports) -> None:
    session = Session()
    session.app.transport.registerProducer(Pulling(session.app.transport, []), False)
    session.clock.advance(0)
    assert "Pulling failed in resumeProducing" in reports.take(IndexError)
    assert session.wire.producer is None
    session.pump()
    assert session.peer.ended


@pytest.mark.parametrize("streaming", [True, False])
def test_s068_any_producer_holds_the_close(streaming: bool) -> None:
    session = Session()
    transport = session.app.transport
    producer = Pushing() if streaming else Pulling(transport, [b"all", b" of", b" it"])
    transport.registerProducer(producer, streaming)
    transport.loseConnection()
    session.pump()
    assert not session.peer.ended
    if streaming:
        transport.unregisterProducer()
    else:
        for _ in range(4):
            session.clock.advance(0)
    session.pump()
    assert session.peer.ended
    assert session.peer.received == (b"" if streaming else b"all of it")


@pytest.mark.parametrize("streaming", [True, False])
def test_s080_what_a_producer_writes_that_comes_behind_the_close_is_dropped(streaming: bool) -> None:
    """Random program 8803: close_notify is gone, so the connection's end is the orderly one all the same."""
    session = Session()
    transport = session.app.transport
    transport.loseConnection()
    producer = Pulling(transport, [b"too", b" late"])
    transport.registerProducer(producer, streaming)
    if streaming:
        producer.resumeProducing()
        producer.resumeProducing()
    else:
        session.clock.advance(0)
        session.clock.advance(0)
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"", True)
    session.peer.close()
    session.layer.dataReceived(session.peer.take())
    assert session.wire.ending == ["close"]
    session.lose()
    assert [type(reason) for reason in session.app.reasons] == [ConnectionDone]


def test_s068_a_pausing_that_writes_and_a_pausing_that_fails(reports: Reports) -> None:
    class Writes(Pushing):
        def pauseProducing(self) -> None:
            super().pauseProducing()
            session.app.transport.write(b"!" * 70000)

    class Fails(Pushing):
        def pauseProducing(self) -> None:
            raise LookupError

    session = Session(wire=Full())
    session.app.transport.registerProducer(Writes(), True)
    session.app.transport.write(b"?" * 70000)
    session.pump()
    assert session.peer.received == b"?" * 70000 + b"!" * 70000
    other = Session(wire=Full())
    other.app.transport.registerProducer(Fails(), True)
    other.app.transport.write(b"small")
    other.clock.advance(0)
    reports.take(LookupError)
    assert other.wire.ending == ["abort"]


def test_s068_a_producer_learns_of_the_end() -> None:
    """Also of one that only TLS knows of, by which time the transport has no producer any more."""
    session = Session()
    producer = Pushing()
    session.app.transport.registerProducer(producer, True)
    session.peer.close()
    session.layer.dataReceived(session.peer.take())
    assert session.wire.ending == ["close"]
    session.lose()
    assert producer.told == ["stop"]
    assert isinstance(session.app.reasons[0], ConnectionDone)
