"""Programs of others that tests talk to, as clients and as servers. tests/real_clients.sh installs them.

`client("redis-cli")` gives the path of one, or skips the test with the reason.
"""

import shutil
from collections.abc import Callable

import pytest

#: The name that tests use: (the command, the Debian package).
CLIENTS = {
    "curl": ("curl", "curl"),
    "nc": ("nc.openbsd", "netcat-openbsd"),  # there are others called nc, with other options
    "openssl": ("openssl", "openssl"),
    "redis-cli": ("redis-cli", "redis-tools"),
    "socat": ("socat", "socat"),
}


def absent() -> list[str]:
    """The Debian packages of those that are not installed."""
    return [package for command, package in CLIENTS.values() if shutil.which(command) is None]


@pytest.fixture(scope="session")
def client() -> Callable[[str], str]:
    """`client(name)`: the path of a program of CLIENTS; the test is skipped where it is not installed."""

    def find(name: str) -> str:
        command, package = CLIENTS[name]
        found = shutil.which(command)
        if found is None:
            pytest.skip(f"{command} is not installed (Debian's package {package})")
        return found

    return find
