"""Objects of a program's own that are watched: doRead, doWrite, connectionLost, and who is told what."""

import os
import signal
import socket
import struct
import subprocess
import sys

import pytest

from torsion import error
from torsion.contract import running_system
from torsion.engine.poll import GONE, READ, WRITE
from torsion.net.descriptor import CONNECTION_DONE, CONNECTION_LOST


class Selectable:
    """Notes what it is told. `fd` may be no file's number."""

    def __init__(self, fd, log=None):
        self.fd = fd
        self.log = [] if log is None else log

    def fileno(self):
        return self.fd

    def logPrefix(self):
        return "prefix"

    def doRead(self):
        self.log.append("read")

    def doWrite(self):
        self.log.append("write")

    def connectionLost(self, reason):
        self.log.append(reason.value)


class HalfClosing(Selectable):
    def readConnectionLost(self, reason):
        self.log.append(("read side", reason.value))

    def writeConnectionLost(self, reason):
        self.log.append(("write side", reason.value))


@pytest.fixture
def one(reactor):
    """Watched for reading and writing."""
    made = Selectable(50)
    reactor.addReader(made)
    reactor.addWriter(made)
    return made


def tell(reactor, poller, fd, ready):
    poller.becomes_ready(fd, ready)
    reactor.iterate()


def test_readers_and_writers_are_listed_and_removed(reactor, one):
    assert reactor.getReaders() == reactor.getWriters() == [one]
    reactor.addReader(one)  # again: nothing changes
    assert reactor.getReaders() == [one]
    reactor.removeReader(one)
    assert (reactor.getReaders(), reactor.getWriters()) == ([], [one])
    reactor.removeWriter(one)
    assert (reactor.getReaders(), reactor.getWriters()) == ([], [])


def test_interest_reaches_the_poller_before_the_next_wait(reactor, poller, one):
    reactor.iterate()
    assert poller.watched[50] == READ | WRITE
    reactor.removeReader(one)
    reactor.iterate()
    assert poller.watched[50] == WRITE
    reactor.removeWriter(one)
    reactor.iterate()
    assert 50 not in poller.watched


def test_s047_remove_all_returns_each_once_and_keeps_internal_readers(reactor, one):
    internal, reader = Selectable(51), Selectable(52)
    reactor.addReader(internal)
    reactor._internalReaders.add(internal)
    reactor.addReader(reader)
    assert {id(each) for each in reactor.removeAll()} == {id(one), id(reader)}
    assert reactor.getReaders() == [internal]
    assert reactor.getWriters() == []


def test_s060_read_then_write_in_one_event(reactor, poller, one):
    tell(reactor, poller, 50, READ | WRITE)
    assert one.log == ["read", "write"]


def test_s060_write_does_not_follow_if_read_removed_the_writer(reactor, poller, one):
    one.doRead = lambda: reactor.removeWriter(one)
    tell(reactor, poller, 50, READ | WRITE)
    assert one.log == []


@pytest.mark.parametrize(("method", "ready"), [("doRead", READ), ("doWrite", WRITE)])
def test_s060_a_true_return_disconnects_with_it_as_the_reason(reactor, poller, one, method, ready):
    reason = ValueError("enough")
    setattr(one, method, lambda: reason)
    tell(reactor, poller, 50, ready)
    assert one.log == [reason]
    assert reactor.getReaders() == reactor.getWriters() == []


@pytest.mark.parametrize(("method", "ready"), [("doRead", READ), ("doWrite", WRITE), ("fileno", READ)])
def test_s060_an_exception_disconnects_and_is_reported(reactor, poller, one, reports, method, ready):
    def fail():
        raise ZeroDivisionError

    setattr(one, method, fail)
    tell(reactor, poller, 50, ready)
    assert [type(entry) for entry in one.log] == [ZeroDivisionError]
    assert method in (text := reports.take(ZeroDivisionError)) and "prefix" in text


def test_s060_the_shared_reasons_are_used_for_done_and_lost(reactor, poller, one):
    told = []
    one.connectionLost = told.append
    one.doRead = lambda: CONNECTION_LOST.value
    tell(reactor, poller, 50, READ)
    reactor.addReader(one)
    one.doRead = lambda: CONNECTION_DONE.value
    tell(reactor, poller, 50, READ)
    assert told == [CONNECTION_LOST, CONNECTION_DONE]


