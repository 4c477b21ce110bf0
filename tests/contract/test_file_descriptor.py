"""A file descriptor of a program's own: what is written waits for the reactor, closing waits for what was written."""

import socket

import pytest

from torsion import reactors
from torsion.abstract import FileDescriptor, isIPAddress, isIPv6Address
from torsion.base import BasePort
from torsion.error import ConnectionDone, ConnectionLost
from torsion.failure import Failure
from torsion.net.descriptor import CONNECTION_DONE


class Watching:
    """A reactor that only notes what it is asked for."""

    def __init__(self):
        self.readers, self.writers, self.log = [], [], []

    def addReader(self, reader):
        self.readers.append(reader)
        self.log.append("read")

    def addWriter(self, writer):
        if writer not in self.writers:
            self.writers.append(writer)
            self.log.append("write")

    def removeReader(self, reader):
        self.readers = [each for each in self.readers if each is not reader]

    def removeWriter(self, writer):
        self.writers = [each for each in self.writers if each is not writer]


class Memory(FileDescriptor):
    """Takes `room` bytes at a time."""

    room = 1 << 20

    def __init__(self, reactor):
        super().__init__(reactor)
        self.taken, self.lost = [], []
        self.connected = 1

    def writeSomeData(self, data):
        if isinstance(self.room, Exception):
            return self.room
        self.taken.append(bytes(data[: self.room]))
        return len(self.taken[-1])

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.lost.append(reason.value)


class Producer:
    def __init__(self):
        self.log = []

    def pauseProducing(self):
        self.log.append("pause")

    def resumeProducing(self):
        self.log.append("resume")

    def stopProducing(self):
        self.log.append("stop")


@pytest.fixture
def watching():
    return Watching()


@pytest.fixture
def memory(watching):
    return Memory(watching)


def flush(memory):
    """doWrite for as long as it wants to be called; returns the last answer."""
    why = None
    for _ in range(100):
        if memory not in memory.reactor.writers:
            return why
        why = memory.doWrite()
        if why is not None:
            return why
    raise AssertionError("it never had enough")


def test_s062_write_calls_nothing_and_asks_the_reactor_for_room(watching, memory):
    memory.write(b"one ")
    memory.write(b"two ")
    memory.writeSequence([b"three ", b"four"])
    assert (memory.taken, watching.log) == ([], ["write"])
    assert flush(memory) is None
    assert memory.taken == [b"one two three four"]
    assert watching.writers == []


def test_s062_pieces_of_any_size_are_sent_in_one_event(memory):
    memory.write(b"a")
    memory.write(b"b" * 100_000)
    memory.write(b"c" * 100_000)
    assert memory.doWrite() is None
    assert list(map(len, memory.taken)) == [131_072]  # SEND_LIMIT
    assert flush(memory) is None
    assert b"".join(memory.taken) == b"a" + b"b" * 100_000 + b"c" * 100_000


def test_s062_what_is_not_taken_stays_in_order(memory):
    memory.room = 4
    memory.write(b"abcdef")
    assert memory.doWrite() is None
    memory.write(b"ghij")
    flush(memory)
    assert b"".join(memory.taken) == b"abcdefghij"
    assert max(map(len, memory.taken)) == 4


@pytest.mark.parametrize("bad", ["text", bytearray(b"x"), memoryview(b"x"), None, 7])
def test_s062_only_bytes_are_written_connected_or_not(watching, memory, bad):
    for each in (memory, FileDescriptor(watching)):
        with pytest.raises(TypeError, match="bytes"):
            each.write(bad)
        with pytest.raises(TypeError, match="bytes"):
            each.writeSequence([b"fine", bad])
    assert watching.log == []


def test_s062_what_is_written_before_it_is_connected_or_after_the_end_is_ignored(watching, memory):
    early = FileDescriptor(watching)
    early.write(b"x")
    memory.connectionLost(Failure(ConnectionDone()))
    memory.write(b"x")
    memory.writeSequence([b"x"])
    assert (watching.writers, memory.taken) == ([], [])


