"""The endpoints that are no TCP: UNIX sockets, child processes, standard input and output, what is behind a proxy."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import Makers, Net, Recorder, net
from tests.contract.test_endpoint_sockets import echoes, ended, result_of, wire

from torsion.address import IPv4Address, _ProcessAddress
from torsion.contract import Reactor
from torsion.endpoints import (
    HostnameEndpoint,
    ProcessEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    clientFromString,
    quoteStringArgument,
    serverFromString,
)
from torsion.error import BadFileError, ConnectionDone, ProcessTerminated

__all__ = ["wire"]


def test_unix(wire: Net, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    server = UNIXServerEndpoint(wire.reactor, path, mode=0o600)
    there, here, port = echoes(wire, server, lambda port: UNIXClientEndpoint(wire.reactor, path))
    assert os.stat(path).st_mode & 0o777 == 0o600
    ended(wire, there, here, port)


def test_unix_by_strings(wire: Net, tmp_path: Path) -> None:
    path = quoteStringArgument(str(tmp_path / "a:b=c"))
    server = serverFromString(wire.reactor, f"unix:address={path}:mode=600")
    ended(wire, *echoes(wire, server, lambda port: clientFromString(wire.reactor, f"unix:path={path}:lockfile=1")))


def test_unix_where_nobody_listens(wire: Net, tmp_path: Path) -> None:
    endpoint = UNIXClientEndpoint(wire.reactor, str(tmp_path / "nowhere"), checkPID=True)
    with pytest.raises(BadFileError):
        result_of(wire, endpoint.connect(Makers()))


def test_a_unix_socket_by_its_descriptor(wire: Net, tmp_path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    listening.listen()
    there = Recorder()
    port = result_of(wire, serverFromString(wire.reactor, f"fd:{listening.detach()}").listen(Makers(there)))
    peer = wire.opened(socket.socket(socket.AF_UNIX))
    peer.connect(str(tmp_path / "socket"))
    peer.sendall(b"hello")
    wire.until(lambda: there.received == b"hello")
    result_of(wire, port.stopListening())


@pytest.fixture
def native(reports: Reports) -> Iterator[Net]:
    """A reactor that notices the end of children by itself; others need the signal, and that they run."""
    with net(Reactor) as made:
        yield made


def test_a_process(native: Net) -> None:
    recorder = Recorder()
    program = "import sys; print(sys.stdin.readline().upper(), end='', flush=True); sys.stderr.write('dropped')"
    endpoint = ProcessEndpoint(native.reactor, sys.executable, [sys.executable, "-c", program], env=None)
    assert result_of(native, endpoint.connect(Makers(recorder))) is recorder
    assert isinstance(recorder.transport.getPeer(), _ProcessAddress)
    assert recorder.transport.pid > 0
    recorder.transport.write(b"hello\n")
    recorder.transport.closeStdin()
    with pytest.raises(AttributeError, match="has no 'status'"):
        recorder.transport.status
    native.until(lambda: "lost" in recorder.told)
    assert recorder.received == b"HELLO\n" and type(recorder.reasons[0]) is ConnectionDone


def test_a_process_that_fails(native: Net) -> None:
    recorder = Recorder()
    endpoint = ProcessEndpoint(native.reactor, "/bin/false", ["false"])
    result_of(native, endpoint.connect(Makers(recorder)))
    native.until(lambda: "lost" in recorder.told)
    assert type(recorder.reasons[0]) is ProcessTerminated and recorder.reasons[0].exitCode == 1


def test_a_process_without_a_factory_for_it_is_not_started(native: Net, tmp_path: Path) -> None:
    endpoint = ProcessEndpoint(native.reactor, "/bin/touch", ["touch", str(tmp_path / "started")])
    with pytest.raises(RuntimeError, match="wrong"):
        result_of(native, endpoint.connect(Makers(RuntimeError("wrong"))))
    native.turns()
    assert list(tmp_path.iterdir()) == []


def test_a_process_whose_connection_made_raises_is_ended(native: Net) -> None:
    recorder = Recorder()

    def raises() -> None:
        raise RuntimeError("wrong")

    recorder.on_made = raises
    endpoint = ProcessEndpoint(native.reactor, "/bin/cat", ["cat"])
    with pytest.raises(RuntimeError, match="wrong"):
        result_of(native, endpoint.connect(Makers(recorder)))
    native.until(lambda: "lost" in recorder.told)


SHOUT = """
from torsion import endpoints, protocol, reactor

class Shout(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data.upper())
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

endpoints.serverFromString(reactor, "stdio:").listen(protocol.Factory.forProtocol(Shout))
reactor.run()
"""


def test_standard_input_and_output_of_a_program() -> None:
    done = subprocess.run([sys.executable, "-c", SHOUT], input=b"hello", capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"HELLO", b"")


def test_a_server_behind_a_proxy(wire: Net) -> None:
    there = Recorder()
    server = serverFromString(wire.reactor, "haproxy:tcp:0:interface=127.0.0.1")
    port = result_of(wire, server.listen(Makers(there)))
    here = Recorder()
    result_of(wire, HostnameEndpoint(wire.reactor, "127.0.0.1", port.getHost().port).connect(Makers(here)))
    here.transport.write(b"PROXY TCP4 10.0.0.1 10.0.0.2 1234 80\r\nhello")
    wire.until(lambda: there.received == b"hello")
    assert there.transport.getPeer() == IPv4Address("TCP", "10.0.0.1", 1234)
    ended(wire, there, here, port)


def test_endpoints_leave_nothing_behind(tmp_path: Path, no_leaks: Any) -> None:
    def use(wire: Net, number: int) -> None:
        path = str(tmp_path / f"socket{number}")
        there, here, port = echoes(
            wire, UNIXServerEndpoint(wire.reactor, path), lambda port: UNIXClientEndpoint(wire.reactor, path)
        )
        ended(wire, there, here, port)
        there.transport = here.transport = None
        recorder = Recorder()
        result_of(wire, ProcessEndpoint(wire.reactor, "/bin/true", ["true"]).connect(Makers(recorder)))
        wire.until(lambda: "lost" in recorder.told)
        recorder.transport = None

    with net(Reactor) as wire:
        use(wire, 1)
        with no_leaks():
            use(wire, 2)
