"""Child processes with pipes: what their protocol is told, and in which order (semantics 55-57, 95, 96)."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.children import SH, Home, Told, home
from tests.contract.parts import REAL_REACTORS, Reports
from tests.contract.streams import ByContract

from torsion import interfaces
from torsion.contract import Reactor
from torsion.error import ProcessDone, ProcessExitedAlready, ProcessTerminated

ALL = {"Reactor": Reactor, "ByContract": ByContract, **REAL_REACTORS}


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def family(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Home]:
    with home(request.param) as made:
        yield made


# The end (55)


@pytest.mark.parametrize("kind", ALL)
def test_s055_every_reactor_tells_what_a_child_wrote_and_how_it_ended(kind: str, reports: Reports) -> None:
    with home(ALL[kind]) as family:
        protocol = family.sh('read line; echo "got $line"; echo oops >&2; exit 3')
        protocol.transport.write(b"hello\n")
        family.end(protocol)
    assert protocol.data == {1: b"got hello\n", 2: b"oops\n"}
    assert protocol.told[0] == "made"
    assert protocol.told[-1] == "ended"
    assert sorted(protocol.told) == ["ended", "exited", "lost 0", "lost 1", "lost 2", "made"]
    for reason in protocol.reasons:
        assert isinstance(reason, ProcessTerminated)
        assert (reason.exitCode, reason.signal, reason.status) == (3, None, 3 << 8)


def test_s055_a_child_that_ends_well_is_done(family: Home) -> None:
    protocol = family.sh("exit 0")
    family.end(protocol)
    for reason in protocol.reasons:
        assert isinstance(reason, ProcessDone)
        assert (reason.exitCode, reason.signal, reason.status) == (0, None, 0)


def test_s055_the_signal_that_ended_a_child_is_the_reason(family: Home) -> None:
    protocol = family.sh("kill -USR1 $$; sleep 100")
    family.end(protocol)
    reason = protocol.reasons[0]
    assert isinstance(reason, ProcessTerminated)
    assert (reason.exitCode, reason.signal, reason.status) == (None, signal.SIGUSR1, signal.SIGUSR1)


def test_s055_the_number_is_gone_once_the_child_was_reaped(family: Home) -> None:
    protocol = family.sh("read line")
    transport = protocol.transport
    number = transport.pid
    assert repr(transport) == f"<Process pid={number} status=-1>"
    os.kill(number, 0)
    seen: list[Any] = []
    protocol.on["exited"] = lambda: seen.append(transport.pid)
    transport.closeStdin()
    family.end(protocol)
    assert seen == [None]
    assert repr(transport) == "<Process pid=None status=256>"
    with pytest.raises(ProcessExitedAlready):
        transport.signalProcess("KILL")


def test_s055_a_grandchild_that_holds_standard_output_delays_the_end_and_not_the_exit(family: Home) -> None:
    protocol = family.sh("(read line <&3; echo late) & echo early; exit 0", childFDs={0: "w", 1: "r", 3: "w"})
    family.until(lambda: "exited" in protocol.told and protocol.data)
    family.passes()
    assert not protocol.ended
    protocol.transport.writeToChild(3, b"go\n")
    family.end(protocol)
    assert protocol.data[1] == b"early\nlate\n"


def test_s055_without_pipes_a_child_may_end_inside_spawnProcess(family: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    register = family.reactor._children.register

    def once_it_has_ended(pid: int, ended: Any) -> None:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        register(pid, ended)

    monkeypatch.setattr(family.reactor._children, "register", once_it_has_ended)
    protocol = family.sh("exit 0", childFDs={})
    assert protocol.told == ["made", "exited", "ended"]
    with_pipes = family.sh("exit 0")
    assert with_pipes.told == ["made", "exited"]
    family.end(with_pipes)


def test_s055_pipes_that_close_have_a_child_looked_at(family: Home) -> None:
    """What notices the end without SIGCHLD on an engine that somebody else turns."""
    protocol = family.sh("exec 0<&- 1>&- 2>&-; kill -STOP $$")
    family.until(lambda: len(protocol.told) == 4)
    assert sorted(protocol.told[1:]) == ["lost 0", "lost 1", "lost 2"]
    protocol.transport.signalProcess("KILL")
    family.end(protocol)
    assert protocol.told[-2:] == ["exited", "ended"]


def test_s055_the_protocol_and_the_transport_are_let_go(family: Home) -> None:
    def use() -> None:
        family.end(family.sh("echo x"))

    use()
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            use()
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this kernel or Python has no descriptors of processes")
@pytest.mark.parametrize("options", [{}, {"path": "/"}], ids=["spawn", "fork"])
def test_s054_a_reactor_in_another_thread_sees_its_children(reports: Reports, options: Any) -> None:
    """No signal comes there: the kernel's descriptor of the process does."""
    reactor = Reactor()
    protocol = Told()
    protocol.on["ended"] = reactor.stop

    def live() -> None:
        reactor.callWhenRunning(reactor.spawnProcess, protocol, SH, ["sh", "-c", "exit 4"], childFDs={}, **options)
        reactor.run(installSignalHandlers=False)

    thread = threading.Thread(target=live)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert protocol.told == ["made", "exited", "ended"]
    assert protocol.reasons[0].exitCode == 4
    reactor.close()


