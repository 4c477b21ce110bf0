"""Services on sockets that somebody else has opened: a parent process, or systemd, which hands them over by number.

systemd says what it has opened in the environment: LISTEN_FDS is how many descriptors there are, from 3 on, LISTEN_PID
for whom they are, LISTEN_FDNAMES what they are called (sd_listen_fds(3)).
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping, Sequence
from typing import Any

from ..core.deferred import Deferred, fail, succeed
from ..error import AlreadyListened
from ..failure import Failure

FIRST = 3
"""The number of the first descriptor that systemd hands over."""


class AdoptedStreamServerEndpoint:
    """Where a service listens on a descriptor that is open already. Contract: IStreamServerEndpoint."""

    _close = staticmethod(os.close)

    def __init__(self, reactor: Any, fileno: int, addressFamily: int) -> None:
        """``fileno`` is of a socket that listens, of the family ``addressFamily`` (socket.AF_INET, say)."""
        self.reactor = reactor
        self.fileno = fileno
        self.addressFamily = addressFamily
        self._used = False

    @staticmethod
    def _setNonBlocking(fd: int) -> None:
        os.set_blocking(fd, False)

    def listen(self, factory: Any) -> Deferred:
        """Listen for the factory: a Deferred of the port. The descriptor is duplicated for that, and closed.

        Works once: fails with AlreadyListened after that.
        """
        if self._used:
            return fail(AlreadyListened(f"the descriptor {self.fileno} was given to a port already"))
        self._used = True
        try:
            self._setNonBlocking(self.fileno)
            port = self.reactor.adoptStreamPort(self.fileno, self.addressFamily, factory)
            self._close(self.fileno)
        except BaseException:
            return fail(Failure())
        return succeed(port)


class ListenFDs:
    """The descriptors that systemd has handed over, by their order and by their names."""

    def __init__(self, descriptors: Sequence[int], names: Sequence[str] = ()) -> None:
        self._descriptors = list(descriptors)
        self._names = tuple(names)

    @classmethod
    def fromEnvironment(cls, environ: MutableMapping[str, str] | None = None, start: int = FIRST) -> ListenFDs:
        """Those that are for this process: none if the variables are missing, are for another one, or make no sense.

        LISTEN_PID and LISTEN_FDS are then removed, so that no child takes them for its own, and no program that this
        process becomes inherits the descriptors.
        """
        environ = os.environ if environ is None else environ
        try:
            if int(environ["LISTEN_PID"]) != os.getpid():
                return cls([])
            count = int(environ["LISTEN_FDS"])
        except (KeyError, ValueError):
            return cls([])
        del environ["LISTEN_PID"], environ["LISTEN_FDS"]
        descriptors = range(start, start + count)
        for descriptor in descriptors:
            try:
                os.set_inheritable(descriptor, False)
            except OSError:
                pass  # there is none of this number: whoever asks for it is told
        names = environ.pop("LISTEN_FDNAMES", "").split(":")
        return cls(descriptors, names if len(names) == count else ())

    def inheritedDescriptors(self) -> list[int]:
        """Their numbers, in order."""
        return list(self._descriptors)

    def inheritedNamedDescriptors(self) -> dict[str, int]:
        """Their numbers by name, if they were named; of several with one name, the last."""
        return dict(zip(self._names, self._descriptors, strict=False))


def family_of(fileno: int) -> int:
    """The address family of a socket. Raises OSError for what is no socket."""
    skt = socket.socket(fileno=fileno)
    try:
        return skt.family
    finally:
        skt.detach()  # the descriptor is somebody else's
