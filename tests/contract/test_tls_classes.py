"""The class of TLS connections is one of Python's: programs subclass it, and make objects of theirs ones of it."""

from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.tlsparts import Session

from torsion.error import ConnectionDone
from torsion.failure import Failure
from torsion.protocol import Protocol
from torsion.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol


@pytest.fixture(autouse=True)
def _reports(reports: Reports) -> Reports:
    """What is reported and not expected fails the test."""
    return reports


class Either(Protocol):
    """What a connection has before it is known that it is to speak TLS."""

    def become(self, protocol: TLSMemoryBIOProtocol) -> None:
        factory = protocol.factory
        factory.protocols[self] = factory.protocols.pop(protocol)
        self.__class__ = protocol.__class__  # type: ignore[assignment]
        self.__dict__ = protocol.__dict__


@pytest.mark.parametrize("server_side", [True, False])
def test_an_object_of_another_class_becomes_one_in_the_middle_of_a_connection(server_side: bool) -> None:
    session = Session(server_side, shake=False)
    either = Either()
    either.become(session.layer)
    session.layer = either
    assert isinstance(either, TLSMemoryBIOProtocol)
    session.pump()
    assert session.app.told == ["made", "shaken"]
    session.peer_says(b"from the peer")
    assert session.app.received == b"from the peer"
    session.app.transport.writeSequence([b"to ", b"the peer"])
    either.loseConnection()
    session.pump()
    assert session.peer.received == b"to the peer" and session.peer.ended
    assert list(session.factory.protocols) == [either]
    session.lose(ConnectionDone())
    assert session.app.told == ["made", "shaken", "lost"]
    assert session.factory.protocols == {}
    assert not either.connected


class Noting(TLSMemoryBIOProtocol):
    """One that notes what it is asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asked: list[str] = []

    def makeConnection(self, transport: Any) -> None:
        self.asked.append("made")
        super().makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        self.asked.append("received")
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        self.asked.append("lost")
        super().connectionLost(reason)

    def write(self, data: bytes) -> None:
        self.asked.append(f"write {data.decode()}")
        super().write(data.upper())

    def abortConnection(self) -> None:
        self.asked.append("abort")
        super().abortConnection()

    def failVerification(self, reason: Failure) -> None:
        self.asked.append("fail")
        super().failVerification(reason)


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes sessions whose TLS is by Noting."""
    monkeypatch.setattr(TLSMemoryBIOFactory, "protocol", Noting)
    return Session


def test_what_a_subclass_replaces_is_what_runs(noting: Any) -> None:
    session = noting()
    assert session.layer.asked[:2] == ["made", "received"]
    session.layer.asked.clear()
    session.app.transport.write(b"a")
    session.app.transport.writeSequence([b"b", b"c"])
    session.clock.advance(0)
    session.pump()
    assert session.peer.received == b"ABC"
    session.peer_says(b"x")
    session.lose(ConnectionDone())
    assert session.layer.asked == ["write a", "write bc", "received", "lost"]
    assert session.app.received == b"x"


def test_closing_before_anything_was_said_and_refusing_a_peer_abort_by_what_a_subclass_says(noting: Any) -> None:
    session = noting(shake=False)
    session.app.transport.loseConnection()
    assert session.layer.asked == ["made", "abort"]
    session = noting()
    session.layer.asked.clear()
    session.layer.failVerification(Failure(PermissionError("no")))
    assert session.layer.asked == ["fail", "abort"]
    assert session.wire.ending == ["abort"]


def test_what_is_replaced_on_the_class_later_runs_for_connections_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(TLSMemoryBIOProtocol, "write", lambda self, data: written.append(data))
    Session().app.transport.write(b"kept")
    assert written == [b"kept"]