def test_s062_nothing_to_write_asks_for_nothing(watching, memory):
    memory.write(b"")
    memory.writeSequence([])
    assert watching.log == []


def test_s062_a_generator_is_a_sequence_too(memory):
    memory.writeSequence(piece for piece in (b"a", b"b"))
    flush(memory)
    assert memory.taken == [b"ab"]


def test_a_class_that_is_always_connected_can_be_written_to(watching):
    class Always(Memory):
        connected = True

        def __init__(self):
            FileDescriptor.__init__(self, watching)
            self.taken = []

    always = Always()
    always.write(b"x")
    flush(always)
    assert always.taken == [b"x"]


def test_s063_lose_connection_reads_no_more_writes_what_waits_and_is_done(watching, memory):
    memory.startReading()
    memory.write(b"bye")
    memory.loseConnection()
    assert watching.readers == []
    assert memory.disconnecting
    memory.write(b", really")
    assert flush(memory) is CONNECTION_DONE.value
    assert memory.taken == [b"bye, really"]
    memory.loseConnection()  # again: nothing


def test_s063_with_nothing_to_write_the_reactor_is_asked_for_room_all_the_same(memory):
    memory.loseConnection()
    assert flush(memory) is CONNECTION_DONE.value


def test_s063_closed_for_writing_already_it_is_lost_at_once(memory):
    memory.loseWriteConnection()
    flush(memory)
    memory.loseConnection()
    assert memory.lost == [CONNECTION_DONE.value]
    assert memory.disconnected


def test_s065_lose_write_connection_writes_what_waits_and_then_takes_no_more(memory):
    closed = []
    memory._closeWriteConnection = lambda: closed.append(list(memory.taken))
    memory.write(b"last")
    memory.loseWriteConnection()
    memory.write(b" words")
    flush(memory)
    memory.write(b"too late")
    assert flush(memory) is None
    assert closed == [[b"last words"]]
    assert memory.connected


def test_s065_either_half_lost_is_the_end_unless_the_subclass_says_otherwise(watching):
    for name in ("readConnectionLost", "writeConnectionLost"):
        memory = Memory(watching)
        getattr(memory, name)(CONNECTION_DONE)
        assert memory.lost == [CONNECTION_DONE.value]


def test_an_error_of_writing_is_the_reason(memory):
    memory.room = ConnectionLost("no")
    memory.write(b"x")
    assert memory.doWrite() is memory.room


def test_s067_the_end_sets_flags_stops_the_producer_and_the_watching(watching, memory):
    producer = Producer()
    memory.registerProducer(producer, True)
    memory.startReading()
    memory.startWriting()
    memory.connectionLost(CONNECTION_DONE)
    assert (memory.connected, memory.disconnected) == (0, 1)
    assert (watching.readers, watching.writers) == ([], [])
    assert (producer.log, memory.producer) == (["stop"], None)


def test_s067_a_producer_that_fails_to_stop_is_reported_and_the_end_goes_on(memory, reports):
    producer = Producer()
    producer.stopProducing = lambda: 1 / 0
    memory.registerProducer(producer, True)
    memory.connectionLost(CONNECTION_DONE)
    assert "stopProducing" in reports.take(ZeroDivisionError)
    assert memory.lost == [CONNECTION_DONE.value]


def test_s068_a_push_producer_is_paused_over_the_limit_and_resumed_when_all_is_written(memory):
    producer = Producer()
    memory.registerProducer(producer, True)
    memory.write(b"x" * memory.bufferSize)
    assert producer.log == []
    memory.write(b"x")
    memory.write(b"x")  # each time
    assert producer.log == ["pause", "pause"]
    memory.room = memory.bufferSize
    memory.doWrite()
    assert producer.log == ["pause", "pause"]
    flush(memory)
    assert producer.log == ["pause", "pause", "resume"]


def test_s068_the_limit_is_the_subclass_s(memory):
    producer = Producer()
    memory.bufferSize = 3
    memory.registerProducer(producer, True)
    memory.write(b"abcd")
    assert producer.log == ["pause"]