def test_s060_fileno_minus_one_means_the_descriptor_is_gone(reactor, poller, one):
    one.fd = -1
    tell(reactor, poller, 50, READ)
    assert [type(entry) for entry in one.log] == [error.ConnectionFdescWentAway]
    assert reactor.getReaders() == reactor.getWriters() == []


def test_s059_a_hang_up_without_input_is_the_end_of_reading_or_a_loss(reactor, poller):
    reader, writer = Selectable(50), Selectable(51)
    reactor.addReader(reader)
    reactor.addWriter(writer)
    tell(reactor, poller, 50, GONE)
    tell(reactor, poller, 51, GONE)
    assert reader.log == [CONNECTION_DONE.value]
    assert writer.log == [CONNECTION_LOST.value]


def test_s059_what_can_live_half_closed_loses_its_reading_side_only(reactor, poller):
    half = HalfClosing(50)
    reactor.addReader(half)
    reactor.addWriter(half)
    tell(reactor, poller, 50, GONE)
    assert half.log == [("read side", CONNECTION_DONE.value)]
    assert (reactor.getReaders(), reactor.getWriters()) == ([], [half])
    tell(reactor, poller, 50, GONE)
    assert half.log[1:] == [CONNECTION_LOST.value]


def test_s059_with_input_there_is_reading_first(reactor, poller, one):
    tell(reactor, poller, 50, GONE | READ)
    assert one.log == ["read"]


def test_s061_removing_what_is_unknown_does_nothing_and_asks_nothing(reactor):
    stranger = object()  # not even a fileno
    reactor.removeReader(stranger)
    reactor.removeWriter(stranger)


def test_s061_fileno_is_not_called_on_or_after_removal(reactor, one):
    def fail():
        raise AssertionError("fileno was called")

    one.fileno = fail
    reactor.removeReader(one)
    reactor.removeWriter(one)
    reactor.removeReader(one)
    assert reactor.getReaders() == reactor.getWriters() == []


def test_s061_an_event_of_a_reader_that_another_one_removed_is_dropped(reactor, poller):
    log = []
    first, second = Selectable(50, log), Selectable(51, log)
    first.doRead = lambda: reactor.removeReader(second)
    reactor.addReader(first)
    reactor.addReader(second)
    poller.becomes_ready(50, READ)
    tell(reactor, poller, 51, READ)
    assert log == []


def test_s061_an_event_of_a_number_that_was_reused_meanwhile_is_dropped(reactor, poller):
    log = []
    first, old, new = Selectable(50, log), Selectable(51, log), Selectable(51, log)

    def replace():
        reactor.removeReader(old)
        reactor.addReader(new)

    first.doRead = replace
    reactor.addReader(first)
    reactor.addReader(old)
    poller.becomes_ready(50, READ)
    tell(reactor, poller, 51, READ)
    assert log == []
    tell(reactor, poller, 51, READ)
    assert log == ["read"]


def test_s061_another_object_under_the_same_number_is_registered_anew(reactor, poller):
    old, new = Selectable(50), Selectable(50)
    reactor.addReader(old)
    reactor.iterate()
    poller.log.clear()
    reactor.addReader(new)  # the old one's file was closed, and nobody said so
    reactor.iterate()
    assert poller.log == [("unregister", 50, 0), ("register", 50, READ)]
    assert reactor.getReaders() == [new]
    tell(reactor, poller, 50, READ)
    assert (old.log, new.log) == ([], ["read"])
    reactor.removeReader(old)
    assert reactor.getReaders() == [new]


def test_s061_one_object_may_read_and_another_write_under_one_number(reactor, poller):
    reader, writer = Selectable(50), Selectable(50)
    reactor.addReader(reader)
    reactor.addWriter(writer)
    tell(reactor, poller, 50, READ | WRITE)
    assert (reader.log, writer.log) == (["read"], ["write"])
    tell(reactor, poller, 50, GONE)
    assert (reader.log[1:], writer.log[1:]) == ([CONNECTION_DONE.value], [CONNECTION_LOST.value])
    assert reactor.getReaders() == reactor.getWriters() == []


def test_an_object_that_moved_to_another_file_is_watched_there(reactor, poller, one):
    one.fd = 60
    reactor.addReader(one)
    reactor.iterate()
    assert poller.watched.get(60) == READ
    assert 50 not in poller.watched
    assert reactor.getReaders() == [one]


@pytest.mark.parametrize("add", ["addReader", "addWriter"])
def test_s098_what_has_no_descriptor_cannot_be_watched(reactor, add):
    with pytest.raises(ValueError, match="-1"):
        getattr(reactor, add)(Selectable(-1))


