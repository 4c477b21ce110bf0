"""Changes in the file system, told by the kernel: files that are made, written to, moved, removed. Linux.

    notifier = inotify.INotify()
    notifier.startReading()
    notifier.watch("/var/spool/jobs", mask=inotify.IN_CLOSE_WRITE, callbacks=[lambda watch, path, mask: take(path)])

Paths are str, bytes, os.PathLike, or Twisted's FilePath; a callback gets paths of the same kind.

Contract: twisted.internet.inotify.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import reactors as _reactors  # noqa: F401 - knows the reactor that is meant when none is given
from . import report
from .child.watches import INotifyError, calls_of_the_kernel
from .failure import Failure
from .net.descriptor import CONNECTION_DONE
from .net.fdesc import readFromFD
from .net.filedescriptor import FileDescriptor

# What is told of: bits of a mask.
IN_ACCESS = 0x00000001
IN_MODIFY = 0x00000002
IN_ATTRIB = 0x00000004
IN_CLOSE_WRITE = 0x00000008
IN_CLOSE_NOWRITE = 0x00000010
IN_OPEN = 0x00000020
IN_MOVED_FROM = 0x00000040
IN_MOVED_TO = 0x00000080
IN_CREATE = 0x00000100
IN_DELETE = 0x00000200
IN_DELETE_SELF = 0x00000400
IN_MOVE_SELF = 0x00000800
# What the kernel adds.
IN_UNMOUNT = 0x00002000
IN_Q_OVERFLOW = 0x00004000
IN_IGNORED = 0x00008000
IN_ISDIR = 0x40000000
# How to watch.
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_MASK_ADD = 0x20000000
IN_ONESHOT = 0x80000000

IN_CLOSE = IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
IN_MOVED = IN_MOVED_FROM | IN_MOVED_TO
IN_CHANGED = IN_MODIFY | IN_ATTRIB
#: What is watched for if nothing else is said.
IN_WATCH_MASK = (
    IN_MODIFY
    | IN_ATTRIB
    | IN_CREATE
    | IN_DELETE
    | IN_DELETE_SELF
    | IN_MOVE_SELF
    | IN_UNMOUNT
    | IN_MOVED_FROM
    | IN_MOVED_TO
)

_FLAG_TO_HUMAN = [
    (IN_ACCESS, "access"),
    (IN_MODIFY, "modify"),
    (IN_ATTRIB, "attrib"),
    (IN_CLOSE_WRITE, "close_write"),
    (IN_CLOSE_NOWRITE, "close_nowrite"),
    (IN_OPEN, "open"),
    (IN_MOVED_FROM, "moved_from"),
    (IN_MOVED_TO, "moved_to"),
    (IN_CREATE, "create"),
    (IN_DELETE, "delete"),
    (IN_DELETE_SELF, "delete_self"),
    (IN_MOVE_SELF, "move_self"),
    (IN_UNMOUNT, "unmount"),
    (IN_Q_OVERFLOW, "queue_overflow"),
    (IN_IGNORED, "ignored"),
    (IN_ONLYDIR, "only_dir"),
    (IN_DONT_FOLLOW, "dont_follow"),
    (IN_MASK_ADD, "mask_add"),
    (IN_ISDIR, "is_dir"),
    (IN_ONESHOT, "one_shot"),
]

__all__ = [
    *sorted(name for name in globals() if name.startswith("IN_")),
    "INotify",
    "INotifyError",
    "humanReadableMask",
]

_HEADER = struct.Struct("=iIII")
Callback = Callable[[Any, Any, int], object]


def humanReadableMask(mask: int) -> list[str]:
    """The names of the bits of a mask."""
    return [name for flag, name in _FLAG_TO_HUMAN if flag & mask]


class _Watch:
    """One path that is watched; a callback's first argument."""

    def __init__(self, path: Any, mask: int, autoAdd: bool, callbacks: list[Callback]) -> None:
        self.path = path
        self.mask = mask
        self.autoAdd = autoAdd
        self.callbacks = callbacks

    def tell(self, path: Any, events: int) -> None:
        """Call each callback; what one raises is reported, and stops nothing."""
        for callback in self.callbacks:
            try:
                callback(self, path, events)
            except BaseException:
                report.failure(f"Unhandled error in a callback for {self.path!r}", Failure())


