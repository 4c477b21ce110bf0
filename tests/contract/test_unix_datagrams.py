"""listenUNIXDatagram and connectUNIXDatagram: whole messages, to a path and back (44, 75, 76)."""

import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import PATIENCE, ByContract, Net, net
from tests.contract.unixes import here, room

from torsion.address import UNIXAddress
from torsion.contract import Reactor
from torsion.error import CannotListenError, MessageLengthError
from torsion.protocol import ConnectedDatagramProtocol, DatagramProtocol

__all__ = ["here", "room"]


class Server(DatagramProtocol):
    def __init__(self) -> None:
        self.received: list[tuple[bytes, Any]] = []
        self.told: list[str] = []
        self.on_data: Any = lambda data, address: None

    def startProtocol(self) -> None:
        self.told.append("start")

    def stopProtocol(self) -> None:
        self.told.append("stop")

    def datagramReceived(self, data: bytes, address: Any) -> None:
        self.received.append((data, address))
        self.on_data(data, address)


class Client(ConnectedDatagramProtocol):
    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.told: list[str] = []
        self.failed: list[BaseException] = []

    def startProtocol(self) -> None:
        self.told.append("start")

    def stopProtocol(self) -> None:
        self.told.append("stop")

    def datagramReceived(self, data: bytes) -> None:  # type: ignore[override]
        self.received.append(data)

    def connectionRefused(self) -> None:
        self.told.append("refused")

    def connectionFailed(self, failure: Any) -> None:
        self.failed.append(failure.value)


def stop(here: Net, *ports: Any) -> None:
    fired: list[Any] = []
    for port in ports:
        port.stopListening().addBoth(fired.append)
    assert fired == []
    here.until(lambda: fired == [None] * len(ports))


def test_s076_messages_go_there_and_back(here: Net, room: Path) -> None:
    server, client = Server(), Client()
    listening = here.reactor.listenUNIXDatagram(str(room / "server"), server)
    connected = here.reactor.connectUNIXDatagram(str(room / "server"), client, bindAddress=str(room / "client"))
    server.on_data = lambda data, address: server.transport.write(data.upper(), address)
    assert connected.write(b"one") == 3
    assert connected.writeSequence([b"t", b"wo"]) == 3
    assert connected.write(b"") == 0
    here.until(lambda: client.received == [b"ONE", b"TWO", b""])
    own = str(room / "client")
    assert server.received == [(b"one", own), (b"two", own), (b"", own)]
    assert listening.getHost() == connected.getPeer() == UNIXAddress(str(room / "server"))
    assert connected.getHost() == UNIXAddress(own)
    assert connected.getHandle().fileno() == connected.fileno() >= 0
    assert server.transport.writeSequence([b"a", b"b"], own) == 2
    here.until(lambda: client.received[-1] == b"ab")
    stop(here, connected, listening)
    assert server.told == client.told == ["start", "stop"]
    assert connected.fileno() == listening.fileno() == -1
    assert listening.stopListening() is None


def test_s076_a_sender_without_a_name(here: Net, room: Path) -> None:
    server, client = Server(), Client()
    listening = here.reactor.listenUNIXDatagram(os.fsencode(room / "server"), server)
    connected = here.reactor.connectUNIXDatagram(os.fsencode(room / "server"), client)
    connected.write(b"who")
    here.until(lambda: server.received == [(b"who", None)])
    assert connected.getHost() == UNIXAddress(None)
    stop(here, connected, listening)


def test_s075_an_abstract_name(here: Net) -> None:
    name = f"\0torsion-datagrams-{os.getpid()}"
    server, client = Server(), Client()
    listening = here.reactor.listenUNIXDatagram(name, server)
    connected = here.reactor.connectUNIXDatagram(name, client, bindAddress=name + "-client")
    connected.write(b"there")
    here.until(lambda: server.received)
    assert server.received == [(b"there", os.fsencode(name + "-client"))]
    server.transport.write(b"back", server.received[0][1])
    here.until(lambda: client.received == [b"back"])
    stop(here, connected, listening)


