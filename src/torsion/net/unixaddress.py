"""What a UNIX socket is bound to: a path in the file system, an abstract name, or nothing.

A name that begins with a null byte is abstract (Linux): it is in no directory, has no mode, and goes with its socket.
"""

from __future__ import annotations

import os
import socket

from ..address import UNIXAddress


def as_bytes(address: str | bytes | os.PathLike[str]) -> bytes:
    """The name as a socket takes it. TypeError for what is none, ValueError for a path with a null byte in it."""
    try:
        name = os.fsencode(address)
    except TypeError:
        raise TypeError(f"the address of a UNIX socket is a path, as str or bytes, not {address!r}") from None
    if in_file_system(name) and b"\0" in name:  # the kernel would take what is before it
        raise ValueError(f"the path of a UNIX socket holds an embedded null byte: {address!r}")
    return name


def in_file_system(name: bytes) -> bool:
    """Whether this is a path: no abstract name, and not none at all."""
    return bool(name) and name[:1] != b"\0"


def to_address(name: str | bytes | None) -> UNIXAddress:
    """What the kernel's name of a socket, empty if it has none, is for programs."""
    return UNIXAddress(name or None)


def bind(skt: socket.socket, name: bytes, mode: int) -> tuple[int, int] | None:
    """Bind a socket; the file has `mode` from its first moment on. Raises OSError.

    Returns what identifies the file, or None for an abstract name.
    """
    if not in_file_system(name):
        skt.bind(name)
        return None
    try:
        os.fchmod(skt.fileno(), mode)  # on Linux the file gets no more than this, whatever the umask allows
    except OSError:
        pass
    skt.bind(name)
    try:
        os.chmod(name, mode)
        made = os.lstat(name)
    except OSError:
        os.unlink(name)
        raise
    return made.st_dev, made.st_ino


def remove(name: bytes, identity: tuple[int, int] | None) -> None:
    """Remove the file that `bind` made, if it is still that one; nothing happens if it cannot be removed."""
    try:
        there = os.lstat(name)
        if (there.st_dev, there.st_ino) == identity:
            os.unlink(name)
    except OSError:
        pass  # removed already, or the directory is closed to us by now