def test_s068_a_pull_producer_is_asked_at_once_and_whenever_all_is_written(memory):
    producer = Producer()
    memory.registerProducer(producer, False)
    assert producer.log == ["resume"]
    memory.write(b"x")
    memory.doWrite()
    assert producer.log == ["resume"] * 2


def test_s068_one_producer_at_a_time_and_none_after_the_end(memory):
    memory.registerProducer(Producer(), True)
    with pytest.raises(RuntimeError, match="Producer"):
        memory.registerProducer(Producer(), True)
    memory.connectionLost(CONNECTION_DONE)
    late = Producer()
    memory.registerProducer(late, True)
    assert (late.log, memory.producer) == (["stop"], None)


def test_s068_closing_waits_for_a_pull_producer_until_it_is_unregistered(watching, memory):
    producer = Producer()
    memory.registerProducer(producer, False)
    memory.write(b"x")
    memory.loseConnection()
    assert memory.doWrite() is None
    memory.unregisterProducer()
    assert watching.writers == [memory]
    assert flush(memory) is CONNECTION_DONE.value


def test_s068_closing_does_not_wait_for_a_push_producer_that_is_not_paused(memory):
    memory.registerProducer(Producer(), True)
    memory.write(b"x")
    memory.loseConnection()
    assert flush(memory) is CONNECTION_DONE.value


def test_s069_as_a_producer_it_reads_or_not_and_resumes_only_while_connected(watching, memory):
    memory.resumeProducing()
    assert watching.readers == [memory]
    memory.pauseProducing()
    assert watching.readers == []
    memory.stopProducing()
    memory.resumeProducing()
    assert (watching.readers, bool(memory.disconnecting)) == ([], True)
    memory.connectionLost(CONNECTION_DONE)
    memory.resumeProducing()
    assert watching.readers == []


def test_stop_consuming_lets_the_producer_go_and_closes(memory):
    memory.registerProducer(Producer(), False)
    memory.stopConsuming()
    assert memory.producer is None
    assert flush(memory) is CONNECTION_DONE.value


def test_each_step_can_be_overridden_on_the_instance(watching, memory):
    log = []
    for name in ("startWriting", "stopWriting", "startReading", "stopReading"):
        setattr(memory, name, lambda name=name: log.append(name))
    memory._isSendBufferFull = lambda: True
    producer = Producer()
    memory.registerProducer(producer, True)
    memory.resumeProducing()
    memory.write(b"x")
    memory.doWrite()
    memory.loseConnection()
    assert log == ["startReading", "startWriting", "stopWriting", "stopReading", "startWriting"]
    assert producer.log == ["pause", "resume"]
    assert watching.log == []


def test_what_a_subclass_must_bring_says_so(watching):
    bare = FileDescriptor(watching)
    assert (bare.fileno(), bare.logPrefix()) == (-1, "-")
    for call in (bare.doRead, lambda: bare.writeSomeData(b"x"), bare.getHost, bare.getPeer):
        with pytest.raises(NotImplementedError, match="FileDescriptor"):
            call()


def test_a_protocol_is_the_subclass_s_own(memory):
    told = []
    memory.protocol = type("Protocol", (), {"connectionLost": told.append})
    memory.connectionLost(CONNECTION_DONE)
    assert told == []
    del memory.protocol
    assert memory.protocol is None


def test_without_a_reactor_it_belongs_to_the_one_that_is_current():
    assert FileDescriptor().reactor is reactors.current()


def test_on_a_real_reactor_it_writes_and_is_lost(real):
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    class Writer(FileDescriptor):
        connected = True

        def fileno(self):
            return ours.fileno()

        def writeSomeData(self, data):
            return ours.send(data)

        def connectionLost(self, reason):
            super().connectionLost(reason)
            ours.close()
            reasons.append(reason.value)
            real.stop()

    reasons = []
    writer = Writer(real)
    real.callWhenRunning(writer.write, b"hello")
    real.callLater(0, writer.loseConnection)
    real.run(installSignalHandlers=False)
    assert reasons == [CONNECTION_DONE.value]
    assert theirs.recv(100) == b"hello"
    theirs.close()