def test_s075_mode_and_name(here: Net, room: Path) -> None:
    path = room / "server"
    listening = here.reactor.listenUNIXDatagram(str(path), Server(), mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert repr(listening) == f"<tests.contract.test_unix_datagrams.Server on {str(path)!r}>"
    with pytest.raises(CannotListenError):
        here.reactor.listenUNIXDatagram(str(path), Server())
    stop(here, listening)
    assert repr(listening) == "<tests.contract.test_unix_datagrams.Server (not listening)>"
    assert path.exists()  # the contract leaves it to the program
    path.unlink()
    listening.startListening()
    stop(here, listening)


def test_s044_under_which_name_it_is_logged(here: Net, room: Path) -> None:
    listening = here.reactor.listenUNIXDatagram(str(room / "server"), Server())
    assert listening.logPrefix() == "tests.contract.test_unix_datagrams.Server (UDP)"
    stop(here, listening)


def test_s076_longer_datagrams_are_cut(here: Net, room: Path) -> None:
    server = Server()
    listening = here.reactor.listenUNIXDatagram(str(room / "server"), server, maxPacketSize=10)
    connected = here.reactor.connectUNIXDatagram(str(room / "server"), Client())
    connected.write(b"x" * 100)
    here.until(lambda: server.received == [(b"x" * 10, None)])
    for write in (connected.write, lambda data: listening.write(data, str(room / "server"))):
        with pytest.raises(MessageLengthError):
            write(b"x" * 10_000_000)
    stop(here, connected, listening)


def test_s076_what_the_protocol_raises_is_reported(here: Net, room: Path, reports: Reports) -> None:
    server = Server()
    server.on_data = lambda data, address: 1 // len(data)
    listening = here.reactor.listenUNIXDatagram(str(room / "server"), server)
    connected = here.reactor.connectUNIXDatagram(str(room / "server"), Client())
    connected.write(b"")
    connected.write(b"x")
    here.until(lambda: len(server.received) == 2)
    assert "datagramReceived" in reports.take(ZeroDivisionError)
    stop(here, connected, listening)


def test_s076_one_event_receives_a_bounded_amount(here: Net, room: Path) -> None:
    server = Server()
    listening = here.reactor.listenUNIXDatagram(str(room / "server"), server)
    listening.maxThroughput = 10
    connected = here.reactor.connectUNIXDatagram(str(room / "server"), Client())
    for _ in range(5):
        connected.write(b"12345")
    listening.doRead()
    assert len(server.received) == 2
    here.until(lambda: len(server.received) == 5)
    server.on_data = lambda data, address: listening.stopListening()
    connected.write(b"a")
    connected.write(b"b")
    here.until(lambda: "stop" in server.told)
    assert [data for data, _ in server.received[5:]] == [b"a"]
    stop(here, connected)


def test_s076_nobody_is_there(here: Net, room: Path) -> None:
    server, client = Server(), Client()
    listening = here.reactor.listenUNIXDatagram(str(room / "server"), server)
    with pytest.raises(FileNotFoundError):
        listening.write(b"x", str(room / "missing"))
    for wrong in (None, 5):
        with pytest.raises(TypeError, match=repr(wrong)):
            listening.write(b"x", wrong)
    connected = here.reactor.connectUNIXDatagram(str(room / "server"), client)
    stop(here, listening)
    assert connected.write(b"x") is None
    assert client.told == ["start", "refused"]
    with pytest.raises(ConnectionRefusedError):
        here.reactor.listenUNIXDatagram(str(room / "other"), Server()).write(b"x", str(room / "server"))
    stop(here, connected)


def test_s103_a_peer_that_cannot_be_connected_to(here: Net, room: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    client = Client()
    here.reactor.connectUNIXDatagram(str(room / "missing"), client)
    here.reactor.connectUNIXDatagram(str(room / "missing"), client, bindAddress="/missing/too")
    assert [type(each) for each in client.failed] == [FileNotFoundError, CannotListenError]
    assert client.told == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_protocol_that_cannot_start_leaves_no_port(here: Net, room: Path) -> None:
    class Broken(Server):
        def startProtocol(self) -> None:
            raise ValueError("not today")

    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ValueError, match="not today"):
        here.reactor.listenUNIXDatagram(str(room / "server"), Broken())
    assert os.listdir(room) == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_a_full_receiver_has_no_room_for_is_dropped(here: Net, room: Path) -> None:
    slow = here.opened(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    slow.bind(str(room / "slow"))
    connected = here.reactor.connectUNIXDatagram(str(room / "slow"), Client())
    sent = 0
    while connected.write(b"x" * 1000) is not None:
        sent += 1
    slow.setblocking(False)
    for _ in range(sent):
        assert len(slow.recv(2000)) == 1000
    with pytest.raises(BlockingIOError):
        slow.recv(1)
    stop(here, connected)


@pytest.mark.parametrize("kind", [Reactor, ByContract], ids=["native", "contract"])
def test_thousands_of_messages_leave_nothing(kind: type[Reactor], room: Path, no_leaks: Any, reports: Reports) -> None:
    def work(rounds: int) -> None:
        with net(kind) as here:
            server, client = Server(), Client()
            listening = here.reactor.listenUNIXDatagram(str(room / "server"), server)
            connected = here.reactor.connectUNIXDatagram(str(room / "server"), client, bindAddress=str(room / "client"))
            server.on_data = lambda data, address: listening.write(data, address)
            for number in range(rounds):
                for _ in range(5):  # fewer than a socket of datagrams queues
                    connected.write(b"%d" % number)
                here.until(lambda number=number: len(client.received) == 5 * number + 5)
            stop(here, connected, listening)
            server.on_data = None
        for each in room.iterdir():
            each.unlink()

    work(3)
    with no_leaks():
        work(1000)


def test_socat_sends_a_datagram(here: Net, room: Path, client: Any) -> None:
    server = Server()
    server.on_data = lambda data, address: server.transport.write(b"thanks for " + data, address)
    listening = here.reactor.listenUNIXDatagram(str(room / "server"), server)
    program = subprocess.Popen(
        [client("socat"), "-t", "5", "STDIO", f"UNIX-SENDTO:{room / 'server'},bind={room / 'socat'}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert program.stdin and program.stdout
    program.stdin.write(b"the message")
    program.stdin.flush()
    here.until(lambda: server.received)
    assert program.stdout.read(22) == b"thanks for the message"
    program.stdin.close()
    program.stdout.close()
    program.terminate()
    program.wait(PATIENCE)
    stop(here, listening)


def test_a_pause_takes_effect_in_the_middle_of_what_an_event_brings(here: Net, room: Path) -> None:
    server = Server()
    port = here.reactor.listenUNIXDatagram(str(room / "port"), server)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for text in (b"1", b"2", b"3"):
            sender.sendto(text, str(room / "port"))
    server.on_data = lambda data, address: port.pauseProducing()
    here.turns()
    assert [data for data, _ in server.received] == [b"1"]
    port.resumeProducing()
    here.turns()
    assert [data for data, _ in server.received] == [b"1", b"2"]
    port.stopListening()
    here.turns()


def test_a_flood_of_empty_datagrams_lets_others_have_their_turn(here: Net, room: Path) -> None:
    server = Server()
    here.reactor.listenUNIXDatagram(str(room / "port"), server)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:

        def another(data: bytes, address: Any) -> None:
            assert len(server.received) < 5000, "the loop is kept here"
            sender.sendto(b"", str(room / "port"))

        server.on_data = another
        another(b"", None)
        here.turns(1)
        assert 100 < len(server.received) < 5000


def test_a_peer_that_is_not_there_leaves_no_path_of_ours(here: Net, room: Path) -> None:
    client = Client()
    here.reactor.connectUNIXDatagram(str(room / "none"), client, bindAddress=str(room / "mine"))
    assert [type(failed) for failed in client.failed] == [FileNotFoundError]
    assert os.listdir(room) == []


def test_what_connectionrefused_raises_is_reported_and_the_port_stays(here: Net, room: Path, reports: Reports) -> None:
    class Angry(Client):
        def connectionRefused(self) -> None:
            raise ZeroDivisionError

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(room / "port"))
        client = Angry()
        port = here.reactor.connectUNIXDatagram(str(room / "port"), client)
    assert port.write(b"x") is None
    assert reports.take(ZeroDivisionError)
    assert port.connected
