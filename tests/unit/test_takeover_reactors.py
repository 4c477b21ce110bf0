"""Twisted's programs on our reactors: which they get, whose names are logged, and Twisted's own transports on them."""

import pytest
from tests.interpreters import Python, needs_twisted

pytestmark = needs_twisted

PIPE = """
import os
from twisted.internet import reactor
from twisted.internet.abstract import FileDescriptor
from twisted.python import log

class Pipe(FileDescriptor):
    def __init__(self, do):
        super().__init__(reactor)
        self.reading, self.writing = os.pipe()
        self.do = do
        self.startReading()
        os.write(self.writing, b"x")
    def fileno(self):
        return self.reading
    def logPrefix(self):
        return "Pipe,7"
    def doRead(self):
        os.read(self.reading, 10)
        self.do()

seen = []
def system():
    return log.context.get(log.ILogContext)["system"]
"""


@pytest.mark.parametrize(
    ("poller", "name"),
    [("", "EPollReactor"), ("epoll", "EPollReactor"), ("poll", "PollReactor"), ("select", "SelectReactor")],
)
def test_s045_a_program_that_installs_none_gets_the_best_or_the_one_of_the_environment(
    full: Python, poller: str, name: str
) -> None:
    full.check(
        f"""
        from twisted.internet import reactor
        from twisted.internet.posixbase import PosixReactorBase
        assert type(reactor).__name__ == {name!r}
        assert type(reactor).__module__ == "twisted.internet." + {name.lower()!r}
        assert isinstance(reactor, PosixReactorBase)
        """,
        env={**full.environment, "TORSION_POLLER": poller},
    )


@pytest.mark.parametrize("module", ["epollreactor", "pollreactor", "selectreactor", "asyncioreactor"])
def test_s045_a_program_installs_a_reactor_as_it_does_with_twisted(full: Python, module: str) -> None:
    full.check(
        f"""
        from twisted.internet import {module}
        {module}.install()
        from twisted.internet import reactor
        assert type(reactor).__module__ == "twisted.internet.{module}"
        reactor.callLater(0.01, reactor.stop)
        reactor.run()
        if {module == "asyncioreactor"}:
            reactor.close()
            reactor._asyncioEventloop.close()
        """
    )


@pytest.mark.parametrize(("poller", "name"), [("epoll", "EPollReactor"), ("select", "SelectReactor")])
def test_which_reactor_is_the_default_one_can_be_seen_by_where_its_install_comes_from(
    python: Python, poller: str, name: str
) -> None:
    python.check(
        f"""
        import inspect
        from twisted.internet import default
        module = inspect.getmodule(default.install)
        from twisted.internet import reactor
        assert type(reactor) is getattr(module, {name!r}) and inspect.getmodule(type(reactor)) is module
        """,
        env={**python.environment, "TORSION_POLLER": poller},
    )


def test_what_default_install_is_decides_wherever_a_reactor_is_made(full: Python) -> None:
    full.check(
        """
        from twisted.internet import default, selectreactor
        default.install = selectreactor.install
        from twisted.internet.task import LoopingCall
        assert type(LoopingCall(int).clock).__name__ == "SelectReactor"
        """
    )


def test_the_module_of_the_default_install_holds_the_reactors_class(full: Python) -> None:
    """So test runners find the class that they will get."""
    full.check(
        """
        import inspect
        from twisted.internet import default
        module = inspect.getmodule(default.install)
        name, = [name for name in dir(module) if name.lower() == module.__name__.rpartition(".")[2]]
        default.install()
        from twisted.internet import reactor
        assert type(reactor) is getattr(module, name)
        """
    )


def test_s044_what_is_logged_in_an_event_bears_the_name_of_who_is_served(full: Python) -> None:
    full.check(
        PIPE
        + """
def event():
    seen.append(system())
    log.callWithContext({"system": "mine"}, lambda: seen.append(system()))
    reactor.callLater(0, after)
def after():
    seen.append(system())
    reactor.stop()
Pipe(event)
log.callWithContext({"system": "outer", "more": 1}, reactor.run)
assert seen == ["Pipe,7", "mine", "outer"], seen
assert system() == "-"
"""
    )


def test_s050_a_job_given_to_a_thread_in_an_event_logs_under_the_same_name(full: Python) -> None:
    full.check(
        PIPE
        + """
from twisted.python import context
def job(name):
    seen.append((name, system(), context.get("outer"), context.get("inner")))
    if len(seen) == 2:
        reactor.callFromThread(reactor.stop)
def event():
    reactor.callInThread(job, "plain")
    context.call({"inner": 1}, reactor.callInThread, job, "in a context")
Pipe(event)
reactor.suggestThreadPoolSize(1)
context.call({"outer": 1}, reactor.run)
assert seen == [("plain", "Pipe,7", None, None), ("in a context", "-", None, 1)], seen
"""
    )


def test_s077_an_installed_resolver_is_asked_by_either_name_and_literals_ask_nobody(full: Python) -> None:
    full.check(
        """
        from twisted.internet import defer, reactor
        from twisted.internet.interfaces import IResolverSimple
        from zope.interface import implementer

        @implementer(IResolverSimple)
        class Resolver:
            def getHostByName(self, name, timeout=()):
                return defer.succeed("10.0.0." + name)

        seen = []
        before = reactor.resolver
        assert reactor.installResolver(Resolver()) is before
        for name in ("7", "1.2.3.4", ""):
            reactor.resolve(name).addCallback(seen.append)
        assert seen == ["10.0.0.7", "1.2.3.4", "0.0.0.0"], seen
        again = reactor.nameResolver
        assert reactor.installNameResolver(again) is again
        reactor.resolve("8").addCallback(seen.append)
        assert seen[3:] == ["10.0.0.8"], seen
        """
    )