def test_s053_without_handlers_and_descriptors_a_child_is_reaped_when_its_last_pipe_closes(reports: Reports) -> None:
    """Where somebody else watches, and nobody takes SIGCHLD."""
    reactor = ByContract()
    protocol = Told()
    protocol.on["ended"] = reactor.stop
    protocol.on["made"] = lambda: protocol.transport.write(b"go\n")
    script = "read go; sleep 0.2 & exit 6"  # it ends before the pipe that its own child holds
    command = [SH, ["sh", "-c", script], {"PATH": os.defpath}]
    reactor.callWhenRunning(reactor.spawnProcess, protocol, *command, childFDs={0: "w", 1: "r"})
    reactor.run(installSignalHandlers=False)
    assert protocol.told == ["made", "lost 0", "lost 1", "exited", "ended"]
    assert protocol.reasons[0].exitCode == 6
    reactor.removeReader(reactor.waker)
    reactor.close()


# Starting (56)


def test_s056_the_environment_is_empty_by_default_given_or_inherited(
    family: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORSION_TEST", "from the parent")
    program = [sys.executable, "-S", "-c", "import os; print(dict(os.environ))"]

    def environment(**options: Any) -> dict[str, str]:
        protocol = Told()
        family.reactor.spawnProcess(protocol, program[0], program, **options)
        family.end(protocol)
        found: dict[str, str] = eval(protocol.data[1])
        found.pop("LC_CTYPE", None)  # Python's own
        return found

    for path in (None, "/"):  # by posix_spawn, by fork
        assert environment(path=path) == {}
        assert environment(path=path, env={"A": "b", b"C": Path("d")}) == {"A": "b", "C": "d"}
        assert environment(path=path, env=None)["TORSION_TEST"] == "from the parent"


def test_s056_a_program_that_cannot_be_run_raises_and_nobody_is_told(family: Home, no_leaks: Any) -> None:
    protocol = Told()

    def tries() -> None:
        with pytest.raises(FileNotFoundError, match="/no/such/program"):
            family.reactor.spawnProcess(protocol, "/no/such/program", ["x"])
        with pytest.raises(PermissionError, match="/etc/passwd"):
            family.reactor.spawnProcess(protocol, "/etc/passwd", ["x"])

    tries()
    with no_leaks():
        tries()
    assert protocol.told == []


@pytest.mark.parametrize(
    ("program", "options", "error"),
    [
        ("/no/such/program", {"path": "/"}, "FileNotFoundError"),
        ("/etc/passwd", {"path": "/"}, "PermissionError"),
        (SH, {"path": "/no/such/folder"}, "FileNotFoundError"),
    ],
)
def test_s056_after_a_fork_the_child_says_what_is_wrong_on_its_standard_error(
    family: Home, program: str, options: Any, error: str
) -> None:
    protocol = Told()
    family.reactor.spawnProcess(protocol, program, ["x"], **options)
    family.end(protocol)
    assert protocol.reasons[0].exitCode == 1
    text = protocol.data[2].decode()
    assert text.startswith(f"Upon execvpe of {program!r} with [b'x']:\nTraceback")
    assert f"\n{error}: " in text


def test_s056_a_bare_name_is_looked_for_in_our_path_or_after_a_fork_in_the_childs(
    family: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ours", "childs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which-one").write_text(f"#!{SH}\necho {name}\n")
        (tmp_path / name / "which-one").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "ours"))

    def found(**options: Any) -> bytes:
        protocol = Told()
        family.reactor.spawnProcess(
            protocol, "which-one", ["which-one"], env={"PATH": str(tmp_path / "childs")}, **options
        )
        family.end(protocol)
        return protocol.data[1]

    assert found() == b"ours\n"
    assert found(path=tmp_path) == b"childs\n"