@pytest.mark.parametrize(
    "name",
    "_busy _close _count _end _number _open _option _owner _peer _protocol _report _send _socket _state _take _watch"
    " _written".split(),
)
def test_a_subclass_has_attributes_of_its_own_whose_names_we_might_have_used(watching, name):
    memory = Memory(watching)
    mine = object()
    setattr(memory, name, mine)
    producer = Producer()
    memory.startReading()
    memory.registerProducer(producer, True)
    memory.write(b"x" * (memory.bufferSize + 1))
    assert memory.doWrite() is None
    memory.unregisterProducer()
    memory.loseConnection()
    reason = memory.doWrite()
    memory.connectionLost(Failure(reason))
    assert b"".join(memory.taken) == b"x" * (memory.bufferSize + 1)
    assert producer.log == ["pause", "resume"]
    assert memory.lost == [CONNECTION_DONE.value]
    assert (watching.readers, watching.writers) == ([], [])
    assert getattr(memory, name) is mine


def test_it_leaves_no_cycle_behind(no_leaks):
    def use():
        watching = Watching()
        memory = Memory(watching)
        memory.registerProducer(Producer(), True)
        memory.write(b"x" * 100_000)
        flush(memory)
        memory.loseConnection()
        memory.connectionLost(CONNECTION_DONE)

    use()
    with no_leaks():
        use()


def test_a_port_has_a_socket_of_its_family_and_may_be_opened_again(watching):
    port = BasePort(watching)
    port.addressFamily, port.socketType = socket.AF_INET, socket.SOCK_STREAM
    made = port.createInternetSocket()
    assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)
    assert not made.getblocking()
    assert not made.get_inheritable()
    made.close()
    for _ in range(2):
        port.connected, port.disconnected = 1, 0
        port.resumeProducing()
        assert watching.readers == [port]
        port.connectionLost(CONNECTION_DONE)
        assert (watching.readers, port.connected, port.disconnected) == ([], 0, 1)
    with pytest.raises(RuntimeError, match="never written"):
        port.doWrite()


@pytest.mark.parametrize("wait", [False, True])
def test_a_descriptor_of_a_programs_own_may_be_lost_without_a_reason(wait):
    class Silent(Memory):
        def connectionLost(self, reason=None):
            FileDescriptor.connectionLost(self, reason)

    watching = Watching()
    made = Silent(watching)
    found = []
    if wait:
        made.write(b"never sent")
        made.drained().addErrback(lambda failure: found.append(failure.type))
    made.startReading()
    made.connectionLost()
    assert (made.connected, made.disconnected, watching.readers, watching.writers) == (0, 1, [], [])
    assert found == ([ConnectionLost] if wait else [])


@pytest.mark.parametrize(
    ("text", "is_four", "is_six"),
    [
        ("1.2.3.4", True, False),
        (b"1.2.3.4", True, False),
        ("::1", False, True),
        (b"fe80::2%1", False, True),
        ("fe80::1%eth0", False, True),
        ("::ffff:1.2.3.4", False, True),
        ("1.2.3", False, False),
        ("1.2.3.256", False, False),
        ("01.2.3.4", False, False),
        ("", False, False),
        (":", False, False),
        ("%eth0", False, False),
        ("hello", False, False),
        ("\u0661.2.3.4", False, False),
        (b"\xff.2.3.4", False, False),
    ],
)
def test_s071_an_address_in_figures_is_told_from_a_name(text, is_four, is_six):
    assert isIPAddress(text) is is_four
    assert isIPv6Address(text) is is_six
    assert isIPAddress(text, socket.AF_INET6) is is_six


def test_s071_only_internet_addresses_have_figures():
    with pytest.raises(ValueError, match="AF_UNIX"):
        isIPAddress("1.2.3.4", socket.AF_UNIX)