@pytest.mark.parametrize("on", ["instance", "class"])
def test_overrides_of_the_object_are_honoured_at_each_event(reactor, poller, monkeypatch, on):
    one = Selectable(50)
    reactor.addReader(one)
    tell(reactor, poller, 50, READ)
    if on == "instance":
        one.doRead = lambda: one.log.append("overridden")
    else:
        monkeypatch.setattr(Selectable, "doRead", lambda self: self.log.append("overridden"))
    tell(reactor, poller, 50, READ)
    assert one.log == ["read", "overridden"]


def test_remove_reader_of_the_reactor_is_called_where_it_is_overridden(reactor, poller, one):
    removed = []
    reactor.removeReader = lambda reader: (removed.append(reader), type(reactor).removeReader(reactor, reader))
    one.doRead = lambda: True
    tell(reactor, poller, 50, READ)
    assert removed == [one]


def test_s044_who_is_served_is_known_only_when_asked(reactor, poller, one):
    asked, seen = [], []
    one.logPrefix = lambda: asked.append(True) or "Echo,7,10.0.0.1"
    tell(reactor, poller, 50, READ)
    assert asked == []
    one.doRead = lambda: seen.append(running_system())
    one.doWrite = lambda: seen.append(running_system())
    tell(reactor, poller, 50, READ | WRITE)
    assert seen == ["Echo,7,10.0.0.1"] * 2


def test_s044_in_timers_thread_calls_and_outside_it_is_a_dash(reactor, poller, one, monkeypatch):
    seen = []
    reactor.callLater(0, lambda: seen.append(running_system()))
    reactor.callFromThread(lambda: seen.append(running_system()))
    tell(reactor, poller, 50, READ)
    seen.append(running_system())
    monkeypatch.delattr(Selectable, "logPrefix")  # one that does not say
    one.doRead = lambda: seen.append(running_system())
    tell(reactor, poller, 50, READ)
    assert seen == ["-"] * 4


# On the kernel


class Socket(Selectable):
    """One end of a pair, `theirs` the other. Removed and closed when it is lost."""

    def __init__(self, kind=socket.SOCK_STREAM):
        self.ours, self.theirs = socket.socketpair(type=kind)
        self.ours.setblocking(False)
        super().__init__(self.ours.fileno())

    def doRead(self):
        data = self.ours.recv(100)
        if not data:
            return CONNECTION_DONE.value
        self.log.append(data)
        return None

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.close()

    def close(self):
        self.ours.close()
        self.theirs.close()


def turn(reactor, times=3):
    for _ in range(times):
        reactor.iterate()


def test_a_socket_is_read_and_written(real):
    ours, theirs = socket.socketpair()
    got = []

    class Echo(Selectable):
        def doRead(self):
            got.append(ours.recv(100))
            real.addWriter(self)

        def doWrite(self):
            ours.send(got[-1].upper())
            real.removeWriter(self)
            real.stop()

        def connectionLost(self, reason):
            ours.close()

    theirs.send(b"hello")
    real.addReader(Echo(ours.fileno()))
    real.run(installSignalHandlers=False)
    assert theirs.recv(100) == b"HELLO"
    theirs.close()
    assert ours.fileno() == -1