def test_s056_a_directory_is_changed_to(family: Home, tmp_path: Path) -> None:
    for path in (tmp_path, str(tmp_path), os.fsencode(tmp_path)):
        protocol = family.sh("pwd", path=path)
        family.end(protocol)
        assert protocol.data[1] == os.fsencode(tmp_path) + b"\n"


@pytest.mark.parametrize("options", [{}, {"path": "/"}], ids=["spawn", "fork"])
def test_s056_ignored_signals_are_not_ignored_in_the_child(family: Home, options: Any) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        protocol = family.sh("kill -USR1 $$; kill -PIPE $$; exit 0", **options)
        family.end(protocol)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert protocol.reasons[0].signal == signal.SIGUSR1


@pytest.mark.parametrize("options", [{}, {"path": "/"}], ids=["spawn", "fork"])
def test_s056_the_child_has_the_descriptors_that_were_declared_and_no_others(family: Home, options: Any) -> None:
    inherited = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    listing = [sys.executable, "-S", "-c", "import os; print(sorted(os.listdir('/proc/self/fd'), key=int))"]
    try:
        plain, mapped = Told(), Told()
        family.reactor.spawnProcess(plain, listing[0], listing, **options)
        wanted = {0: inherited, 1: "r", 5: "r", 7: "w", inherited + 20: inherited}
        family.reactor.spawnProcess(mapped, listing[0], listing, childFDs=wanted, **options)
        family.end(plain, mapped)
    finally:
        os.close(inherited)
    # One more is the listing's own, at the lowest number that is free.
    assert eval(plain.data[1]) == ["0", "1", "2", "3"]
    assert eval(mapped.data[1]) == ["0", "1", "2", "5", "7", str(inherited + 20)]


@pytest.mark.parametrize("options", [{}, {"path": "/"}], ids=["spawn", "fork"])
def test_s056_descriptors_may_change_places(family: Home, options: Any) -> None:
    (one, into_one), (two, into_two) = os.pipe(), os.pipe()
    try:
        program = f"import os; os.write({into_two}, b'to one'); os.write({into_one}, b'to two')"
        protocol = Told()
        family.reactor.spawnProcess(
            protocol,
            sys.executable,
            ["python", "-S", "-c", program],
            childFDs={into_one: into_two, into_two: into_one},
            **options,
        )
        family.end(protocol)
        assert (os.read(one, 100), os.read(two, 100)) == (b"to one", b"to two")
    finally:
        for fd in (one, into_one, two, into_two):
            os.close(fd)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_s056_a_child_runs_as_who_it_is_told_to_without_our_groups(family: Home) -> None:
    for options, expected in (
        ({"uid": 12345, "gid": 54321}, b"12345 54321 54321\n"),
        ({"uid": 12345}, b"12345 %d %d\n" % (os.getegid(), os.getegid())),
        ({"gid": 54321}, None),
    ):
        protocol = family.sh("echo $(id -u) $(id -g) $(id -G)", **options)
        family.end(protocol)
        assert protocol.data[1] == expected or protocol.data[1].startswith(b"%d 54321 " % os.getuid())


