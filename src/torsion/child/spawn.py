"""A program is started in a process of its own: by posix_spawn where that can do it, else by a fork (semantics 56).

posix_spawn copies nothing and runs no Python in the child, so it is fast and safe beside threads, and it says at once
that a program is missing. It cannot change the directory, the user or the terminal: then the process forks, and the
child does as little as it can in Python before it becomes the program. All that can be looked up or checked is done
before, in the parent.

Which descriptors the child has is the same list of steps on both ways: what is not in it is closed.
"""

from __future__ import annotations

import gc
import itertools
import os
import pwd
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from . import heritage

DUP2, CLOSE = os.POSIX_SPAWN_DUP2, os.POSIX_SPAWN_CLOSE
Step = tuple[int, ...]
"""(DUP2, descriptor, its new number) or (CLOSE, descriptor)."""

#: Signals whose handling the child takes up anew: an ignored one would stay ignored in the program.
SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})

WARNS_OF_FORKS = sys.version_info >= (3, 12)
"""Of those beside threads, which may leave a lock taken in the child."""


class User(NamedTuple):
    """Whom a child runs as."""

    uid: int
    gid: int
    #: The groups besides; None to leave them.
    groups: list[int] | None


class Order(NamedTuple):
    """What is to be run, checked."""

    executable: str | bytes
    arguments: list[bytes]
    environment: dict[bytes, bytes]
    directory: bytes | None
    user: User | None


def order(executable: Any, arguments: Any, environment: Any, directory: Any, uid: Any, gid: Any) -> Order:
    """Check what spawnProcess was given. Raises TypeError or ValueError, naming the argument and its value.

    `environment` is the whole of it; None stands for this process's own.
    """
    return Order(
        _program(executable),
        _arguments(arguments),
        dict(os.environb) if environment is None else _environment(environment),
        None if directory is None else _text("path", directory),
        _user(uid, gid),
    )


def _text(name: str, value: Any) -> bytes:
    try:
        text = os.fsencode(value)
    except TypeError:
        raise TypeError(f"{name} is to be str, bytes or a path, not {value!r}") from None
    if b"\0" in text:
        raise ValueError(f"{name} holds an embedded null byte: {value!r}")
    return text


def _program(value: Any) -> str | bytes:
    _text("executable", value)
    found: str | bytes = os.fspath(value)  # as it was given: errors show it
    return found


def _arguments(values: Any) -> list[bytes]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"args is to be a sequence, the program's name first, not {values!r}")
    arguments = [_text("an argument", value) for value in values]
    if not arguments:
        raise ValueError("args must not be empty: the first one is the program's name")
    return arguments


def _environment(values: Any) -> dict[bytes, bytes]:
    if not isinstance(values, Mapping):
        raise TypeError(f"env is to be a mapping, or None for this process's own, not {values!r}")
    environment = {
        _text("a name in env", name): _text(f"the value of {name!r} in env", value) for name, value in values.items()
    }
    for name in environment:
        if not name or b"=" in name:
            raise ValueError(f"illegal environment variable name: {name!r}")
    heritage.complete(environment)
    return environment


def _user(uid: Any, gid: Any) -> User | None:
    for name, value in (("uid", uid), ("gid", gid)):
        if value is not None and not isinstance(value, int):
            raise TypeError(f"{name} is to be a number, or None to leave it, not {value!r}")
        if value is not None and value < 0:
            raise ValueError(f"{name} is not negative: {value!r}")
    if uid is None and gid is None:
        return None
    new = os.geteuid() if uid is None else int(uid)
    group = os.getegid() if gid is None else int(gid)
    if new == os.getuid():
        return User(new, group, None)
    try:
        # Looked up here: the child of a fork must not ask a name service.
        return User(new, group, os.getgrouplist(pwd.getpwuid(new).pw_name, group))
    except KeyError:
        return User(new, group, [group])  # nobody of that name: no other groups


# Descriptors


