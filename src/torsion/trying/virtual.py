"""The real reactor with a time and a network of its own: a program that takes a reactor runs on it whole.

The engine is the real one, and so are timers, ports, connectors, streams, TLS. Three parts are passed in: a clock that
stands still until it is told, sockets in memory (sockets.py), and a poller that, where the system's would sleep until
the next timer, moves the clock there. So hours of timers take milliseconds, nothing depends on the machine, and the
same program does the same each time.
"""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from .. import report
from ..base import ReactorBase
from ..core.timers import TimerQueue
from ..engine.poll import READ
from ..engine.turn import Engine
from ..error import CannotListenError
from ..net import resolver, tcp, tcpclient, unix
from .sockets import FIRST_NUMBER, MemorySocket, Network
from .turning import NothingLeft, Turning

ENDLESS = 100_000
"""So many turns in which no time passes are taken for a loop without an end."""
REAL_PATIENCE, REAL_LOOK = 30.0, 0.01
"""How long a thread may work while everything else waits for it, and how often it is looked; in real seconds."""
ROUNDING = 1e-6
"""A sleep that is to end with a timer does, whatever the difference of two times was rounded to."""
START = 1000.0
"""When virtual time begins, in seconds."""
LOCAL = {"localhost": ("127.0.0.1", "::1")}

Names = Mapping[str, str | Sequence[str]]


class VirtualClock:
    """A clock that stands still until it is told."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class VirtualWaker:
    """Ends a real wait, which there is only while threads work."""

    def __init__(self, number: int = FIRST_NUMBER - 1) -> None:
        self._number = number
        self.event = threading.Event()

    def fileno(self) -> int:
        return self._number

    def wake(self) -> None:
        self.event.set()

    def on_ready(self, ready: int) -> None:
        self.event.clear()

    def close(self) -> None:
        """There is nothing to close."""


class VirtualPoller:
    """Tells what is ready on a Network; where nothing is, `sleep(seconds)` says what becomes of the time."""

    name = "virtual"

    def __init__(self, network: Network, waker: VirtualWaker, sleep: Callable[[float | None], object]) -> None:
        self._network, self._waker = network, waker
        self._sleep = weakref.WeakMethod(sleep)  # a reactor that is dropped is no cycle
        self.watched: dict[int, int] = {}

    def register(self, fd: int, interest: int) -> None:
        if fd < FIRST_NUMBER - 1:
            report.error(
                f"File descriptor {fd} cannot be watched by a VirtualReactor: what is in the system knows nothing of"
                " virtual time. It is told that it is gone."
            )
            raise OSError(f"{fd} is no socket of this reactor")
        self.watched[fd] = interest

    def modify(self, fd: int, interest: int) -> None:
        self.watched[fd] = interest

    def unregister(self, fd: int) -> None:
        self.watched.pop(fd, None)

    def ready(self) -> list[tuple[int, int]]:
        """What is ready now."""
        found = self._network.ready(self.watched)
        if self._waker.event.is_set():
            found.append((self._waker.fileno(), READ))
        return found

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        found = self.ready()
        if found or timeout == 0:
            return found
        sleep = self._sleep()
        if sleep is not None:
            sleep(timeout)
        return self.ready()

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.watched.clear()


class _AtOnce:
    """In the place of the threads that look names up: does so here."""

    def callInThreadWithCallback(
        self, onResult: Callable[[bool, Any], object], func: Callable[..., Any], /, *args: Any
    ) -> None:
        onResult(True, func(*args))


class NamesInMemory:
    """The system's lookup, for the names it was given: {name: address or addresses, in figures}."""

    def __init__(self, names: Names) -> None:
        self.names: dict[str, str | Sequence[str]] = {**LOCAL, **names}

    def __call__(self, name: str, port: Any, family: int = 0, kind: int = 0, *more: int) -> list[Any]:
        """As socket.getaddrinfo. Raises gaierror for a name that it was not given."""
        given = self.names.get(name, ())
        found = [self._entry(host, port, kind) for host in ([given] if isinstance(given, str) else given)]
        found = [entry for entry in found if family in (socket.AF_UNSPEC, entry[0])]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"{name!r} is not among the names of this virtual reactor")
        return found

    def _entry(self, host: str, port: Any, kind: int) -> tuple[Any, ...]:
        if ":" in host:
            return socket.AF_INET6, kind, 0, "", (host, port, 0, 0)
        return socket.AF_INET, kind, 0, "", (host, port)


