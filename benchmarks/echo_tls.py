"""The echo server over TLS, on each engine as its users would write it.

Usage: echo_tls.py torsion|twisted|asyncio|uvloop CERTIFICATE   (a PEM file, the key in it)
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
import sys
from typing import Any


def context(certificate: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


def by_reactor(reactor: Any, protocol: Any, how: Any) -> None:
    class Echo(protocol.Protocol):  # type: ignore[misc]
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)

    factory = protocol.Factory.forProtocol(Echo)
    port = reactor.listenSSL(0, factory, how, backlog=1024, interface="127.0.0.1")
    print(f"listening on 127.0.0.1:{port.getHost().port}", flush=True)
    reactor.run()


def torsion(certificate: str) -> None:
    from torsion import protocol, reactor

    by_reactor(reactor, protocol, context(certificate))


def twisted(certificate: str) -> None:
    from twisted.internet import protocol, reactor
    from twisted.internet.ssl import PrivateCertificate

    with open(certificate, encoding="ascii") as file:
        by_reactor(reactor, protocol, PrivateCertificate.loadPEM(file.read()).options())


class Echo(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def serve(certificate: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=1024, ssl=context(certificate))
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    engine, certificate = sys.argv[1:]
    if engine in ("torsion", "twisted"):
        (torsion if engine == "torsion" else twisted)(certificate)
    else:
        with asyncio.Runner(loop_factory=importlib.import_module(engine).new_event_loop) as runner:
            runner.run(serve(certificate))