def test_s056_collecting_garbage_is_as_before_after_a_fork(family: Home) -> None:
    assert gc.isenabled()
    family.end(family.sh("exit 0", path="/"))
    assert gc.isenabled()
    gc.disable()
    try:
        family.end(family.sh("exit 0", path="/"))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_s056_no_handler_of_ours_runs_in_the_child_of_a_fork(family: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the fork and the program a signal may come."""
    from torsion.child import spawn

    def and_a_signal(order: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(spawn, "_switch_to", and_a_signal)
    before = signal.signal(signal.SIGTERM, lambda number, frame: os.write(2, b"the parent's handler"))
    try:
        protocol = family.sh("exit 0", uid=os.getuid())
        family.end(protocol)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert protocol.reasons[0].signal == signal.SIGTERM
    assert protocol.data == {}


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"args": ()}, ValueError, "args must not be empty"),
        ({"args": "ls -l"}, TypeError, "args is to be a sequence"),
        ({"args": None}, TypeError, "args is to be a sequence"),
        ({"args": ["x", 3]}, TypeError, "an argument is to be str, bytes or a path, not 3"),
        ({"args": ["x", "a\0b"]}, ValueError, "an argument holds an embedded null byte: 'a.x00b'"),
        ({"executable": None}, TypeError, "executable is to be str, bytes or a path, not None"),
        ({"executable": "a\0b"}, ValueError, "executable holds an embedded null byte"),
        ({"env": ["A=b"]}, TypeError, "env is to be a mapping"),
        ({"env": {"A": 3}}, TypeError, "the value of 'A' in env is to be"),
        ({"env": {3: "A"}}, TypeError, "a name in env is to be"),
        ({"env": {"A=B": "c"}}, ValueError, "illegal environment variable name: b'A=B'"),
        ({"env": {"A": "b\0"}}, ValueError, "null byte"),
        ({"path": 3}, TypeError, "path is to be"),
        ({"path": "/\0"}, ValueError, "null byte"),
        ({"uid": "root"}, TypeError, "uid is to be a number, or None to leave it, not 'root'"),
        ({"gid": -1}, ValueError, "gid is not negative: -1"),
        ({"childFDs": [0, 1, 2]}, TypeError, "childFDs is to be a dict"),
        ({"childFDs": {0: "x"}}, TypeError, "childFDs has 'x' for 0"),
        ({"childFDs": {"0": "r"}}, TypeError, "childFDs has 'r' for '0'"),
        ({"childFDs": {0: -1}}, ValueError, "descriptors are not negative"),
        ({"childFDs": {0: 987}}, OSError, "Bad file descriptor"),
        ({"childFDs": {0: "w"}, "usePTY": True}, ValueError, "childFDs is to be None"),
        ({"usePTY": (1, 2)}, ValueError, "usePTY is to be .master, slave, name."),
    ],
)
def test_s056_what_cannot_be_raises_at_the_call_and_leaves_nothing(
    family: Home, arguments: Any, error: type[Exception], text: str, no_leaks: Any
) -> None:
    protocol = Told()
    with no_leaks(), pytest.raises(error, match=text):
        family.reactor.spawnProcess(protocol, **{"executable": SH, "args": ["sh", "-c", "exit"], **arguments})
    assert protocol.told == []


# What the transport does (57, 95)


def test_s057_a_child_that_closes_its_standard_input_is_noticed(family: Home) -> None:
    protocol = family.sh("exec 0<&-; echo closed; read line <&3", childFDs={0: "w", 1: "r", 3: "w"})
    family.until(lambda: "lost 0" in protocol.told)
    assert "exited" not in protocol.told
    protocol.transport.write(b"into the void")  # no error
    protocol.transport.closeChildFD(3)
    family.end(protocol)


def test_s095_a_signal_is_a_number_or_one_of_five_names(family: Home) -> None:
    protocol = family.sh("trap 'echo hup' HUP; echo ready; while :; do sleep 0.01; done")
    family.until(lambda: protocol.data)
    for wrong in ("USR1", "SIGTERM", "", None, 1.5):
        with pytest.raises(TypeError, match="signalID is to be a number"):
            protocol.transport.signalProcess(wrong)
    protocol.transport.signalProcess(0)
    protocol.transport.signalProcess("HUP")
    family.until(lambda: b"hup" in protocol.data[1])
    protocol.transport.signalProcess(signal.SIGTERM)
    family.end(protocol)
    assert protocol.reasons[0].signal == signal.SIGTERM


def test_s095_a_child_that_somebody_else_has_reaped_has_exited_already(family: Home) -> None:
    protocol = family.sh("read line")
    number = protocol.transport.pid
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)
    with pytest.raises(ProcessExitedAlready):
        protocol.transport.signalProcess("KILL")
    family.until(lambda: len(protocol.told) == 4)
    family.reactor._children.unregister(number)


def test_s095_after_the_end_writing_and_closing_do_nothing(family: Home) -> None:
    protocol = family.sh("exit 0")
    transport = protocol.transport
    family.end(protocol)
    transport.write(b"x")
    transport.writeSequence([b"x"])
    transport.closeStdin()
    transport.closeStdout()
    transport.closeStderr()
    transport.closeChildFD(9)
    transport.loseConnection()
    transport.unregisterProducer()
    transport.pauseProducing()
    transport.resumeProducing()
    with pytest.raises(KeyError):
        transport.writeToChild(0, b"x")
    assert transport.pipes == {}


def test_s095_writing_to_what_is_no_pipe_of_ours_is_an_error(family: Home) -> None:
    protocol = family.sh("read line")
    with pytest.raises(KeyError):
        protocol.transport.writeToChild(9, b"x")
    with pytest.raises(ValueError, match="the child writes to its descriptor 1"):
        protocol.transport.writeToChild(1, b"x")
    with pytest.raises(TypeError, match="Data must be bytes"):
        protocol.transport.write("text")
    protocol.transport.closeStdin()
    family.end(protocol)


def test_s095_what_was_written_is_sent_before_standard_input_is_closed(family: Home) -> None:
    protocol = family.sh("cat")
    protocol.transport.write(b"x" * 300_000)
    protocol.transport.writeSequence([b"y", b"z"])
    protocol.transport.closeStdin()
    protocol.transport.write(b"too late, and sent nonetheless")
    family.end(protocol)
    assert protocol.data[1].startswith(b"x" * 300_000 + b"yz")


def test_s095_losing_the_connection_closes_the_three_and_no_more(family: Home) -> None:
    protocol = family.sh("cat <&3 >&4", childFDs={0: "w", 1: "r", 2: "r", 3: "w", 4: "r"})
    protocol.transport.loseConnection()
    family.until(lambda: len(protocol.told) == 4)
    assert sorted(protocol.told[1:]) == ["lost 0", "lost 1", "lost 2"]
    protocol.transport.writeToChild(3, b"still there")
    protocol.transport.closeChildFD(3)
    family.end(protocol)
    assert protocol.data == {4: b"still there"}


def test_s095_closing_standard_output_lets_a_writer_die(family: Home) -> None:
    protocol = family.sh("while :; do echo x; done")
    family.until(lambda: protocol.data)
    protocol.transport.closeStdout()
    family.end(protocol)
    assert protocol.reasons[0].signal == signal.SIGPIPE


def test_s068_a_producer_writes_to_standard_input(family: Home) -> None:
    class Pieces:
        left = 30
        stopped = False

        def resumeProducing(self) -> None:
            self.left -= 1
            protocol.transport.write(b"x" * 10_000)
            if not self.left:
                protocol.transport.unregisterProducer()
                protocol.transport.closeStdin()

        def stopProducing(self) -> None:
            self.stopped = True

    protocol = family.sh("wc -c")
    pieces = Pieces()
    protocol.transport.registerProducer(pieces, False)
    family.end(protocol)
    assert protocol.data[1].strip() == b"300000"
    protocol.transport.registerProducer(pieces, False)
    assert pieces.stopped


def test_s068_pausing_holds_the_child_up(family: Home) -> None:
    protocol = family.sh("while :; do echo 0123456789; done")
    protocol.transport.pauseProducing()
    family.passes()
    assert protocol.data == {}
    protocol.transport.resumeProducing()
    family.until(lambda: len(protocol.data.get(1, b"")) > 300_000)
    protocol.transport.signalProcess("KILL")
    family.end(protocol)


def test_the_transport_is_what_interfaces_say(family: Home) -> None:
    protocol = family.sh("exit 0")
    assert isinstance(protocol.transport, interfaces.IProcessTransport)
    assert isinstance(protocol, interfaces.IProcessProtocol)
    assert isinstance(family.reactor, interfaces.IReactorProcess)
    for ask in (protocol.transport.getHost, protocol.transport.getPeer):
        with pytest.raises(NotImplementedError):
            ask()
    family.end(protocol)


def test_a_child_may_have_no_protocol(family: Home, tmp_path: Path) -> None:
    """As an inetd starts it: nobody wants to know."""
    from torsion.child.process import Process

    child = Process(family.reactor, SH, ["sh", "-c", "echo x; echo done > it"], {}, tmp_path, None)
    family.until(lambda: child.pid is None and not child.pipes)
    assert (tmp_path / "it").read_text() == "done\n"


# Errors of the protocol (96)


def test_s096_an_error_in_outReceived_closes_that_pipe_alone(family: Home, reports: Reports) -> None:
    protocol = family.sh("echo one; read line; echo two >&2; echo three; exit 7")
    protocol.on["data"] = lambda: protocol.data.get(1) and 1 / 0
    family.until(lambda: "lost 1" in protocol.told)
    assert "doRead" in reports.take(ZeroDivisionError)
    protocol.on.clear()
    protocol.transport.write(b"\n")
    family.end(protocol)
    assert protocol.data == {1: b"one\n", 2: b"two\n"}
    assert protocol.reasons[0].signal == signal.SIGPIPE


@pytest.mark.parametrize("event", ["made", "lost 1", "exited", "ended"])
def test_s096_other_errors_of_the_protocol_are_only_reported(family: Home, reports: Reports, event: str) -> None:
    protocol = Told()

    def fail() -> None:
        raise LookupError("a mistake in the protocol")

    protocol.on[event] = fail
    family.sh("echo x", protocol)
    family.end(protocol)
    assert sorted(protocol.told) == ["ended", "exited", "lost 0", "lost 1", "lost 2", "made"]
    assert protocol.data == {1: b"x\n"}
    assert "Unhandled error in" in reports.take(LookupError)