class _OnNetwork:
    """Whose sockets are its reactor's."""

    reactor: Any
    addressFamily: Any

    def createInternetSocket(self) -> Any:
        made: MemorySocket = self.reactor.network.socket(self.addressFamily)
        return made


class Port(_OnNetwork, tcp.Port):
    """A port of a VirtualReactor."""


class Client(_OnNetwork, tcpclient.Client):
    """The connecting end of a connection of a VirtualReactor."""

    def __init__(self, host: str, port: int, bindAddress: Any, connector: Any, reactor: Any) -> None:
        self.reactor = reactor  # it makes the socket before the class below says so
        super().__init__(host, port, bindAddress, connector, reactor)


class Connector(tcpclient.Connector):
    """Connects on the network of a VirtualReactor."""

    def _makeTransport(self) -> Client:
        return Client(self.host, self.port, self.bindAddress, self, self.reactor)


class _CarriesNothing:
    """The end of a UNIX connection that is in no system, through which open files cannot be sent."""

    def sendFileDescriptor(self, descriptor: int) -> NoReturn:
        """NotImplementedError."""
        raise NotImplementedError("a connection in memory carries no open files")


class UNIXServer(_CarriesNothing, unix.Server):
    """The accepting end."""

    def __init__(self, sock: Any, protocol: Any, client: Any, server: Any, sessionno: int, reactor: Any) -> None:
        tcp.Server.__init__(self, sock, protocol, client, server, sessionno, reactor)


class UNIXPort(_OnNetwork, unix.Port):
    """A port at a name that is in no file system."""

    transport = UNIXServer

    def _bind(self) -> Any:
        skt = self.createInternetSocket()
        try:
            skt.bind(self.port)
        except OSError as error:
            skt.close()
            raise CannotListenError(None, self.port, error) from None
        skt.listen(self.backlog)
        return skt


class UNIXClient(_OnNetwork, _CarriesNothing, unix.Client):
    """The connecting end."""

    def __init__(self, filename: Any, connector: Any, reactor: Any) -> None:
        self.reactor = reactor
        super().__init__(filename, connector, reactor)
        self._passing = None


class UNIXConnector(unix.Connector):
    """Connects to a name that is in no file system."""

    def _makeTransport(self) -> UNIXClient:
        return UNIXClient(self.address, self, self.reactor)


