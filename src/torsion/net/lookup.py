"""The address of a host by its name. The system's own lookup blocks, so a thread of the pool waits for it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from ..core.deferred import Deferred, succeed
from ..error import DNSLookupError
from ..failure import Failure


class Pool(Protocol):
    """The part of a thread pool that this needs."""

    def callInThreadWithCallback(
        self, onResult: Callable[[bool, Any], object], func: Callable[..., Any], /, *args: object
    ) -> None: ...


def known(name: str) -> str | None:
    """The IPv4 address that `name` is by itself: an address in figures, or "", which means any; else None."""
    if not name:
        return "0.0.0.0"
    try:
        socket.inet_pton(socket.AF_INET, name)
    except (OSError, ValueError):
        return None
    return name


def resolve(name: str, pool: Pool, in_loop: Callable[..., object]) -> Deferred:
    """A Deferred of the first IPv4 address of `name`, as text, or of a DNSLookupError (semantics 77).

    An address is its own answer, and "" means any address; neither is looked up. `pool` is where the lookup may block;
    `in_loop(function, *args)` calls in the Deferred's thread. A cancelled Deferred ends at once; its lookup is let run.
    """
    if not isinstance(name, str):
        raise TypeError(f"a host name is a str, not {name!r}")
    itself = known(name)
    if itself is not None:
        return succeed(itself)
    address = Deferred()

    def found(success: bool, result: Any) -> None:
        if success:
            in_loop(address.callback, result)
        else:
            error = DNSLookupError(f"address {name!r} not found: {result.getErrorMessage()}")
            in_loop(address.errback, Failure(error))

    pool.callInThreadWithCallback(found, socket.gethostbyname, name)
    return address