def test_s061_a_regular_file_is_always_ready(real, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    fd = os.open(tmp_path / "file", os.O_RDWR)
    file = Selectable(fd)
    real.addReader(file)
    real.addWriter(file)
    real.iterate()
    real.iterate()
    assert file.log == ["read", "write"] * 2
    assert real.getReaders() == real.getWriters() == [file]
    real.removeReader(file)
    real.iterate()
    assert file.log[4:] == ["write"]
    real.removeWriter(file)
    os.close(fd)


def test_raw_sockets_can_be_listed(real):
    ours, theirs = socket.socketpair()
    real.addReader(ours)
    assert real.getReaders() == [ours]
    real.removeReader(ours)
    ours.close()
    theirs.close()


def test_the_end_of_a_pipe_is_the_end_of_reading(real):
    reading, writing = os.pipe()
    reader = Selectable(reading)
    reader.doRead = lambda: CONNECTION_DONE.value if os.read(reading, 10) == b"" else None
    real.addReader(reader)
    os.close(writing)
    real.iterate()
    assert reader.log == [CONNECTION_DONE.value]
    os.close(reading)


def test_s059_input_is_read_before_a_hang_up_is_told(real):
    one = Socket()
    real.addReader(one)
    one.theirs.send(b"last words")
    one.theirs.close()
    turn(real)
    assert one.log == [b"last words", CONNECTION_DONE.value]
    assert real.getReaders() == []


def test_s059_a_reset_is_told_to_a_reader_as_the_end_of_reading_or_by_recv(real):
    """Here recv is never asked, so that what the kernel says unasked is what counts."""
    server = socket.create_server(("127.0.0.1", 0))
    one = Selectable(-1)
    theirs = socket.create_connection(server.getsockname())
    ours, _ = server.accept()
    one.fd = ours.fileno()
    real.addWriter(one)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    turn(real, 1)
    # select knows no hang-up: to it the socket is writable, and a write would say what happened.
    assert one.log in (["write"], [CONNECTION_LOST.value])
    real.removeWriter(one)
    ours.close()
    server.close()


def test_s060_what_do_read_raises_is_reported_and_is_the_reason(real, reports):
    one = Socket()
    one.doRead = lambda: 1 / 0
    real.addReader(one)
    real.addWriter(one)
    one.theirs.send(b"x")
    turn(real)
    assert [type(each) for each in one.log if each != "write"] == [ZeroDivisionError]
    assert "doRead" in reports.take(ZeroDivisionError)
    assert real.getReaders() == real.getWriters() == []


def test_s060_a_descriptor_that_says_minus_one_is_let_go(real):
    one = Socket()

    def vanish():
        one.fd = -1

    one.doRead = vanish
    real.addReader(one)
    one.theirs.send(b"x")
    turn(real)
    assert [type(each) for each in one.log] == [error.ConnectionFdescWentAway]
    assert real.getReaders() == []


def test_s061_a_reader_that_another_removes_gets_nothing_more(real):
    first, second = Socket(), Socket()

    def remove_both():
        first.log.append("read")
        real.removeReader(first)
        real.removeReader(second)

    first.doRead = second.doRead = remove_both
    for each in (first, second):
        real.addReader(each)
        each.theirs.send(b"x")
    turn(real)
    assert first.log == ["read"]
    for each in (first, second):
        each.close()


def test_s061_a_number_that_is_used_again_within_an_event_is_another_descriptor(real):
    old = Socket()
    news = []

    def replace():
        real.removeReader(old)
        number = old.ours.fileno()
        new = Socket()
        old.ours.close()
        os.dup2(new.ours.fileno(), number)
        new.fd = number
        news.append(new)
        real.addReader(new)

    old.doRead = replace
    real.addReader(old)
    old.theirs.send(b"x")
    turn(real)
    (new,) = news
    assert new.log == []
    new.theirs.send(b"for the new one")
    turn(real)
    assert new.log == [b"for the new one"]
    real.removeReader(new)
    os.close(new.fd)
    new.close()
    old.close()


def test_s061_remove_all_returns_what_was_watched_and_then_nothing_is_called(real):
    one, other = Socket(), Socket()
    real.addReader(one)
    real.addWriter(one)
    real.addWriter(other)
    one.theirs.send(b"x")
    assert {id(each) for each in real.removeAll()} == {id(one), id(other)}
    assert real.getReaders() == real.getWriters() == []
    turn(real)
    assert one.log == other.log == []
    one.close()
    other.close()


def test_what_is_watched_in_a_running_loop_is_told_all_the_same(real):
    one = Socket()
    one.doRead = real.stop
    one.theirs.send(b"x")
    real.callLater(0.01, real.addReader, one)
    real.run(installSignalHandlers=False)
    assert one.log == [CONNECTION_LOST.value]  # the shutdown's


def test_overrides_of_add_and_remove_are_used_and_may_call_the_original(real):
    calls = []
    one = Socket()

    def patch(name, original):
        setattr(real, name, lambda reader: (calls.append(name), original(reader)))

    patch("addReader", real.addReader)
    patch("removeReader", real.removeReader)
    one.doRead = lambda: CONNECTION_LOST.value
    real.addReader(one)
    one.theirs.send(b"x")
    turn(real)
    assert calls == ["addReader", "removeReader"]
    assert one.log == [CONNECTION_LOST.value]


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="no children here")
def test_s053_the_end_of_a_child_ends_the_wait(real):
    """Nothing else would: there is no timer, and nothing to read."""

    def start():
        child = subprocess.Popen([sys.executable, "-c", ""])
        real._children.register(child.pid, lambda status: (setattr(child, "returncode", status), real.stop()))

    real.callWhenRunning(start)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        real.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
