"""Streams: writing, closing, half-closing, aborting and their end, on both drivers (62-67, 98, 99)."""

import errno
import gc
import os
import socket
import struct
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, HalfRecorder, Makers, Net, Recorder, net

from torsion.contract import Reactor
from torsion.error import ConnectionAborted, ConnectionDone, ConnectionLost


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def kind(request: pytest.FixtureRequest) -> type[Reactor]:
    return request.param


@pytest.fixture
def here(kind: type[Reactor], reports: Reports) -> Iterator[Net]:
    with net(kind) as made:
        yield made


def reset(peer: socket.socket) -> None:
    """Close with a RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def was_reset(peer: socket.socket) -> bool:
    try:
        while peer.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


def fill(here: Net, protocol: Recorder) -> int:
    """Write more than the kernel takes; how much that was."""
    size = 16 * 1024 * 1024
    protocol.transport.write(b"x" * size)
    here.turns()
    return size


# Which driver it is


def test_the_driver_is_chosen_when_the_transport_is_made(here: Net, kind: type[Reactor]) -> None:
    protocol, _ = here.accept()
    assert (protocol.transport.watched_by is here.reactor.engine) is (kind is Reactor)
    assert protocol.transport in here.reactor.getReaders()
    protocol.transport.stopReading()
    assert protocol.transport not in here.reactor.getReaders()
    protocol.transport.startWriting()
    assert protocol.transport in here.reactor.getWriters()


def test_the_reactor_adds_and_removes_streams_of_both_drivers(here: Net) -> None:
    protocol, peer = here.accept()
    here.reactor.removeReader(protocol.transport)
    peer.sendall(b"later")
    here.turns()
    assert protocol.received == b""
    here.reactor.addReader(protocol.transport)
    here.until(lambda: protocol.received == b"later")
    assert protocol.transport in here.reactor.removeAll()
    assert protocol.transport not in here.reactor.getReaders()
    protocol.transport.abortConnection()


# Reading


def test_s099_an_event_receives_once_at_most_65536_bytes(here: Net) -> None:
    protocol, peer = here.accept()
    pieces: list[int] = []

    def note(data: bytes) -> object:
        pieces.append(len(data))
        return "means nothing"

    protocol.on_data = note
    peer.setblocking(False)
    sent = peer.send(b"x" * 300_000)
    here.until(lambda: sum(pieces) == sent)
    assert max(pieces) <= 65536
    assert protocol.told == ["made"]


def test_s099_a_replaced_protocol_gets_later_data_and_the_end(here: Net) -> None:
    first, peer = here.accept()
    second = Recorder()
    peer.sendall(b"one")
    here.until(lambda: first.received == b"one")
    first.transport.protocol = second
    peer.sendall(b"two")
    here.until(lambda: second.received == b"two")
    peer.close()
    here.until(lambda: second.told)
    assert (first.told, first.received, second.told) == (["made"], b"one", ["lost"])


def test_s099_the_protocol_is_there_until_the_end_and_not_before_the_connection(here: Net) -> None:
    protocol, peer = here.accept()
    transport = protocol.transport
    assert transport.protocol is protocol
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    with pytest.raises(AttributeError, match="the connection is lost"):
        transport.protocol
    transport.protocol = protocol  # what is put there is there
    assert transport.protocol is protocol
    connector = here.reactor.connectTCP("127.0.0.1", 1, Makers(), timeout=None)
    assert connector.transport.protocol is None
    connector.stopConnecting()


def test_a_method_put_on_the_protocol_later_is_the_one_that_is_called(here: Net) -> None:
    protocol, peer = here.accept()
    got: list[bytes] = []
    protocol.dataReceived = got.append
    peer.sendall(b"data")
    here.until(lambda: got == [b"data"])


# Writing


def test_s062_what_is_written_leaves_in_order(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.write(b"one,")
    protocol.transport.write(b"")
    protocol.transport.writeSequence([b"two,", b"", b"three,"])
    protocol.transport.writeSequence(iter([b"four,", b"five"]))
    assert here.read(peer, 23) == b"one,two,three,four,five"


@pytest.mark.parametrize("data", ["text", bytearray(b"x"), memoryview(b"x"), None, 1])
def test_s062_only_bytes_can_be_written_even_after_the_end(here: Net, data: Any) -> None:
    protocol, peer = here.accept()
    with pytest.raises(TypeError):
        protocol.transport.write(data)
    with pytest.raises(TypeError):
        protocol.transport.writeSequence([b"fine", data])
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    with pytest.raises(TypeError):
        protocol.transport.write(data)


def test_s062_a_subclass_of_bytes_is_bytes(here: Net) -> None:
    class Named(bytes):
        pass

    protocol, peer = here.accept()
    protocol.transport.write(Named(b"named"))
    protocol.transport.writeSequence([Named(b"too")])
    assert here.read(peer, 8) == b"namedtoo"


def test_s062_write_never_calls_the_protocol_and_reports_no_error(here: Net) -> None:
    protocol, peer = here.accept()
    reset(peer)
    for _ in range(3):
        protocol.transport.write(b"x" * 100_000)
        assert protocol.told == ["made"]
    here.until(lambda: "lost" in protocol.told)
    protocol.transport.write(b"ignored")
    here.turns()
    assert protocol.told == ["made", "lost"]


def test_s062_what_a_timer_writes_leaves_in_the_same_turn(here: Net, kind: type[Reactor]) -> None:
    protocol, peer = here.accept()
    here.reactor.callLater(0, protocol.transport.write, b"now")
    here.reactor.iterate(0)
    peer.setblocking(False)
    assert peer.recv(10) == b"now"


def test_s062_sixteen_megabytes_and_a_slow_reader(here: Net) -> None:
    protocol, peer = here.accept()
    size = fill(here, protocol)
    protocol.transport.write(b"end")
    got = here.read(peer, size + 3)
    assert len(got) == size + 3 and got.endswith(b"xend")


def test_ten_thousand_small_writes_are_one_stream(here: Net) -> None:
    protocol, peer = here.accept()
    pieces = [b"%d," % number for number in range(10_000)]
    for piece in pieces:
        protocol.transport.write(piece)
    assert here.read(peer, len(b"".join(pieces))) == b"".join(pieces)


# loseConnection


def test_s063_a_transport_that_was_told_to_close_stays_disconnecting(here: Net) -> None:
    protocol, _ = here.accept()
    protocol.transport.loseConnection()
    transport = protocol.transport
    here.until(lambda: "lost" in protocol.told)
    assert (transport.connected, transport.disconnected, transport.disconnecting) == (0, 1, 1)


def test_s064_an_abort_leaves_disconnecting_as_it_was(here: Net) -> None:
    (closing, _), (open_, _) = here.accept(), here.accept()
    closing.transport.write(bytes(10_000_000))
    closing.transport.loseConnection()
    transports = [closing.transport, open_.transport]
    for transport in transports:
        transport.abortConnection()
    assert [bool(transport.disconnecting) for transport in transports] == [True, False]
    here.until(lambda: "lost" in closing.told and "lost" in open_.told)
    assert [bool(transport.disconnecting) for transport in transports] == [True, False]


def test_s063_loseconnection_flushes_then_closes_with_connectiondone(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.write(b"before,")
    protocol.transport.loseConnection()
    assert protocol.transport.disconnecting
    protocol.transport.write(b"after")
    assert protocol.told == ["made"]
    assert here.read(peer, 100) == b"before,after"
    here.until(lambda: "lost" in protocol.told)
    assert isinstance(protocol.reasons[0], ConnectionDone)


def test_s063_loseconnection_reads_nothing_more(here: Net) -> None:
    protocol, peer = here.accept()
    size = fill(here, protocol)
    protocol.transport.loseConnection()
    peer.sendall(b"too late")
    here.turns()
    assert protocol.received == b""
    assert protocol.told == ["made"], "a peer that does not read holds it open"
    peer.setblocking(False)
    received = 0

    def until_reset() -> bool:
        nonlocal received
        try:
            received += len(peer.recv(65536))
        except BlockingIOError:
            pass
        except ConnectionResetError:
            return True
        return False

    here.until(until_reset)  # input that was not read makes the kernel send RST
    assert received <= size
    assert isinstance(protocol.reasons[0], ConnectionDone)


def test_s063_in_datareceived_the_answer_is_sent_and_then_it_closes(here: Net) -> None:
    protocol, peer = here.accept()

    def answer(data: bytes) -> None:
        protocol.transport.write(b"bye")
        protocol.transport.loseConnection()

    protocol.on_data = answer
    peer.sendall(b"hello")
    assert here.read(peer, 100) == b"bye"
    here.until(lambda: "lost" in protocol.told)


def test_s063_with_the_write_side_closed_the_loss_is_told_at_once(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.loseWriteConnection()
    here.turns()
    assert here.read(peer, 1) == b""
    protocol.transport.loseConnection()
    assert protocol.told == ["made", "lost"]
    assert isinstance(protocol.reasons[0], ConnectionDone)


# abortConnection


def test_s064_abort_resets_and_tells_on_a_later_pass(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.write(b"dropped")
    protocol.transport.abortConnection()
    protocol.transport.abortConnection()
    protocol.transport.loseConnection()
    assert protocol.told == ["made"]
    here.turns()
    assert protocol.told == ["made", "lost"]
    assert isinstance(protocol.reasons[0], ConnectionAborted)
    with pytest.raises(ConnectionResetError):
        peer.recv(100)


def test_s064_abort_stops_all_io_at_once(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.on_data = lambda data: protocol.transport.abortConnection()
    peer.sendall(b"x" * 200_000)
    here.until(lambda: "lost" in protocol.told)
    assert len(protocol.received) <= 65536


def test_s064_an_exception_after_the_abort_is_the_reason_and_the_end_is_a_fin(here: Net, reports: Reports) -> None:
    protocol, peer = here.accept()

    def fail(data: bytes) -> None:
        protocol.transport.abortConnection()
        raise ValueError("after the abort")

    protocol.on_data = fail
    peer.sendall(b"x")
    here.until(lambda: "lost" in protocol.told)
    here.turns()
    reports.take(ValueError)
    assert [type(reason) for reason in protocol.reasons] == [ValueError]
    assert not was_reset(peer)


def test_s064_an_exception_in_datareceived_is_reported_and_closes_without_a_reset(here: Net, reports: Reports) -> None:
    protocol, peer = here.accept()

    def fail(data: bytes) -> None:
        protocol.transport.write(b"not sent any more")
        raise ValueError("no such thing")

    protocol.on_data = fail
    peer.sendall(b"x")
    here.until(lambda: "lost" in protocol.told)
    text = reports.take(ValueError)
    assert "recorder" in text
    assert [type(reason) for reason in protocol.reasons] == [ValueError]
    assert peer.recv(100) == b""


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_s043_any_exception_in_datareceived_becomes_the_reason(
    here: Net, reports: Reports, error: type[BaseException]
) -> None:
    protocol, peer = here.accept()

    def fail(data: bytes) -> None:
        raise error

    protocol.on_data = fail
    peer.sendall(b"x")
    here.until(lambda: "lost" in protocol.told)
    reports.take(error)
    assert [type(reason) for reason in protocol.reasons] == [error]


# Half-close


def test_s065_losewriteconnection_flushes_shuts_and_tells(here: Net) -> None:
    protocol, peer = here.accept(HalfRecorder())
    protocol.transport.write(b"one,")
    protocol.transport.loseWriteConnection()
    protocol.transport.write(b"two")
    assert here.read(peer, 100) == b"one,two"
    assert protocol.told == ["made", "write side lost"]
    protocol.transport.write(b"ignored")
    peer.sendall(b"still read")
    here.until(lambda: protocol.received == b"still read")
    assert protocol.told == ["made", "write side lost"]


def test_s065_a_protocol_that_cannot_live_half_closed_is_not_told(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.loseWriteConnection()
    assert here.read(peer, 100) == b""
    peer.sendall(b"still read")
    here.until(lambda: protocol.received == b"still read")
    assert protocol.told == ["made"]


@pytest.mark.parametrize("side", ["read", "write"])
def test_s065_an_exception_in_a_half_close_hook_is_reported_and_drops_the_connection(
    here: Net, reports: Reports, side: str
) -> None:
    protocol, peer = here.accept(HalfRecorder())

    def fail(which: str) -> None:
        raise ValueError(which)

    protocol.on_half = fail
    if side == "read":
        peer.shutdown(socket.SHUT_WR)
    else:
        protocol.transport.loseWriteConnection()
    here.until(lambda: "lost" in protocol.told)
    reports.take(ValueError)
    assert protocol.told == ["made", f"{side} side lost", "lost"]
    assert [str(reason) for reason in protocol.reasons] == [side]


def test_s065_a_second_losewriteconnection_loses_the_connection(here: Net) -> None:
    protocol, _ = here.accept(HalfRecorder())
    protocol.transport.loseWriteConnection()
    here.until(lambda: "write side lost" in protocol.told)
    protocol.transport.loseWriteConnection()
    here.until(lambda: "lost" in protocol.told)
    assert type(protocol.reasons[0]) is ConnectionLost


def test_s066_the_peers_end_of_file_ends_reading_for_who_can_live_half_closed(here: Net) -> None:
    protocol, peer = here.accept(HalfRecorder())
    peer.shutdown(socket.SHUT_WR)
    here.until(lambda: "read side lost" in protocol.told)
    here.turns()
    assert protocol.told == ["made", "read side lost"]
    protocol.transport.write(b"still written")
    assert here.read(peer, 13) == b"still written"
    protocol.transport.loseConnection()
    here.until(lambda: "lost" in protocol.told)


def test_s066_the_peers_end_of_file_ends_the_connection_of_any_other(here: Net) -> None:
    protocol, peer = here.accept()
    peer.shutdown(socket.SHUT_WR)
    here.until(lambda: "lost" in protocol.told)
    assert type(protocol.reasons[0]) is ConnectionDone


def test_s066_a_reset_is_connectionlost(here: Net) -> None:
    protocol, peer = here.accept()
    reset(peer)
    here.until(lambda: "lost" in protocol.told)
    assert type(protocol.reasons[0]) in (ConnectionLost, ConnectionDone)  # 59: a bare hang-up while reading is "done"


def test_s059_what_came_before_a_hangup_is_read_first(here: Net) -> None:
    protocol, peer = here.accept()
    peer.sendall(b"x" * 1000)
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    assert protocol.received == b"x" * 1000


def test_s059_a_paused_stream_notices_nothing(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.pauseProducing()
    peer.sendall(b"data")
    reset(peer)
    here.turns(5)
    assert (protocol.told, protocol.received) == (["made"], b"")
    protocol.transport.resumeProducing()
    here.until(lambda: "lost" in protocol.told)


def test_what_was_written_is_sent_if_the_event_turns_the_loop_itself(here: Net) -> None:
    protocol, peer = here.accept()
    peer.setblocking(False)
    seen: list[bytes] = []

    def ask(data: bytes) -> None:
        protocol.transport.write(b"question")
        here.turns(1)
        seen.append(peer.recv(100))

    protocol.on_data = ask
    peer.sendall(b"x")
    here.until(lambda: seen)
    assert seen == [b"question"]


# The end


class Stopped:
    """A producer that notes when it is stopped, and what it sees then."""

    def __init__(self, look: Any) -> None:
        self.look = look
        self.saw: list[Any] = []

    def stopProducing(self) -> None:
        self.saw.append(self.look())

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...


def test_s067_the_order_of_the_end(here: Net) -> None:
    protocol, peer = here.accept()
    transport = protocol.transport

    def look() -> tuple[Any, ...]:
        return transport.connected, transport.disconnected, transport.fileno() >= 0, protocol.told[-1]

    producer = Stopped(look)
    transport.registerProducer(producer, True)
    protocol.on_lost = lambda reason: producer.saw.append((transport.producer, transport.fileno()))
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    assert producer.saw == [(0, 1, True, "made"), (None, -1)]


def test_s067_what_stopproducing_raises_is_reported_and_the_protocol_told(here: Net, reports: Reports) -> None:
    protocol, peer = here.accept()

    def fail() -> None:
        raise ValueError

    protocol.transport.registerProducer(Stopped(fail), True)
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    reports.take(ValueError)


def test_s067_what_connectionlost_raises_is_reported(here: Net, reports: Reports) -> None:
    protocol, peer = here.accept()

    def fail(reason: Any) -> None:
        raise ValueError

    protocol.on_lost = fail
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    reports.take(ValueError)
    assert protocol.transport not in here.reactor.getReaders()


def test_s067_s098_after_the_end(here: Net) -> None:
    protocol, peer = here.accept()
    transport = protocol.transport
    name = peer.getsockname()
    peer.close()
    here.until(lambda: "lost" in protocol.told)
    assert transport.getPeer().port == name[1]
    assert transport.fileno() == -1
    assert protocol.transport is transport
    assert not hasattr(transport, "protocol")
    for method in (transport.getHost, transport.getHandle, transport.getTcpNoDelay, transport.getTcpKeepAlive):
        with pytest.raises(AttributeError):
            method()
    for set_option in (transport.setTcpNoDelay, transport.setTcpKeepAlive):
        with pytest.raises(AttributeError):
            set_option(True)
    for nothing in (
        transport.loseConnection, transport.abortConnection, transport.pauseProducing, transport.resumeProducing,
        transport.stopProducing, transport.unregisterProducer, transport.stopReading, transport.stopWriting,
    ):  # fmt: skip
        nothing()
    for refused in (transport.startReading, transport.loseWriteConnection):
        with pytest.raises(ValueError):
            refused()
    here.turns()
    assert protocol.told == ["made", "lost"]


def test_s067_nothing_keeps_the_protocol_and_no_cycle_is_left(here: Net) -> None:
    protocol, peer = here.accept()
    transport = protocol.transport
    told = protocol.told
    transport.server.factory.built.clear()
    peer.sendall(b"x")
    peer.close()
    here.until(lambda: "lost" in told)
    here.turns()
    gc.collect()
    gc.disable()
    try:
        del protocol.transport
        protocol_gone = weakref.ref(protocol)
        del protocol
        assert protocol_gone() is None
        transport_gone = weakref.ref(transport)
        del transport
        assert transport_gone() is None
    finally:
        gc.enable()


def test_s067_reasons_of_ordinary_ends_are_shared(here: Net) -> None:
    reasons = []
    for _ in range(2):
        protocol, peer = here.accept()
        protocol.on_lost = reasons.append
        peer.close()
        here.until(lambda protocol=protocol: "lost" in protocol.told)
    assert reasons[0] is reasons[1]


def test_s040_disconnectall_loses_every_stream(here: Net) -> None:
    protocols = [here.accept()[0] for _ in range(3)]
    here.reactor.disconnectAll()
    assert [protocol.told for protocol in protocols] == [["made", "lost"]] * 3
    assert {type(protocol.reasons[0]) for protocol in protocols} == {ConnectionLost}


# Names and options


def test_s044_the_log_prefix_names_protocol_session_and_host(here: Net) -> None:
    protocol, _ = here.accept()
    assert protocol.transport.logPrefix() == "recorder,0,127.0.0.1"
    client, _ = here.connect()
    assert client.transport.logPrefix() == "recorder,client"


def test_addresses_and_options(here: Net) -> None:
    for protocol, peer in (here.accept(), here.connect()):
        transport = protocol.transport
        for _ in ("before there is a socket object", "after"):
            for read, write in (
                (transport.getTcpNoDelay, transport.setTcpNoDelay),
                (transport.getTcpKeepAlive, transport.setTcpKeepAlive),
            ):
                assert read() is False
                write(True)
                assert read() is True
                write(0)
            transport.setTcpNoDelay(1)
            assert transport.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.setTcpNoDelay(False)
            assert not transport.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert (transport.getHost().host, transport.getHost().port) == peer.getpeername()
        assert (transport.getPeer().host, transport.getPeer().port) == peer.getsockname()
        assert transport.getHandle().fileno() == transport.fileno()


def test_an_option_makes_no_socket_object_of_an_accepted_connection(here: Net) -> None:
    protocol, _ = here.accept()
    transport = protocol.transport
    had_one = transport._socket is not None  # the contract driver begins with one
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    assert transport.getTcpNoDelay() and transport.getTcpKeepAlive()
    assert (transport._socket is not None) is had_one is (transport.watched_by is None)


def test_an_option_of_what_is_no_socket_raises_the_kernels_error(here: Net) -> None:
    protocol, _ = here.accept()
    transport = protocol.transport
    with open(os.devnull) as no_socket:
        kept = os.dup(transport.fileno())
        os.dup2(no_socket.fileno(), transport.fileno())
    try:
        with pytest.raises(OSError) as raised:
            transport.setTcpNoDelay(True)
        assert raised.value.errno == errno.ENOTSOCK
        with pytest.raises(OSError):
            transport.getTcpKeepAlive()
    finally:
        os.dup2(kept, transport.fileno(), inheritable=False)
        os.close(kept)