def test_twisteds_datagrams_and_unix_sockets_stand_on_our_reactor(full: Python, tmp_path: object) -> None:
    full.check(
        f"""
        import os
        from twisted.internet import defer, endpoints, protocol, reactor, task

        class Echo(protocol.DatagramProtocol):
            def datagramReceived(self, data, address):
                self.transport.write(data.upper(), address)

        class Ask(protocol.DatagramProtocol):
            def __init__(self, port):
                self.port, self.answer = port, defer.Deferred()
            def startProtocol(self):
                self.transport.connect("127.0.0.1", self.port)
                self.transport.write(b"hello")
            def datagramReceived(self, data, address):
                self.answer.callback(data)

        class Line(protocol.Protocol):
            def connectionMade(self):
                self.got = defer.Deferred()
            def dataReceived(self, data):
                self.got.callback(data)
                self.transport.loseConnection()

        class Shout(protocol.Protocol):
            def dataReceived(self, data):
                self.transport.write(data.upper())

        async def main(reactor):
            ask = Ask(reactor.listenUDP(0, Echo(), "127.0.0.1").getHost().port)
            reactor.listenUDP(0, ask, "127.0.0.1")
            assert await ask.answer == b"HELLO"
            path = {str(tmp_path)!r} + "/socket"
            await endpoints.UNIXServerEndpoint(reactor, path).listen(protocol.Factory.forProtocol(Shout))
            line = await endpoints.connectProtocol(endpoints.UNIXClientEndpoint(reactor, path), Line())
            line.transport.write(b"hello")
            assert await line.got == b"HELLO"

        task.react(main)
        """
    )


def test_s053_twisteds_processes_are_reaped_when_our_reactor_hears_of_their_end(full: Python) -> None:
    full.check(
        """
        import sys
        from twisted.internet import defer, reactor, task, utils

        async def main(reactor):
            out, err, code = await utils.getProcessOutputAndValue(sys.executable, ["-c", "print(6 * 7); exit(3)"])
            assert (out.strip(), err, code) == (b"42", b"", 3)

        task.react(main)
        """
    )


@pytest.mark.parametrize("name", ["_Waker", "_UnixWaker", "_SocketWaker", "_SIGCHLDWaker"])
def test_the_wakers_of_posixbase_are_woken_read_and_closed(full: Python, name: str) -> None:
    full.check(
        f"""
        import select
        from twisted.internet import posixbase, reactor
        waker = posixbase.{name}()
        ready = lambda: bool(select.select([waker], [], [], 0)[0])
        assert not ready()
        waker.wakeUp()
        waker.wakeUp()
        assert ready()
        waker.doRead()
        assert not ready()
        waker.connectionLost(None)
        assert waker.fileno() == -1
        assert isinstance(reactor.waker, posixbase.{name})
        """
    )


def test_only_the_takeover_names_private_names_of_twisted(full: Python) -> None:
    """A program that does not ask for Twisted's modules finds none of them in ours."""
    full.check(
        """
        import torsion.abstract, torsion.base, torsion.posixbase, torsion.selectreactor, torsion.udp
        for module, name in ((torsion.base, "_ThreePhaseEvent"), (torsion.posixbase, "_ContinuousPolling"),
                             (torsion.selectreactor, "_preenDescriptors"), (torsion.udp, "_sockErrReadIgnore"),
                             (torsion.abstract, "_dataMustBeBytes")):
            assert not hasattr(module, name), name
        assert not hasattr(torsion.posixbase.PosixReactorBase, "_removeAll")
        """,
        install=False,
    )


@pytest.mark.parametrize(("poller", "forever", "unit"), [("epoll", (-1, -1), 1), ("poll", (None,), 1000)])
def test_the_loop_waits_with_what_a_program_puts_in_place_of_its_poller(
    full: Python, poller: str, forever: tuple[object, ...], unit: int
) -> None:
    """So a server's metrics time the loop."""
    full.check(
        PIPE
        + f"""
class Timed:
    def __init__(self, timed):
        self.timed, self.asked, self.told = timed, [], []
    def __getattr__(self, name):
        return getattr(self.timed, name)
    def poll(self, *arguments):
        self.asked.append(arguments)
        told = self.timed.poll(*arguments)
        self.told += told
        return told

def event():
    reactor.removeReader(pipe)
    reactor.addWriter(writer)

class Writer(Pipe):
    def fileno(self):
        return self.writing
    def doWrite(self):
        os.close(self.reading)  # what it writes to: now it is told that this is gone
        self.doWrite = lambda: None
    def connectionLost(self, reason):
        seen.append(reason.type.__name__)
        reactor.callLater(0.1, reactor.callInThread, reactor.callFromThread, reactor.stop)

first = reactor._poller
timed = reactor._poller = Timed(first)
assert reactor._poller is timed and timed.timed is first
pipe, writer = Pipe(event), Writer(None)
writer.stopReading()
reactor.run()
assert seen == ["ConnectionLost"], seen
for told in [(pipe.reading, 1), (writer.writing, 4)]:
    assert told in timed.told, timed.told
assert {forever!r} in timed.asked, timed.asked
assert [longest for longest, *_ in timed.asked if longest and 0 < longest <= 0.1 * {unit}], timed.asked
reactor._poller = first
asked = len(timed.asked)
reactor.iterate()
assert len(timed.asked) == asked
""",
        env={**full.environment, "TORSION_POLLER": poller},
    )