class INotify(FileDescriptor):
    """A watcher of paths. It does nothing before startReading(); loseConnection() ends it. The reactor's thread."""

    _inotify: Any = None

    def __init__(self, reactor: Any = None) -> None:
        """Raises INotifyError where there is no inotify, or none left for this user (fs.inotify.max_user_instances)."""
        super().__init__(reactor)
        calls = calls_of_the_kernel() if self._inotify is None else self._inotify
        self._fd: int = calls.init()
        self._inotify = calls
        self.connected = 1
        self._watches: dict[int, _Watch] = {}
        self._numbers: dict[bytes, int] = {}

    def fileno(self) -> int:
        return self._fd

    def watch(
        self,
        path: Any,
        mask: int = IN_WATCH_MASK,
        autoAdd: bool = False,
        callbacks: Iterable[Callback] | None = None,
        recursive: bool = False,
    ) -> int:
        """Call each of `callbacks` with (watch, path, mask) for the events of `mask` at a path or in its folder.

        That the path itself is removed is told always, and ends the watch; the last one's end is that of the INotify.
        With `autoAdd`, folders that are made in it later are watched too, and what was made in them meanwhile is told
        as created, perhaps twice. With `recursive`, folders that are there already are watched as well. A path that is
        watched already stays as it is. Returns the watch's number.

        Raises INotifyError if it cannot be watched: there is none, or too many are (fs.inotify.max_user_watches).
        """
        watch = _Watch(path, mask, bool(autoAdd), list(callbacks or ()))
        number = self._add(path, watch)
        if recursive:
            for folder in _folders(path):
                try:
                    self._add(folder, _Watch(folder, mask, watch.autoAdd, watch.callbacks))
                except INotifyError as error:
                    if error.errno != errno.ENOENT:  # gone again
                        raise
        return number

    def ignore(self, path: Any) -> None:
        """Watch a path no longer. KeyError if it is not watched."""
        number = self._numbers.pop(_bytes(path))
        del self._watches[number]
        self._inotify.remove(self._fd, number)

    def _isWatched(self, path: Any) -> bool:
        return _bytes(path) in self._numbers

    def _add(self, path: Any, watch: _Watch) -> int:
        name = _bytes(path)
        known = self._numbers.get(name)
        if known is not None:
            return known
        asked = watch.mask | IN_DELETE_SELF | (IN_CREATE if watch.autoAdd else 0)
        number: int = self._inotify.add(self._fd, name, asked | IN_MASK_ADD)
        if number in self._watches:
            return number  # known by another name: what that one asked for was added to, not replaced
        self._watches[number] = watch
        self._numbers[name] = number
        return number

    def _forget(self, number: int) -> None:
        watch = self._watches.pop(number, None)
        if watch is not None:
            self._numbers.pop(_bytes(watch.path), None)

    # Events

    def doRead(self) -> Any:
        return readFromFD(self._fd, self._told)

    def _told(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            number, events, _, length = _HEADER.unpack_from(data, at)
            at += _HEADER.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            self._event(number, events, name)

    def _event(self, number: int, events: int, name: bytes) -> None:
        if events & IN_Q_OVERFLOW:
            report.warning("inotify told of more than was read in time: some events are lost")
        watch = self._watches.get(number)
        if watch is None:
            return  # ignored meanwhile
        if events & IN_IGNORED:  # the kernel has dropped it
            self._forget(number)
            return
        path = _child(watch.path, name) if name else watch.path
        if events & (watch.mask | IN_DELETE_SELF | IN_UNMOUNT):
            watch.tell(path, events)
        if watch.autoAdd and events & IN_ISDIR and events & IN_CREATE:
            self._add_made(path, watch)  # after this event was told
        if events & IN_DELETE_SELF:
            self._forget(number)
            if not self._watches:
                self.loseConnection()

    def _add_made(self, folder: Any, parent: _Watch) -> None:
        """Watch a folder that was made, and tell what was made in it before it was watched."""
        if not self.connected:
            return
        try:
            self._add(folder, _Watch(folder, parent.mask, True, parent.callbacks))
            entries = sorted(os.scandir(_bytes(folder)), key=lambda entry: entry.name)
        except OSError:
            return  # gone again
        for entry in entries:
            path = _child(folder, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if parent.mask & IN_CREATE:
                parent.tell(path, IN_CREATE | (IN_ISDIR if is_folder else 0))
            if is_folder:
                self._add_made(path, parent)

    def loseConnection(self) -> None:
        """End it at once: there is nothing that could be written first."""
        if self.connected:
            self.connectionLost(CONNECTION_DONE)

    def connectionLost(self, reason: Failure) -> None:
        if self.disconnected:
            return
        super().connectionLost(reason)
        fd, self._fd = self._fd, -1
        self._watches.clear()
        self._numbers.clear()
        try:
            os.close(fd)
        except OSError:
            report.failure(f"inotify's descriptor {fd} could not be closed", Failure())


# Paths of whichever kind


def _bytes(path: Any) -> bytes:
    own = getattr(path, "path", path) if not isinstance(path, os.PathLike) else path
    return os.fsencode(own).rstrip(b"/") or b"/"


def _child(path: Any, name: bytes) -> Any:
    """What is called `name` in the folder `path`, as the kind of thing that `path` is."""
    if isinstance(path, bytes):
        return os.path.join(path, name)
    if isinstance(path, str):
        return os.path.join(path, os.fsdecode(name))
    if hasattr(path, "asBytesMode"):
        return path.asBytesMode().child(name)
    return path / os.fsdecode(name)


def _folders(path: Any) -> Iterator[Any]:
    """The folders below one, links to folders not followed."""
    try:
        names = sorted(entry.name for entry in os.scandir(_bytes(path)) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return  # no folder, or gone
    for name in names:
        folder = _child(path, name)
        yield folder
        yield from _folders(folder)
