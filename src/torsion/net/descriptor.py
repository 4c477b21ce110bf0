"""Any object with fileno, doRead, doWrite and connectionLost can be watched: this stands between it and the engine.

The engine delivers readiness by number; the contract knows objects, and lets a program override each of their methods,
on the class or the instance, at any time. So every event looks the methods up again. Only fileno is not asked more than
it must: an object's number is noted when it is added, and never asked for again once it was removed (semantics 61).
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Protocol

from .. import report
from ..core.delayed import describe
from ..engine.poll import GONE, READ, WRITE
from ..engine.signals import Signals
from ..engine.turn import Engine
from ..engine.waker import Waker
from ..engine.watch import Watch
from ..error import ConnectionDone, ConnectionFdescWentAway, ConnectionLost
from ..failure import Failure

# One of each in a process: programs compare them by identity, and to make a Failure per connection would cost.
CONNECTION_DONE = Failure(ConnectionDone("Connection done"))
CONNECTION_LOST = Failure(ConnectionLost("Connection lost"))


def no_reactor() -> Any:
    raise RuntimeError("no reactor was given, and torsion.reactors, which knows the process's, was not imported")


#: The reactor that is meant where none is given. This floor does not know; torsion.reactors does, and says so here.
current_reactor: Callable[[], Any] = no_reactor

Disconnect = Callable[[Any, BaseException, bool], object]
"""What to do with an object, why, and whether it was its reading side that ended."""


def prefix_of(subject: Any) -> str:
    """The name under which what a protocol, a factory or a transport does is logged: its own word, or its class's."""
    own = getattr(subject, "logPrefix", None)
    return str(own()) if callable(own) else type(subject).__name__


class FDSet(Protocol):
    """The part of a reactor that ``disconnect`` needs: called on the reactor, which may override it."""

    def removeReader(self, reader: Any) -> None: ...
    def removeWriter(self, writer: Any) -> None: ...


class Descriptor(Watch):
    """One number that is watched, for an object that reads, one that writes, or one that does both (compiled)."""

    def __init__(self, fd: int, disconnect: Disconnect) -> None:
        self._begin_watch(fd)
        self.reader: Any = None
        self.writer: Any = None
        self.disconnect = disconnect

    def fileno(self) -> int:
        return self._fd

    def interest(self) -> int:
        """What is to be told."""
        return (READ if self.reader is not None else 0) | (WRITE if self.writer is not None else 0)

    def log_prefix(self) -> str:
        """Whom this serves, for whoever logs meanwhile; "-" if the object does not say."""
        selectable = self.writer if self.reader is None else self.reader
        try:
            return str(selectable.logPrefix())
        except Exception:
            return "-"

    def on_ready(self, ready: int) -> None:
        reader, writer = self.reader, self.writer
        if reader is None or writer is None or reader is writer:
            self._serve(writer if reader is None else reader, ready)
            return
        self._serve(reader, ready & ~WRITE)
        if self.writer is writer and ready & (WRITE | GONE):
            self._serve(writer, ready & ~READ)

    def _serve(self, selectable: Any, ready: int) -> None:
        """Semantics 59 and 60. Raises what connectionLost does, if that is a KeyboardInterrupt (43)."""
        why, reading = self._event(selectable, ready)
        if not why:
            return
        try:
            # A true value that is no exception is an object's own way to say "disconnect me".
            self.disconnect(selectable, why, reading)
        except KeyboardInterrupt:
            raise
        except BaseException:
            report.failure(f"Unhandled error in connectionLost of {describe(selectable)}", Failure())
        finally:
            why = None  # the traceback of an exception leads to this frame

    def _event(self, selectable: Any, ready: int) -> tuple[Any, bool]:
        """Calls doRead and doWrite; returns a reason to disconnect, if there is one, and whether reading ended."""
        if ready & GONE and not ready & READ:
            # The kernel reports a hang-up unasked. What there is to read has been read by now.
            if self.reader is selectable:
                return CONNECTION_DONE.value, True
            return CONNECTION_LOST.value, False
        method, reading = "fileno", False
        try:
            if selectable.fileno() == -1:
                return ConnectionFdescWentAway("The file descriptor is gone"), False
            if ready & READ and self.reader is selectable:
                method, reading = "doRead", True
                why = selectable.doRead()
                if why:
                    return why, True
            if ready & WRITE and self.writer is selectable:  # not if doRead removed it
                method, reading = "doWrite", False
                return selectable.doWrite(), False
        except BaseException as error:
            report.failure(f"Unhandled error in {method} of {self.log_prefix()}, {describe(selectable)}", Failure())
            return error, reading
        return None, False


