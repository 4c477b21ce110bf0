"""A connection ends for its peer when it ends here, whoever else has its descriptor (semantics 66, 67)."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Net, net
from tests.interpreters import Python

from torsion.contract import Reactor


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


def fork(transport: Any) -> Callable[[], object]:
    """Another process that has everything that is open here; returns what ends it."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(theirs)
        os.read(ours, 1)  # until the other end is closed
        os._exit(0)
    os.close(ours)

    def end() -> None:
        os.close(theirs)
        os.waitpid(child, 0)

    return end


def duplicate_number(transport: Any) -> Callable[[], object]:
    copy = os.dup(transport.fileno())
    return lambda: os.close(copy)


def duplicate_socket(transport: Any) -> Callable[[], object]:
    return transport.getHandle().dup().close  # type: ignore[no-any-return]


@pytest.mark.parametrize("share", [fork, duplicate_number, duplicate_socket])
@pytest.mark.parametrize("end", ["the peer's", "ours"])
def test_s067_the_peer_sees_the_end_though_somebody_else_has_the_descriptor(here: Net, share: Any, end: str) -> None:
    protocol, peer = here.accept()
    unshare = share(protocol.transport)
    try:
        if end == "ours":
            protocol.transport.loseConnection()
        else:
            peer.shutdown(1)
        assert here.read(peer, 1) == b""
    finally:
        unshare()


def test_s067_the_peer_sees_the_end_though_the_socket_object_that_was_duplicated_is_forgotten(reports: Reports) -> None:
    with net(Reactor) as here:
        protocol, peer = here.accept()
        skt = protocol.transport.socket
        copy = skt.dup()
        skt.detach()  # else it would be closed as it is forgotten
        del protocol.transport.socket
        with copy:
            peer.shutdown(1)
            assert here.read(peer, 1) == b""


def test_s066_the_peer_sees_the_end_where_nobody_else_has_the_descriptor(here: Net) -> None:
    before = fork(None)
    try:
        _, peer = here.accept()  # after the process was forked
        peer.shutdown(1)
        assert here.read(peer, 1) == b""
    finally:
        before()


def test_s066_the_peer_sees_the_end_of_a_connection_made_while_the_process_was_being_forked(full: Python) -> None:
    """In a thread: other hooks of a fork may wait, and the loop accept meanwhile."""
    full.check(
        """
        import os, socket
        peers, accepted = [], []
        def meanwhile():
            if accepting:
                peers.append(socket.create_connection(("127.0.0.1", port.getHost().port), timeout=10))
                while not accepted:
                    reactor.iterate(0.02)
        accepting = False
        os.register_at_fork(before=meanwhile)  # before ours, so it runs after it

        from torsion import protocol, reactor
        class Accepted(protocol.Protocol):
            def connectionMade(self):
                accepted.append(self)
            def connectionLost(self, reason):
                accepted.clear()
        port = reactor.listenTCP(0, protocol.Factory.forProtocol(Accepted), interface="127.0.0.1")
        accepting = True
        ours, theirs = os.pipe()
        child = os.fork()
        accepting = False
        if not child:
            os.close(theirs)
            os.read(ours, 1)
            os._exit(0)
        peers[0].shutdown(socket.SHUT_WR)
        while accepted:
            reactor.iterate(0.02)
        assert peers[0].recv(1) == b""
        os.close(theirs)
        os.waitpid(child, 0)
        """
    )
