"""Wrong calls: the error names the argument or its value, and nothing is left behind."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.streams import Makers, Net, net

from torsion import defer, endpoints, protocol, task, threads, utils
from torsion.contract import Reactor
from torsion.error import ServiceNameUnknownError
from torsion.failure import Failure
from torsion.pool.threadpool import ThreadPool

HOST = "127.0.0.1"
TRUE = "/bin/true"


def spawn(reactor: Reactor, *args: Any, **kwargs: Any) -> Any:
    return reactor.spawnProcess(protocol.ProcessProtocol(), *args, **kwargs)


CALLS: dict[str, tuple[Callable[[Any], Any], type[BaseException], list[str]]] = {
    "listenTCP port text": (lambda r: r.listenTCP("x", Makers()), AssertionError, ["port", "'x'"]),
    "listenTCP port": (lambda r: r.listenTCP(70000, Makers(), interface=HOST), OverflowError, ["port 70000", HOST]),
    "listenUDP port": (lambda r: r.listenUDP(-1, protocol.DatagramProtocol()), OverflowError, ["port -1"]),
    "listenUDP port text": (lambda r: r.listenUDP("x", protocol.DatagramProtocol()), TypeError, ["port 'x'"]),
    "listenUDP size": (
        lambda r: r.listenUDP(0, protocol.DatagramProtocol(), maxPacketSize=-1),
        ValueError,
        ["maxPacketSize", "-1"],
    ),
    "connectTCP service": (lambda r: r.connectTCP(HOST, "no such", Makers()), ServiceNameUnknownError, ["'no such'"]),
    "connectTCP timeout": (lambda r: r.connectTCP(HOST, 1, Makers(), timeout=-1), ValueError, ["timeout", "-1"]),
    "connectTCP timeout text": (lambda r: r.connectTCP(HOST, 1, Makers(), timeout="x"), TypeError, ["timeout", "'x'"]),
    "connectTCP bindAddress": (
        lambda r: r.connectTCP(HOST, 1, Makers(), bindAddress=(HOST, "x")),
        TypeError,
        [f"port 'x' of '{HOST}'"],
    ),
    "connectSSL timeout": (
        lambda r: r.connectSSL(HOST, 1, Makers(), ssl.create_default_context(), timeout=float("nan")),
        ValueError,
        ["timeout", "nan"],
    ),
    "connectSSL context": (lambda r: r.connectSSL(HOST, 1, Makers(), None), TypeError, ["None says nothing about TLS"]),
    "connectUNIX path": (lambda r: r.connectUNIX(3, Makers()), TypeError, ["path", "3"]),
    "connectUNIX timeout": (lambda r: r.connectUNIX("/none", Makers(), timeout="x"), TypeError, ["timeout", "'x'"]),
    "listenUNIX path": (lambda r: r.listenUNIX(3, Makers()), TypeError, ["path", "3"]),
    "callLater delay": (lambda r: r.callLater(-1, int), AssertionError, ["delay", "-1", "int"]),
    "callLater nan": (lambda r: r.callLater(float("nan"), int), AssertionError, ["delay", "nan"]),
    "callFromThread": (lambda r: r.callFromThread(3), AssertionError, ["3 is not callable"]),
    "callWhenRunning": (lambda r: r.callWhenRunning(3), AssertionError, ["3 is not callable"]),
    "addSystemEventTrigger phase": (
        lambda r: r.addSystemEventTrigger("x", "y", int),
        KeyError,
        ["'x'", "before"],
    ),
    "addSystemEventTrigger": (
        lambda r: r.addSystemEventTrigger("after", "y", 3),
        AssertionError,
        ["3 is not callable"],
    ),
    "removeSystemEventTrigger": (lambda r: r.removeSystemEventTrigger(3), TypeError, ["triggerID", "not 3"]),
    "resolve": (lambda r: r.resolve(3), TypeError, ["host name", "3"]),
    "watch_blocking": (lambda r: r.watch_blocking(-1), ValueError, ["limit", "-1"]),
    "addReader": (lambda r: r.addReader(3), AttributeError, ["'int'", "fileno"]),
    "spawnProcess executable": (lambda r: spawn(r, 3, ["x"]), TypeError, ["executable", "3"]),
    "spawnProcess args": (lambda r: spawn(r, TRUE, "true"), TypeError, ["args", "'true'"]),
    "spawnProcess no args": (lambda r: spawn(r, TRUE, []), ValueError, ["args"]),
    "spawnProcess argument": (lambda r: spawn(r, TRUE, ["true", 3]), TypeError, ["argument", "3"]),
    "spawnProcess null": (lambda r: spawn(r, TRUE, ["a\0b"]), ValueError, ["argument", "null byte", r"a\x00b"]),
    "spawnProcess env": (lambda r: spawn(r, TRUE, ["x"], env=3), TypeError, ["env", "3"]),
    "spawnProcess env value": (lambda r: spawn(r, TRUE, ["x"], env={"a": 3}), TypeError, ["'a' in env", "3"]),
    "spawnProcess env name": (lambda r: spawn(r, TRUE, ["x"], env={"a=b": "c"}), ValueError, ["a=b"]),
    "spawnProcess path": (lambda r: spawn(r, TRUE, ["x"], path=3), TypeError, ["path", "3"]),
    "spawnProcess uid": (lambda r: spawn(r, TRUE, ["x"], uid="x"), TypeError, ["uid", "'x'"]),
    "spawnProcess childFDs": (lambda r: spawn(r, TRUE, ["x"], childFDs=[1]), TypeError, ["childFDs", "[1]"]),
    "spawnProcess childFDs kind": (lambda r: spawn(r, TRUE, ["x"], childFDs={0: "q"}), TypeError, ["'q' for 0"]),
    "spawnProcess childFDs number": (lambda r: spawn(r, TRUE, ["x"], childFDs={-1: "r"}), ValueError, ["'r' for -1"]),
    "spawnProcess childFDs closed": (
        lambda r: spawn(r, TRUE, ["x"], childFDs={0: "w", 1: "r", 2: 5000}),
        OSError,
        ["childFDs has 5000 for 2", "Bad file descriptor"],
    ),
    "spawnProcess usePTY": (
        lambda r: spawn(r, TRUE, ["x"], usePTY=True, childFDs={0: "w"}),
        ValueError,
        ["usePTY", "childFDs", "{0: 'w'}"],
    ),
    "getProcessOutput args": (lambda r: utils.getProcessOutput(TRUE, "-l", reactor=r), TypeError, ["args", "'-l'"]),
    "deferToThreadPool reactor": (
        lambda r: threads.deferToThreadPool(None, r.getThreadPool(), int),  # type: ignore[arg-type]
        AttributeError,
        ["'NoneType'", "callFromThread"],
    ),
    "deferToThreadPool pool": (
        lambda r: threads.deferToThreadPool(r, None, int),  # type: ignore[arg-type]
        AttributeError,
        ["'NoneType'", "callInThreadWithCallback"],
    ),
    "ThreadPool": (lambda r: ThreadPool(-1, 3), AssertionError, ["minimum", "-1"]),
    "addCallback": (lambda r: defer.Deferred().addCallback(3), TypeError, ["callback", "3"]),
    "addErrback": (lambda r: defer.Deferred().addErrback(None), TypeError, ["errback", "None"]),
    "addCallbacks": (lambda r: defer.Deferred().addCallbacks(int, 3), TypeError, ["errback", "3"]),
    "addTimeout": (lambda r: defer.Deferred().addTimeout(-1, r), AssertionError, ["delay", "-1"]),
    "ensureDeferred": (lambda r: defer.ensureDeferred(3), defer.NotACoroutineError, ["3 is not a coroutine"]),
    "inlineCallbacks": (lambda r: defer.inlineCallbacks(lambda: 3)(), TypeError, ["generator", "3"]),
    "DeferredSemaphore": (lambda r: defer.DeferredSemaphore(0), ValueError, ["tokens", "0"]),
    "LoopingCall.start": (lambda r: task.LoopingCall(int).start(-1), ValueError, ["interval", "-1"]),
    "LoopingCall.start nan": (lambda r: task.LoopingCall(int).start(float("nan")), ValueError, ["interval", "nan"]),
    "endpoint kind": (lambda r: endpoints.clientFromString(r, "nope:h:1"), ValueError, ["endpoint type", "'nope'"]),
    "endpoint text": (lambda r: endpoints.serverFromString(r, 3), TypeError, ["description", "3"]),
    "endpoint port": (lambda r: endpoints.serverFromString(r, "tcp:x"), ValueError, ["port", "'x'"]),
    "endpoint no port": (lambda r: endpoints.clientFromString(r, "tcp:host"), TypeError, ["'tcp'", "'port'"]),
    "endpoint argument": (lambda r: endpoints.serverFromString(r, "tcp:0:q=1"), TypeError, ["'tcp'", "'q'"]),
    "endpoint key": (
        lambda r: endpoints.serverFromString(r, "ssl:0:privateKey=/none.pem"),
        FileNotFoundError,
        ["'/none.pem'"],
    ),
    "endpoint certificate": (
        lambda r: endpoints.clientFromString(r, "tls:h:1:certificate=/none.pem"),
        FileNotFoundError,
        ["'/none.pem'"],
    ),
}


def held(here: Net) -> tuple[int, int, int, int]:
    """What a call could leave: descriptors, readers, writers, timers."""
    reactor = here.reactor
    fds = len(os.listdir("/proc/self/fd"))
    return fds, len(reactor.getReaders()), len(reactor.getWriters()), len(reactor.getDelayedCalls())


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_raises_what_names_it_and_leaves_nothing(name: str) -> None:
    call, error, words = CALLS[name]
    with net(Reactor) as here:
        with pytest.raises(error):
            call(here.reactor)  # the first time may import, or make the reactor that is the default
        here.turns()
        before = held(here)
        with pytest.raises(error) as raised:
            call(here.reactor)
        assert [word for word in words if word not in str(raised.value)] == [], str(raised.value)
        here.turns()
        assert held(here) == before


@pytest.mark.parametrize(("port", "error"), [(70000, OverflowError), (None, TypeError)])
def test_a_port_that_cannot_be_connected_to_is_named_to_the_factory(port: Any, error: type[BaseException]) -> None:
    failed: list[Failure] = []

    class Factory(protocol.ClientFactory):
        def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
            failed.append(reason)

    with net(Reactor) as here:
        before = held(here)
        here.reactor.connectTCP(HOST, port, Factory())
        here.until(lambda: failed)
        assert failed[0].check(error)
        assert f"('{HOST}', {port})" in failed[0].value.__notes__[0]
        assert held(here) == before


def test_a_certificate_and_its_key_are_looked_for_under_both_names(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("")
    with net(Reactor) as here, pytest.raises(FileNotFoundError, match="nocert"):
        description = f"ssl:0:privateKey={tmp_path}/key.pem:certKey={tmp_path}/nocert.pem"
        endpoints.serverFromString(here.reactor, description)