class DescriptorSet:
    """The objects that a reactor watches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._by_number: dict[int, Descriptor] = {}
        self._by_object: dict[int, Descriptor] = {}  # keyed by id(): what is watched is alive, and need not be hashable

    def add(self, selectable: Any, interest: int, disconnect: Disconnect) -> None:
        """Watch it for READ or WRITE. Raises ValueError if it has no file descriptor (semantics 98)."""
        if self._watches_itself(selectable):
            (selectable.startReading if interest & READ else selectable.startWriting)()
            return
        fd = selectable.fileno()
        if fd < 0:
            raise ValueError(f"{selectable!r} cannot be watched: its file descriptor is {fd}")
        known = self._by_object.get(id(selectable))
        if known is not None and known.fileno() != fd:
            self.remove(selectable, READ | WRITE)  # the same object over another file
        descriptor = self._by_number.get(fd)
        if descriptor is None:
            descriptor = self._by_number[fd] = Descriptor(fd, disconnect)
        elif selectable is not descriptor.reader and selectable is not descriptor.writer:
            # Another object may mean another file under the same number: the kernel has dropped the old one then.
            self._engine.forget(fd)
        replaced = []
        if interest & READ:
            replaced.append(descriptor.reader)
            descriptor.reader = selectable
        if interest & WRITE:
            replaced.append(descriptor.writer)
            descriptor.writer = selectable
        self._by_object[id(selectable)] = descriptor
        self._forget_unwatched(replaced, descriptor)
        self._engine.watch(fd, descriptor, descriptor.interest())

    def remove(self, selectable: Any, interest: int) -> None:
        """Watch it no longer for READ or WRITE. Nothing happens if it was not watched. Its fileno is not called."""
        descriptor = self._by_object.get(id(selectable))
        if descriptor is None:
            if self._watches_itself(selectable):
                if interest & READ:
                    selectable.stopReading()
                if interest & WRITE:
                    selectable.stopWriting()
            return
        if interest & READ and descriptor.reader is selectable:
            descriptor.reader = None
        if interest & WRITE and descriptor.writer is selectable:
            descriptor.writer = None
        self._forget_unwatched([selectable], descriptor)
        remaining = descriptor.interest()
        if remaining:
            self._engine.watch(descriptor.fileno(), descriptor, remaining)
        else:
            self._by_number.pop(descriptor.fileno(), None)
            self._engine.forget(descriptor.fileno())

    def remove_all(self, keep: Container[Any]) -> list[Any]:
        """Watch nothing any longer but what is in ``keep``; returns what was watched, each object once."""
        watched = {id(each): each for each in self.readers() + self.writers()}
        removed = [each for each in watched.values() if each not in keep]
        for each in removed:
            self.remove(each, READ | WRITE)
        return removed

    def readers(self) -> list[Any]:
        by_contract = [each.reader for each in self._by_number.values() if each.reader is not None]
        return by_contract + self._streams(READ)

    def writers(self) -> list[Any]:
        by_contract = [each.writer for each in self._by_number.values() if each.writer is not None]
        return by_contract + self._streams(WRITE)

    def _watches_itself(self, selectable: Any) -> bool:
        """Whether it is a stream that the engine drives natively; readers and writers it is nonetheless."""
        return getattr(selectable, "watched_by", None) is self._engine

    def _streams(self, interest: int) -> list[Any]:
        watched = self._engine.watched()
        return [each for each, wanted in watched if wanted & interest and self._watches_itself(each)]

    def _forget_unwatched(self, selectables: list[Any], descriptor: Descriptor) -> None:
        for each in selectables:
            if each is not None and each is not descriptor.reader and each is not descriptor.writer:
                self._by_object.pop(id(each), None)


def disconnect(reactor: FDSet, selectable: Any, why: Any, reading: bool) -> None:
    """Tell an object that its connection is over; only that its reading side is, if it can live on half closed."""
    reactor.removeReader(selectable)
    if why.__class__ is ConnectionDone:
        reason = CONNECTION_DONE
        half_close = getattr(selectable, "readConnectionLost", None)
        if reading and half_close is not None:
            half_close(reason)
            return
    elif why.__class__ is ConnectionLost:
        reason = CONNECTION_LOST
    else:
        reason = Failure(why)
    reactor.removeWriter(selectable)
    selectable.connectionLost(reason)


class InternalReader:
    """A handler of the engine as a program sees it: an object to be watched, if the program does the watching."""

    def __init__(self, handler: Waker | Signals) -> None:
        self._handler = handler

    def fileno(self) -> int:
        return self._handler.fileno()

    def doRead(self) -> None:
        self._handler.on_ready(READ)

    def wakeUp(self) -> None:
        """End the wait of whoever watches this, if it is a waker. Any thread."""
        if isinstance(self._handler, Waker):
            self._handler.wake()

    def connectionLost(self, reason: object) -> None:
        """Nothing: the engine closes it."""

    def logPrefix(self) -> str:
        return "-"
