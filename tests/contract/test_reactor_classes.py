"""The reactors by their names: what each waits with, how it becomes the process's, and that it can be subclassed."""

import pytest
from tests.interpreters import Python

from torsion import (
    abstract,
    base,
    default,
    epollreactor,
    pollreactor,
    posixbase,
    reactors,
    selectreactor,
    tcp,
    udp,
    unix,
)
from torsion.contract import Reactor
from torsion.error import ReactorAlreadyInstalledError

CLASSES = {
    "epoll": epollreactor.EPollReactor,
    "poll": pollreactor.PollReactor,
    "select": selectreactor.SelectReactor,
}


@pytest.fixture
def no_reactor():
    """As if the process had none yet."""
    before = reactors._place
    reactors._place = reactors.Place()
    yield
    made = reactors.installed()
    reactors._place = before
    if made is not None:
        made.close()


@pytest.mark.parametrize("mechanism", CLASSES)
def test_each_waits_with_its_own_mechanism_whatever_the_environment_says(mechanism, monkeypatch):
    monkeypatch.setenv("TORSION_POLLER", "poll" if mechanism == "select" else "select")
    reactor = CLASSES[mechanism]()
    assert reactor.engine.poller.name == mechanism
    assert not reactor.engine.overridden
    reactor.close()


@pytest.mark.parametrize("mechanism", CLASSES)
def test_s045_install_makes_it_the_process_reactor_and_a_second_one_is_refused(mechanism, no_reactor):
    module = {"epoll": epollreactor, "poll": pollreactor, "select": selectreactor}[mechanism]
    module.install()
    assert type(reactors.default()) is CLASSES[mechanism]
    for install in (module.install, default.install, epollreactor.install):
        with pytest.raises(ReactorAlreadyInstalledError):
            install()


@pytest.mark.parametrize("mechanism", [None, *CLASSES])
def test_s045_the_default_is_the_best_mechanism_or_the_one_of_the_environment(mechanism, no_reactor, monkeypatch):
    monkeypatch.delenv("TORSION_POLLER", raising=False)
    if mechanism is not None:
        monkeypatch.setenv("TORSION_POLLER", mechanism)
    default.install()
    assert type(reactors.installed()) is CLASSES[mechanism or "epoll"]


def test_a_mechanism_that_the_system_lacks_is_an_error_that_names_it(monkeypatch):
    monkeypatch.setattr(epollreactor.EPollReactor, "mechanism", "kqueue")
    with pytest.raises(ValueError, match="kqueue"):
        epollreactor.EPollReactor()


@pytest.mark.parametrize("kind", [base.ReactorBase, posixbase.PosixReactorBase])
def test_a_subclass_that_waits_by_itself_is_asked_to_with_the_exact_time(kind):
    class Own(kind):
        def __init__(self):
            self.readers = {}
            super().__init__()
            self.now, self.waits = 100.0, []

        def seconds(self):
            return self.now

        def addReader(self, reader):
            self.readers[reader] = True

        def removeReader(self, reader):
            del self.readers[reader]

        def removeAll(self):
            return []

        def doIteration(self, delay):
            self.waits.append(delay)
            if len(self.waits) == 2:
                self.stop()
            else:
                self.now += delay

    own = Own()
    assert list(own.readers) == [own.waker]
    own.callLater(10, lambda: None)
    own.run(installSignalHandlers=False)
    assert own.waits == [10.0, None, 0]
    own.close()


def test_a_subclass_may_have_no_waker():
    class NoWaker(base.ReactorBase):
        def installWaker(self):
            pass

    reactor = NoWaker()
    assert reactor.waker is None
    assert isinstance(reactor, Reactor)
    reactor.close()


@pytest.mark.parametrize(("mechanism", "name"), [("epoll", "doPoll"), ("poll", "doPoll"), ("select", "doSelect")])
def test_what_a_reactor_waits_with_can_be_called_by_a_subclass(mechanism, name):
    class Counting(CLASSES[mechanism]):
        turns = 0

        def doIteration(self, delay):
            self.turns += 1
            getattr(self, name)(delay)

    reactor = Counting()
    assert reactor.usingThreads
    reactor.callLater(0, reactor.callFromThread, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert reactor.turns >= 2
    reactor.close()


def test_every_transport_of_a_descriptor_is_a_file_descriptor():
    for kind in (tcp.Client, tcp.Server, tcp.Port, udp.Port, unix.Client, unix.Server, unix.DatagramPort):
        assert issubclass(kind, abstract.FileDescriptor)
    assert not issubclass(Reactor, abstract.FileDescriptor)
    assert tcp.Connection.SEND_LIMIT == abstract.FileDescriptor.SEND_LIMIT


@pytest.mark.parametrize("kind", [abstract.FileDescriptor, tcp.Client, tcp.Server, tcp.Port, udp.Port])
def test_a_transport_is_a_base_beside_a_class_with_a_metaclass_of_its_own(kind: type) -> None:
    class Own(type):
        pass

    class Other(metaclass=Own):
        pass

    class Both(kind, Other):
        pass

    assert type(Both) is Own


def test_asyncio_is_imported_by_its_reactor_only(full: Python):
    full.check(
        """
        import sys
        from torsion import abstract, base, default, epollreactor, pollreactor, posixbase, reactor, selectreactor
        assert "asyncio" not in sys.modules
        """,
        install=False,
    )