class VirtualReactor(Turning, ReactorBase):
    """A reactor whose time passes when a test says so, and whose connections are in memory.

    Streams are all there: TCP, TLS and UNIX sockets. `names` says what host names mean: {name: address, or several};
    localhost is known. A host in the set `network.silent` never answers. Datagrams, processes and descriptors of the
    system are not there, and asking for them is a NotImplementedError. Threads work in real time, and virtual time
    waits for them where it can.

        reactor = VirtualReactor(names={"service.test": "10.0.0.7"})
        reactor.listenTCP(80, factory)
        reactor.advance(3600)
        answer = reactor.run_until(ask(reactor, "service.test"))
    """

    def __init__(self, names: Names | None = None) -> None:
        self.network = Network()
        clock, waker = VirtualClock(), VirtualWaker()
        poller = VirtualPoller(self.network, waker, self._sleep)
        super().__init__(engine=Engine(clock, poller, waker, TimerQueue()))  # type: ignore[arg-type]
        self._virtual_clock, self._virtual_poller, self._virtual_waker = clock, poller, waker
        self._names = NamesInMemory(names or {})
        self._stuck: NothingLeft | None = None

    def _first_resolvers(self) -> tuple[Any, Any]:
        names = resolver.GAIResolver(self, _AtOnce, self._names)
        return resolver.ComplexResolverSimplifier(names), names

    # Time

    def advance(self, seconds: float) -> None:
        """Let this much time pass, and everything happen that happens meanwhile, each thing at its time.

        ValueError for a negative number. RuntimeError if something goes on and on without any time passing.
        """
        if not seconds >= 0:
            raise ValueError(f"time passes forwards only: advance() takes seconds, not {seconds!r}")
        end = self._virtual_clock.now + seconds
        self.pump()
        while self._to_next_timer(end):
            self.pump()
        self._virtual_clock.now = end
        self.pump()

    def pump(self) -> None:
        """Let everything happen that can happen now, without any time passing. RuntimeError as advance()."""
        self._begin()
        for _ in range(ENDLESS):
            self.iterate(0)
            if not self._busy():
                return
        raise self._endless()

    def _busy(self) -> bool:
        """Whether there is something to do at this moment."""
        return self.engine.patience(None) == 0 or bool(self._virtual_poller.ready())

    def _endless(self) -> RuntimeError:
        return RuntimeError(
            f"something goes on and on without any time passing: {ENDLESS} turns at one moment. Still to come:"
            f" {self.getDelayedCalls()}"
        )

    def _to_next_timer(self, end: float) -> bool:
        """Move the clock to the next timer, unless that is after `end`."""
        due = self.engine.next_due()
        if due is None or due > end:
            return False
        self._virtual_clock.now = max(self._virtual_clock.now, due)
        return True

    def _turn_until(self, happened: Callable[[], object], timeout: float) -> bool:
        end = self._virtual_clock.now + timeout
        turns = 0
        while True:
            self.iterate(0)
            if happened():
                return True
            if self._busy():
                turns += 1
                if turns == ENDLESS:
                    raise self._endless()
            elif self._threads_at_work():
                if self.engine.rest() != 0:
                    self._wait_for_threads()
            elif self.engine.next_due() is None:
                raise NothingLeft("this cannot happen any more: there is no timer and no connection left to bring it")
            elif self._to_next_timer(end):
                turns = 0
            else:
                return False

    def _sleep(self, timeout: float | None) -> None:
        """The loop would sleep: for so long, or (None) until somebody else does something."""
        if self._threads_at_work():
            try:
                self._wait_for_threads()
            except NothingLeft as error:
                self._give_up(error)
        elif timeout is None:
            self._give_up(
                NothingLeft("run() would wait for ever: no timer is left, and no connection has anything to tell")
            )
        elif not self._to_next_timer(self._virtual_clock.now + timeout + ROUNDING):
            self._virtual_clock.advance(timeout)

    def _give_up(self, why: NothingLeft) -> None:
        """End run(), which raises this. (What is raised here it would only report.)"""
        if self._looping:
            self._stuck = why
            self.crash()

    def _threads_at_work(self) -> bool:
        pool = self.threadpool
        return pool is not None and bool(pool.working or pool._queue.qsize())

    def _wait_for_threads(self) -> None:
        """Until one has something to tell, or all are done. NothingLeft if that takes too long."""
        for _ in range(int(REAL_PATIENCE / REAL_LOOK)):
            if self._virtual_waker.event.wait(REAL_LOOK) or not self._threads_at_work():
                return
        raise NothingLeft(f"a thread works for more than {REAL_PATIENCE} real seconds, and all else waits for it")

    def run(self, installSignalHandlers: bool = True) -> None:
        """As the contract's, without signals. NothingLeft if the loop would sleep for ever."""
        self._stuck = None
        super().run(installSignalHandlers=False)
        stuck, self._stuck = self._stuck, None
        if stuck is not None:
            raise stuck

    # What it opens

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> Port:
        listening = Port(port, factory, backlog, interface, self)
        listening.startListening()
        return listening

    def connectTCP(
        self, host: str, port: int | str, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> Connector:
        connector = Connector(host, port, factory, timeout, bindAddress, self)
        connector.connect()
        return connector

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> UNIXPort:
        """The name is in no file system: it has no mode, and nobody else can hold its lock."""
        listening = UNIXPort(address, factory, backlog, mode, self)
        listening.startListening()
        return listening

    def connectUNIX(self, address: Any, factory: Any, timeout: float | None = 30, checkPID: Any = 0) -> UNIXConnector:
        connector = UNIXConnector(address, factory, timeout, self)
        connector.connect()
        return connector


def _not_in_memory(name: str) -> Callable[..., NoReturn]:
    def missing(self: VirtualReactor, *args: object, **kw: object) -> NoReturn:
        raise NotImplementedError(f"a VirtualReactor has no {name}: only streams are in memory")

    missing.__name__ = name
    missing.__doc__ = "NotImplementedError: only streams are in memory."
    return missing


for _name in (
    "listenUDP", "listenMulticast", "adoptDatagramPort", "listenUNIXDatagram", "connectUNIXDatagram", "adoptStreamPort",
    "adoptStreamConnection", "spawnProcess",
):  # fmt: skip
    setattr(VirtualReactor, _name, _not_in_memory(_name))
