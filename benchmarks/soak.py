"""A long run under faults: echoes over TCP and TLS, timers, threads and child processes together, in one process.

Clients end their connections in every way: orderly, half-closed, with a reset. Some read slowly. Some connect to where
nobody listens. Every few seconds the process may open no more descriptors for a moment. Every byte that comes back is
compared with what was sent, and every timer, thread's result and child's output is accounted for.

Only while descriptors are refused may something fail or be reported; that is counted as `no room`. Anything else that
fails, is reported or takes longer than a minute is an error.
At the end all is let run out. Then no more descriptors and threads may be there than after the first tenth of the time,
when the work was let run out for the first time, and not much more memory. Exit status 0 if all of that is so.

Usage: soak.py [--seconds 600]
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import random
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import tokenize  # noqa: F401  from 3.13 on a traceback imports it when shown, which may be when nothing can be opened
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from torsion import defer, error, protocol, reactor, task, threads, utils

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds for one piece of work; a machine may be busy
DRY_EVERY, DRY_FOR = 3.0, 0.3  # seconds
NONE = 1  # descriptor that may be open: less than there are
GROWTH = 8 << 20  # bytes of memory that the run may add: the allocator's business
WORKERS = {"tcp": 20, "tls": 5, "slow": 3, "refused": 1, "timers": 3, "threads": 3, "children": 2}


class Echo(protocol.Protocol):
    transport: Any

    def connectionMade(self) -> None:
        self.transport.registerProducer(self.transport, True)  # a peer that does not read is not read either

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.transport.unregisterProducer()


class Client(protocol.Protocol):
    """Compares what comes back; `arrived` fires when all of it has, `ended` when the connection has."""

    transport: Any

    def __init__(self) -> None:
        self.expected = b""
        self.arrived: Any = None
        self.ended = defer.Deferred()

    def ask(self, data: bytes) -> Any:
        self.expected = data
        self.arrived = defer.Deferred()
        self.transport.write(data)
        return self.arrived

    def dataReceived(self, data: bytes) -> None:
        size = len(data)
        if data != self.expected[:size]:
            self.finish(AssertionError(f"{size} bytes came back that were never sent"))
        self.expected = self.expected[size:]
        if not self.expected:
            self.finish(None)

    def finish(self, result: object) -> None:
        waiting, self.arrived = self.arrived, None
        if waiting is not None:
            (waiting.errback if isinstance(result, Exception) else waiting.callback)(result)

    def connectionLost(self, reason: Any = None) -> None:
        self.finish(reason.value)
        self.ended.callback(None)


class Soak(logging.Handler):
    """The work, and what has come of it. As a handler of logs it takes the reports."""

    def __init__(self, seconds: float, folder: Path) -> None:
        super().__init__()
        logging.getLogger("torsion").addHandler(self)
        self.seconds, self.began = seconds, time.monotonic()
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []
        self.dry_since, self.dry_until = 0.0, 0.0
        self.going_on = False
        self.random = random.Random(1)
        # A result is told before its thread is free again; the next call may need another thread, up to this many.
        reactor.suggestThreadPoolSize(WORKERS["threads"])
        server, self.client_context = contexts(folder)
        factory = protocol.Factory.forProtocol(Echo)
        self.tcp = reactor.listenTCP(0, factory, backlog=500, interface=HOST).getHost().port
        self.tls = reactor.listenSSL(0, factory, server, backlog=500, interface=HOST).getHost().port
        self.deaf = socket.socket()  # does not listen; and while it has the port, nobody else does
        self.deaf.bind((HOST, 0))
        self.nobody = self.deaf.getsockname()[1]

    async def connect(self, port: int, encrypted: bool) -> Client:
        creator = protocol.ClientCreator(reactor, Client)
        if encrypted:
            made: Client = await creator.connectSSL(HOST, port, self.client_context, timeout=PATIENCE)
        else:
            made = await creator.connectTCP(HOST, port, timeout=PATIENCE)
        return made

    async def echo(self, kind: str) -> None:
        client = await self.connect(self.tls if kind == "tls" else self.tcp, kind == "tls")
        try:
            for _ in range(self.random.randrange(1, 20)):
                answer = client.ask(self.random.randbytes(self.random.choice((1, 64, 1000, 16384, 200_000))))
                if kind == "slow":
                    client.transport.pauseProducing()
                    await sleep(self.random.uniform(0, 0.3))
                    client.transport.resumeProducing()
                await answer
        finally:
            # The last one is a reset.
            end = self.random.choice(("loseConnection", "loseWriteConnection", "abortConnection"))
            getattr(client.transport, end)()
            await client.ended

    async def tcp_work(self) -> None:
        await self.echo("tcp")

    async def tls_work(self) -> None:
        await self.echo("tls")

    async def slow_work(self) -> None:
        await self.echo("slow")

    async def refused_work(self) -> None:
        try:
            await self.connect(self.nobody, False)
        except error.ConnectionRefusedError:
            await sleep(0.05)
        else:
            raise AssertionError("somebody listens where nobody does")

    async def timers_work(self) -> None:
        ran: list[int] = []
        calls = [reactor.callLater(self.random.uniform(0, 0.1), ran.append, number) for number in range(100)]
        for call in calls[::2]:
            call.cancel()
        await sleep(0.15)
        assert sorted(ran) == list(range(1, 100, 2)), "a timer was lost"

    async def threads_work(self) -> None:
        data = self.random.randbytes(10_000)
        assert await threads.deferToThread(lambda: hashlib.sha256(data).digest()) == hashlib.sha256(data).digest()
        await sleep(0.01)

    async def children_work(self) -> None:
        text = self.random.randbytes(50).hex()
        given = await utils.getProcessOutputAndValue("/bin/sh", ["-c", f"printf {text}; exit 3"])
        assert given == (text.encode(), b"", 3), given
        await sleep(0.05)

    async def repeat(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while self.going_on:
            began = time.monotonic()
            try:
                await defer.ensureDeferred(work()).addTimeout(PATIENCE, reactor)
                self.done[name] += 1
            except Exception as problem:
                self.failed(began, f"{name}: {''.join(traceback.format_exception(problem)[-3:])}")
                await sleep(0.05)

    def failed(self, began: float, why: str) -> None:
        if self.dry_since <= time.monotonic() and began <= self.dry_until:
            self.done["no room"] += 1
        else:
            self.errors.append(why)

    def emit(self, record: logging.LogRecord) -> None:
        self.failed(time.monotonic(), self.format(record))

    async def dry(self) -> None:
        """For moments no descriptor may be opened."""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)
        while self.going_on:
            await sleep(DRY_EVERY)
            self.dry_since, self.dry_until = time.monotonic(), time.monotonic() + PATIENCE
            resource.setrlimit(resource.RLIMIT_NOFILE, (NONE, most[1]))
            await sleep(DRY_FOR)
            resource.setrlimit(resource.RLIMIT_NOFILE, most)
            self.dry_until = time.monotonic() + 1  # who waited for a place in the backlog was refused by then
            self.done["dry"] += 1

    async def work(self, seconds: float) -> None:
        """All of it for so long, and until it has run out."""
        self.going_on = True
        working = [defer.ensureDeferred(self.dry())]
        for name, count in WORKERS.items():
            working += [defer.ensureDeferred(self.repeat(name, getattr(self, f"{name}_work"))) for _ in range(count)]
        reports = task.LoopingCall(self.show)
        reports.start(min(60.0, self.seconds / 5), now=False)
        await sleep(seconds)
        self.going_on = False
        await defer.gatherResults(working)
        reports.stop()
        await sleep(0.5)  # the server's ends, too
        self.show()

    def show(self) -> None:
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] == NONE:  # there is no looking either
            reactor.callLater(DRY_FOR, self.show)
            return
        figures = now()
        passed = time.monotonic() - self.began
        print(
            f"| {passed:5.0f} s | {figures['rss'] >> 20} MiB | {figures['fds']} | {figures['threads']} | "
            + " | ".join(f"{self.done[name]:,}" for name in (*WORKERS, "dry", "no room"))
            + f" | {len(self.errors)} |",
            flush=True,
        )

    async def run(self) -> bool:
        names = " | ".join((*WORKERS, "dry", "no room", "errors"))
        print(f"| time | memory | descriptors | threads | {names} |\n|{'---|' * (len(WORKERS) + 7)}")
        await self.work(self.seconds / 10)
        before = now()
        await self.work(self.seconds * 9 / 10)
        after = now()
        wrong = list(dict.fromkeys(self.errors))[:10]
        for name in ("fds", "threads"):
            if after[name] > before[name]:
                wrong.append(f"{name}: {before[name]} before, {after[name]} after")
        if after["rss"] > before["rss"] + GROWTH:
            wrong.append(f"memory: {before['rss'] >> 20} MiB before, {after['rss'] >> 20} MiB after")
        wrong += [f"{name}: nothing was done" for name in WORKERS if not self.done[name]]
        print(reactor.stats())
        print("\n".join(["WRONG:", *wrong]) if wrong else "All is well: nothing lost, nothing left behind.")
        return not wrong


def sleep(seconds: float) -> Any:
    return task.deferLater(reactor, seconds)


def now() -> dict[str, int]:
    """What the process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "rss": pages * resource.getpagesize(),
        "fds": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the clients', with a certificate that is made for the run."""
    made = folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost".split()
    subprocess.run(
        [*command, "-addext", f"subjectAltName=IP:{HOST}", "-keyout", made, "-out", made],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made)
    return server, ssl.create_default_context(cafile=made)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long to go on (600)")
    seconds = parser.parse_args().seconds
    results: list[bool] = []

    async def soak(reactor: Any, folder: Path) -> None:
        try:
            results.append(await Soak(seconds, folder).run())
        except BaseException:
            traceback.print_exc()  # reports go to the soak
            raise

    with tempfile.TemporaryDirectory() as folder:
        try:
            task.react(lambda reactor: defer.ensureDeferred(soak(reactor, Path(folder))))
        except SystemExit as ended:
            if ended.code:
                return 1
    return 0 if results == [True] else 1


if __name__ == "__main__":
    sys.exit(main())