def open_descriptors() -> list[int]:
    """The descriptors that are open in this process; or, where the system does not list them, those that may be."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return [int(name) for name in os.listdir(folder)]
        except FileNotFoundError:
            pass
    return list(range(min(os.sysconf("SC_OPEN_MAX"), 4096)))


def plan(wanted: Mapping[int, int]) -> list[Step]:
    """How a child comes to have just the descriptors `wanted`, its number to ours. OSError if one is not open."""
    for number, ours in wanted.items():
        try:
            os.fstat(ours)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror}: childFDs has {ours} for {number}") from None
    return steps(wanted, {fd for fd in open_descriptors() if _inherited(fd)})


def _inherited(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False  # closed: the listing's own, or by another thread meanwhile


def steps(wanted: Mapping[int, int], inherited: Collection[int]) -> list[Step]:
    """The same, where just `inherited` of ours stay open in a child by themselves. A copy does.

    One of ours whose number the child has another use for is copied out of the way, and then to where it belongs. So is
    one that keeps its number and is not inherited.
    """
    found: list[Step] = []
    place = {ours: ours for ours in wanted.values()}
    # The lowest numbers that nobody needs: a high one may be above the limit.
    unused = (fd for fd in itertools.count() if fd not in wanted and fd not in place)
    spares = []
    needed = list(wanted.values())
    for number, ours in wanted.items():
        if number == ours and ours in inherited and place[ours] == ours:
            needed.remove(ours)
            continue
        if number in needed and place[number] == number:
            place[number] = next(unused)
            spares.append(place[number])
            found.append((DUP2, number, place[number]))
        found.append((DUP2, place[ours], number))
        needed.remove(ours)
    surplus = sorted(fd for fd in inherited if fd not in wanted and fd not in spares)
    return found + [(CLOSE, fd) for fd in (*spares, *surplus)]


def take(steps: list[Step]) -> None:
    """In the child: do so."""
    for kind, fd, *number in steps:
        if kind == DUP2:
            os.dup2(fd, number[0])
        else:
            try:
                os.close(fd)
            except OSError:
                pass  # by another thread, before the fork


# Starting


def start(order: Order, wanted: Mapping[int, int], fork: bool = False) -> int:
    """Start a program with the descriptors `wanted` (its number to ours); returns the child's number.

    It raises FileNotFoundError or PermissionError if the program cannot be run, unless it has to fork, or is told to:
    then the child writes a traceback to its standard error and exits with 1. A bare name is looked for in this
    process's PATH, after a fork in the child's (56).
    """
    todo = plan(wanted)
    # posix_spawn closes nothing above a limit that was lowered since that was opened.
    limit = os.sysconf("SC_OPEN_MAX")
    beyond = any(kind == CLOSE and numbers[0] >= limit for kind, *numbers in todo)
    if fork or beyond or order.directory is not None or order.user is not None:
        return by_fork(order, lambda: take(todo))
    return os.posix_spawnp(order.executable, order.arguments, order.environment, file_actions=todo, setsigdef=SIGNALS)


def start_on_terminal(order: Order, slave: int) -> int:
    """Start a program whose controlling terminal, and standard input, output and error, is `slave` (57)."""
    todo = plan(dict.fromkeys((0, 1, 2), slave))
    return by_fork(order, lambda: take_terminal(slave, todo))


def take_terminal(slave: int, steps: list[Step]) -> None:
    """In the child: have this terminal as the controlling one of a new session, and these descriptors."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    take(steps)


def by_fork(order: Order, prepare: Callable[[], object]) -> int:
    """Fork; the child calls `prepare()` and becomes the program. Returns the child's number; raises OSError."""
    collecting = gc.isenabled()
    gc.disable()  # a collection in the child would run finalizers, which belong to the parent
    try:
        pid = _fork()
        if pid == 0:
            _become(order, prepare)
        return pid
    finally:
        if collecting:
            gc.enable()


def _fork() -> int:
    if not WARNS_OF_FORKS:
        return os.fork()
    # It is right; the child does no more than it must.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _become(order: Order, prepare: Callable[[], object]) -> NoReturn:
    """In the child: never returns, whatever happens."""
    try:
        try:
            sys.settrace(None)
            _let_go_of_signals()
            prepare()
            if order.directory is not None:
                os.chdir(order.directory)
            if order.user is not None:
                _switch_to(order.user)
            os.execvpe(order.executable, order.arguments, order.environment)
        except BaseException:
            text = f"Upon execvpe of {order.executable!r} with {order.arguments!r}:\n{traceback.format_exc()}"
            os.write(2, text.encode("utf-8", "backslashreplace"))
    finally:
        os._exit(1)


def _let_go_of_signals() -> None:
    """No handler of the parent's runs here, and nothing is written to its loop."""
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        try:
            if signal.getsignal(number) is not signal.SIG_DFL:
                signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            pass  # one that the system keeps for itself


def _switch_to(user: User) -> None:
    if os.geteuid() != 0:
        os.seteuid(0)  # it may be somebody who is root at heart; else this says that it is not permitted
    if user.groups is not None:
        os.setgroups(user.groups)
    os.setgid(user.gid)
    os.setuid(user.uid)
