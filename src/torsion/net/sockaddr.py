"""What a socket's address is for programs: made for each connection that is accepted, and for who asks a transport."""

from __future__ import annotations

import socket
from typing import Any

from ..address import IPv4Address, IPv6Address
from ..twin.kernel import Sys


def ip_address(raw: Any) -> Any:
    """An IPv4Address or IPv6Address. An IPv6 host that has a scope shows it, as the system writes it."""
    if len(raw) < 4:
        address = Sys.new(IPv4Address)  # there is nothing for its __init__ to refuse
        address.type = "TCP"
        address.host, address.port = raw
        return address
    host, port, flow, scope = raw
    if scope and "%" not in host:
        host = socket.getnameinfo(raw, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return IPv6Address("TCP", host, port, flow, scope)
