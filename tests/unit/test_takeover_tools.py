"""Twisted's tools on our engine, unchanged: trial and its workers, twistd as a daemon, the reactors they are told of.

Each is started by its name, as `torsion run trial …`.
"""

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.interpreters import Python, needs_twisted

pytestmark = needs_twisted

TESTS = """
import os
from twisted.internet import defer, reactor, utils
from twisted.trial import unittest

class Tests(unittest.TestCase):
    async def test_a(self):
        child = await utils.getProcessOutput({python!r}, ["-c", {child!r}], env=os.environ)
        with open({out!r}, "a") as file:
            print(os.getpid(), defer.__name__, type(reactor).__name__, child.decode(), file=file)

    test_b = test_a
"""
CHILD = "from twisted.internet import defer; print(defer.__name__, end='')"


@pytest.fixture
def tests(tmp_path: Path) -> Iterator[Callable[[], list[list[str]]]]:
    """A module `test_tools` in the folder, whose tests write down where they run; the lines, when called."""
    out = tmp_path / "out"
    source = TESTS.format(python=sys.executable, child=CHILD, out=str(out))
    (tmp_path / "test_tools.py").write_text(source)
    yield lambda: [line.split() for line in out.read_text().splitlines()]


def trial(python: Python, folder: Path, *arguments: str) -> None:
    environment = {**python.environment, "PYTHONPATH": f"{python.environment['PYTHONPATH']}{os.pathsep}{folder}"}
    done = python.run("-m", "torsion", "run", "trial", *arguments, "test_tools", cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED (successes=2)" in done.stdout


def test_the_worker_processes_of_trial_run_on_ours_and_so_do_their_children(
    full: Python,
    tests: Callable[[], list[list[str]]],
    tmp_path: Path,
) -> None:
    trial(full, tmp_path, "-j", "2")
    (first, *one), (second, *other) = tests()
    assert first != second
    assert one == other == ["torsion.defer", "EPollReactor", "torsion.defer"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("epoll", "EPollReactor"),
        ("poll", "PollReactor"),
        ("select", "SelectReactor"),
        ("asyncio", "AsyncioSelectorReactor"),
        ("default", "EPollReactor"),
    ],
)
def test_trial_uses_the_reactor_that_it_is_told_of(
    full: Python,
    tests: Callable[[], list[list[str]]],
    tmp_path: Path,
    name: str,
    kind: str,
) -> None:
    trial(full, tmp_path, f"--reactor={name}")
    assert [line[1:] for line in tests()] == [["torsion.defer", kind, "torsion.defer"]] * 2


APPLICATION = """
from twisted.application import service, strports
from twisted.internet import defer, protocol, reactor, threads, utils
from twisted.python import log

class Answer(protocol.Protocol):
    def dataReceived(self, asked):
        log.msg("asked for a " + asked.decode())
        if asked == b"reactor":
            answer = defer.succeed(f"{type(reactor).__name__} of {protocol.__name__}".encode())
        elif asked == b"thread":
            answer = threads.deferToThread(lambda: b"done by a thread")
        else:
            answer = utils.getProcessOutput("/bin/echo", ["-n", "done by a child"])
        answer.addCallback(self.transport.write)

application = service.Application("answer")
strports.service("unix:socket", protocol.Factory.forProtocol(Answer)).setServiceParent(application)
"""


class Daemon:
    """A daemon of twistd's. Once the command returns it serves in the background; it ends with the `with` statement."""

    def __init__(self, python: Python, folder: Path, *options: str) -> None:
        (folder / "answer.tac").write_text(APPLICATION)
        arguments = ["-m", "torsion", "run", "twistd", *options, "--pidfile=pid", "--logfile=log", "-y", "answer.tac"]
        # Its output goes to a file: the daemon would keep a pipe open.
        with open(folder / "said", "w+") as said:
            done = python.run(*arguments, cwd=folder, capture_output=False, stdout=said, stderr=said)
        assert (done.returncode, (folder / "said").read_text()) == (0, "")
        self._folder = folder
        self._number = int((folder / "pid").read_text())
        self._process = os.pidfd_open(self._number)

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *error: object) -> None:
        if not self.ended(0):
            self.signal(signal.SIGKILL)
        os.close(self._process)

    def ask(self, question: str) -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(self._folder / "socket"))
            client.sendall(question.encode())
            return client.recv(100).decode()

    def rest(self) -> None:
        """Come back when it sleeps: all that it was told of has been dealt with."""
        deadline = time.monotonic() + 60
        while Path(f"/proc/{self._number}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < deadline, "it works on and on"
            os.sched_yield()

    def signal(self, number: signal.Signals) -> None:
        signal.pidfd_send_signal(self._process, number)

    def ended(self, within: float = 60) -> bool:
        return bool(select.select([self._process], [], [], within)[0])

    def log(self, name: str = "log") -> str:
        return (self._folder / name).read_text()


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ([], "EPollReactor"),
        (["--reactor=poll"], "PollReactor"),
        (["--reactor=select"], "SelectReactor"),
        (["--reactor=asyncio"], "AsyncioSelectorReactor"),
    ],
)
def test_a_daemon_of_twistd_serves_after_its_forks_and_ends_on_a_signal(
    full: Python, tmp_path: Path, options: list[str], kind: str
) -> None:
    with Daemon(full, tmp_path, *options) as daemon:
        assert daemon.ask("reactor") == f"{kind} of torsion.protocol"
        assert daemon.ask("thread") == "done by a thread"
        assert daemon.ask("child") == "done by a child"
        daemon.signal(signal.SIGTERM)
        assert daemon.ended()
    assert "Received SIGTERM, shutting down." in daemon.log()
    assert "Server Shut Down." in daemon.log() and "Traceback" not in daemon.log()
    assert not (tmp_path / "pid").exists() and not (tmp_path / "socket").exists()


def test_a_daemon_begins_another_log_when_it_is_told_to(full: Python, tmp_path: Path) -> None:
    with Daemon(full, tmp_path) as daemon:
        daemon.ask("thread")
        daemon.signal(signal.SIGUSR1)
        daemon.ask("reactor")
        daemon.ask("child")  # a turn of the loop later
        assert "asked for a thread" in daemon.log("log.1")
        assert "asked for a child" in daemon.log() and "asked for a thread" not in daemon.log()


@pytest.mark.parametrize("profiler", ["cprofile", "profile"])
def test_a_profiler_of_twistd_sees_what_the_loop_calls(full: Python, tmp_path: Path, profiler: str) -> None:
    with Daemon(full, tmp_path, f"--profiler={profiler}", "--profile=seen") as daemon:
        daemon.ask("reactor")
        daemon.rest()  # in the middle of an event `profile` stumbles over the handler (docs/twisted.md)
        daemon.signal(signal.SIGTERM)
        assert daemon.ended()
    assert "answer.tac" in (tmp_path / "seen").read_text() and "(dataReceived)" in (tmp_path / "seen").read_text()
