"""Under takeover: mocks made after our classes and functions check what they are called with, as after Twisted's."""

import pytest
from tests.interpreters import Python, needs_twisted

#: However the module of mocks was loaded, before the takeover or after it.
EARLY = "from unittest import mock\nimport torsion.takeover\ntorsion.takeover.install()\n"
LATE = "from unittest import mock\n"


@pytest.mark.parametrize("begin", [LATE, EARLY])
def test_a_replaced_method_is_given_self(python: Python, begin: str) -> None:
    python.check(
        begin
        + """
from twisted.internet import abstract, reactor, tcp
for kind, method, given in (
    (type(reactor), "callLater", (1, print)),
    (type(reactor), "callFromThread", (print,)),
    (type(reactor), "stop", ()),
    (tcp.Connection, "write", (b"x",)),
    (abstract.FileDescriptor, "writeSequence", ([b"x"],)),
):
    target = reactor if isinstance(reactor, kind) else kind.__new__(kind)
    with mock.patch.object(kind, method, autospec=True) as replaced:
        getattr(target, method)(*given)
    replaced.assert_called_once_with(target, *given)
""",
        install=begin is LATE,
    )


def test_a_mock_refuses_what_the_class_would(python: Python) -> None:
    python.check("""
        from unittest import mock
        from twisted.internet import defer, reactor, tcp
        deferred = mock.create_autospec(defer.Deferred, instance=True)
        deferred.addCallback(print, 1)
        connection = mock.create_autospec(tcp.Server, instance=True)
        connection.write(b"x")
        succeed = mock.create_autospec(defer.succeed)
        succeed(1)
        for call in (
            lambda: deferred.addCallback(),
            lambda: deferred.callback(1, 2),
            lambda: connection.write(),
            lambda: connection.loseConnection(1, 2, 3),
            lambda: mock.create_autospec(reactor, instance=True).callLater(),
            lambda: succeed(),
        ):
            try:
                call()
            except TypeError as error:
                assert "argument" in str(error), error
            else:
                raise AssertionError(call.__code__)
    """)


@needs_twisted
def test_a_mock_of_a_name_is_what_the_program_finds_there(full: Python) -> None:
    full.check("""
        from unittest import mock
        from twisted.internet import reactor, task
        with mock.patch("twisted.internet.reactor.callLater") as call:
            assert reactor.callLater(1, print) is call.return_value
        with mock.patch("twisted.internet.task.LoopingCall") as kind:
            assert task.LoopingCall(print) is kind.return_value
        call.assert_called_once_with(1, print)
        assert isinstance(task.LoopingCall(print), task.LoopingCall)
        assert "callLater" not in vars(reactor)
    """)
