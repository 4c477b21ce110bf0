"""What the tests of datagrams are made of: a protocol that notes what it is told, and ports on a reactor."""

import socket
from collections.abc import Callable
from typing import Any

from tests.contract.streams import Net

from torsion.protocol import DatagramProtocol

HOST = "127.0.0.1"


class Listener(DatagramProtocol):
    """Notes what it is told: events in `told`, datagrams in `received`, their senders in `senders`."""

    noisy = False

    def __init__(self) -> None:
        self.told: list[str] = []
        self.received: list[bytes] = []
        self.senders: list[Any] = []
        self.on_start: Callable[[], object] = lambda: None
        self.on_datagram: Callable[[bytes, Any], object] = lambda data, sender: None
        self.on_refused: Callable[[], object] = lambda: None

    def startProtocol(self) -> None:
        self.told.append("start")
        self.on_start()

    def stopProtocol(self) -> None:
        self.told.append(f"stop, transport {self.transport}")

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.received.append(datagram)
        self.senders.append(addr)
        self.on_datagram(datagram, addr)

    def connectionRefused(self) -> None:
        self.told.append("refused")
        self.on_refused()

    def logPrefix(self) -> str:
        return "listener"


def listen(here: Net, protocol: Any = None, interface: str = HOST, **options: Any) -> Any:
    """A UDP port of ours; its protocol is `port.protocol`."""
    return here.reactor.listenUDP(0, Listener() if protocol is None else protocol, interface=interface, **options)


def address(port: Any) -> tuple[str, int]:
    host = port.getHost()
    return host.host, host.port


def peer(here: Net, family: int = socket.AF_INET, host: str = HOST) -> socket.socket:
    """A socket of the standard library, bound."""
    skt = here.opened(socket.socket(family, socket.SOCK_DGRAM))
    skt.bind((host, 0))
    return skt


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as skt:
        skt.bind((HOST, 0))
        return int(skt.getsockname()[1])
