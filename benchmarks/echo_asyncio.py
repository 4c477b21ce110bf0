"""The echo server for the loops of asyncio, as their users would write it.

Usage: echo_asyncio.py asyncio|uvloop|rloop [udp]
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any


class Echo(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class EchoDatagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.transport.sendto(data, address)


async def serve_datagrams() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(EchoDatagrams, ("127.0.0.1", 0))
    print(f"listening on 127.0.0.1:{transport.get_extra_info('sockname')[1]}", flush=True)
    await asyncio.Event().wait()


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=1024, start_serving=False)
    await server.start_serving()  # once only: a second start, which serve_forever is too, makes rloop 0.5 deaf
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    factory = importlib.import_module(sys.argv[1]).new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve_datagrams() if sys.argv[2:] == ["udp"] else serve())
