"""The world that our TLS talks to: blocking sockets of the standard library in threads, and the command openssl.

What a peer's thread does is a function of its socket; what it returns or raises is its `result`.
"""

import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from tests.certificates import Identity, certificates
from tests.contract.streams import PATIENCE, Makers, Net, Recorder

from torsion import ssl as ours
from torsion.protocols.tls import TLSMemoryBIOFactory

HOST = "127.0.0.1"


class Peer(threading.Thread):
    """The other end, in a thread of its own."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        super().__init__(daemon=True)
        self.result: Any = None
        self._call = function, arguments
        self.start()

    def run(self) -> None:
        function, arguments = self._call
        try:
            self.result = function(*arguments)
        except OSError as error:  # ssl.SSLError is one
            self.result = error.with_traceback(None)
        finally:
            del self._call

    def done(self) -> bool:
        return not self.is_alive()


def private(identity: Identity) -> ours.PrivateCertificate:
    return ours.PrivateCertificate.loadPEM(identity.both.read_bytes())


def authority() -> ours.Certificate:
    made: ours.Certificate = ours.Certificate.loadPEM(certificates().ca.certificate.read_bytes())
    return made


def server_options(identity: Identity | None = None, **more: Any) -> ours.CertificateOptions:
    own = private(identity or certificates().server)
    return ours.CertificateOptions(own.privateKey, own, **more)


def client_options(hostname: str = "localhost", **more: Any) -> Any:
    return ours.optionsForClientTLS(hostname, **{"trustRoot": authority(), **more})


class Server:
    """Our server: a port, and the protocols of its connections."""

    def __init__(self, here: Net, *protocols: Any, options: Any = None, timeout: float | None = None) -> None:
        self.here = here
        self.factory = Makers(*protocols)
        tls = TLSMemoryBIOFactory(
            options or server_options(), False, self.factory, here.reactor, handshake_timeout=timeout
        )
        self.listening = here.reactor.listenTCP(0, tls, backlog=1024, interface=HOST)
        self.port: int = self.listening.getHost().port

    def close(self) -> None:
        self.listening.stopListening()
        self.here.turns()


def over_tls(port: int, talk: Callable[[ssl.SSLSocket], Any], context: ssl.SSLContext, name: str = "localhost") -> Any:
    """A client of the standard library: connects, shakes hands, and returns what `talk` does."""
    with (
        socket.create_connection((HOST, port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False) as skt,
    ):
        return talk(skt)


def accept_tls(listening: socket.socket, talk: Callable[[ssl.SSLSocket], Any], context: ssl.SSLContext) -> Any:
    """A server of the standard library: accepts one connection, shakes hands, and returns what `talk` does."""
    plain, _ = listening.accept()
    plain.settimeout(PATIENCE)
    with plain, context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as skt:
        return talk(skt)


def to_the_end(skt: socket.socket) -> bytes:
    got = bytearray()
    while data := skt.recv(65536):
        got += data
    return bytes(got)


def reset(skt: socket.socket) -> None:
    """Close with a reset instead of an end."""
    skt.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    skt.close()


def connected(here: Net, port: int, options: Any, protocol: Any = None) -> tuple[Any, Makers]:
    """Our client's protocol and its factory: the TCP connection is made."""
    protocol = protocol or Recorder()
    factory = Makers(protocol)
    here.reactor.connectSSL(HOST, port, factory, options)
    here.until(lambda: "made" in protocol.told)
    return protocol, factory


def command(here: Net, *arguments: str, given: bytes = b"") -> tuple[int, str]:
    """Run it while the reactor turns: its status, and all that it printed."""
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        talk = Peer(lambda: process.communicate(given, timeout=60)[0].decode(errors="replace"))
        try:
            while not talk.done():  # at most the minute above: programs start slowly on a busy machine
                here.reactor.iterate(0.02)
        finally:
            process.kill()
            talk.join()
        return process.returncode, talk.result
