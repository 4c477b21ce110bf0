"""The errors: names, bases and texts that programs and logs know."""

import builtins
import copy
import errno
import importlib
import pickle
import socket

import pytest

from torsion import error

CLASSES = [getattr(error, name) for name in error.__all__ if isinstance(getattr(error, name), type)]


def test_s102_the_families_of_errors():
    assert issubclass(error.ConnectionDone, error.ConnectionClosed)
    assert issubclass(error.ConnectionLost, error.ConnectionClosed)
    assert issubclass(error.ConnectionAborted, error.ConnectionLost)
    assert issubclass(error.ConnectionRefusedError, error.ConnectError)
    assert not issubclass(error.ConnectionRefusedError, OSError)
    assert issubclass(error.DNSLookupError, OSError)
    assert issubclass(error.TimeoutError, error.UserError)
    assert not issubclass(error.TimeoutError, builtins.TimeoutError)


def test_misuse_errors_are_of_the_builtin_kinds():
    assert issubclass(error.AlreadyCalled, ValueError)
    assert issubclass(error.AlreadyCancelled, ValueError)
    assert issubclass(error.InvalidAddressError, ValueError)
    for kind in (error.ReactorNotRunning, error.ReactorAlreadyRunning, error.ReactorNotRestartable):
        assert kind.__bases__ == (RuntimeError,)
    assert issubclass(error.ReactorAlreadyInstalledError, AssertionError)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (error.ConnectionDone(), "Connection was closed cleanly."),
        (error.ConnectionDone("a", "b"), "Connection was closed cleanly: a b."),
        (error.ConnectionLost(), "Connection to the other side was lost in a non-clean fashion."),
        (error.ConnectionFdescWentAway(), "Uh."),
        (error.AlreadyCalled(), "Tried to cancel an already-called event."),
        (error.AlreadyCancelled("x", 2), "Tried to cancel an already-cancelled event: x 2."),
        (error.BindError("foo"), "An error occurred binding to an interface: foo."),
        (error.CannotListenError("eth0", 4242, OSError("Foo")), "Couldn't listen on eth0:4242: Foo."),
        (error.DNSLookupError(-2, "gone"), "DNS lookup failed: -2 gone."),
        (error.ConnectError(), "An error occurred while connecting."),
        (error.ConnectError(111), "An error occurred while connecting: 111."),
        (error.ConnectError(string="foo"), "An error occurred while connecting: foo."),
        (error.ConnectBindError(98, "foo"), "Couldn't bind: 98: foo."),
        (error.ProcessDone(None), "A process has ended without apparent errors: process finished with exit code 0."),
        (error.ProcessTerminated(), "A process has ended with a probable error condition: process ended."),
        (
            error.ProcessTerminated(42, "SIGBUS"),
            "A process has ended with a probable error condition: process ended with exit code 42 by signal SIGBUS.",
        ),
        (error.VerifyError(), ""),
        (error.ReactorNotRunning("why"), "why"),
    ],
)
def test_texts(made, text):
    assert str(made) == text


def test_attributes():
    listening = error.CannotListenError("i", 1, "e")
    assert (listening.interface, listening.port, listening.socketError) == ("i", 1, "e")
    assert error.ConnectError(5, "s").osError == 5
    assert error.ConnectError(5, "s").args == ("s",)
    address = object()
    assert error.ConnectingCancelledError(address).address is address
    invalid = error.InvalidAddressError("a", "m")
    assert (invalid.address, invalid.message) == ("a", "m")
    ended = error.ProcessTerminated(1, 9, 2305)
    assert (ended.exitCode, ended.signal, ended.status) == (1, 9, 2305)
    done = error.ProcessDone(7)
    assert (done.exitCode, done.signal, done.status) == (0, None, 7)


@pytest.mark.parametrize(
    ("cause", "kind", "number", "args"),
    [
        ((errno.ENETUNREACH, "t"), error.NoRouteError, errno.ENETUNREACH, ("t",)),
        ((errno.ECONNREFUSED, "t"), error.ConnectionRefusedError, errno.ECONNREFUSED, ("t",)),
        (OSError(errno.ETIMEDOUT, "t"), error.TCPTimedOutError, errno.ETIMEDOUT, ("t",)),
        (OSError(errno.EINVAL, "t"), error.ConnectError, errno.EINVAL, ("t",)),
        (socket.gaierror(12, "t"), error.UnknownHostError, 12, ("t",)),
    ],
)
def test_a_connect_error_is_chosen_by_errno(cause, kind, number, args):
    made = error.getConnectError(cause)
    assert type(made) is kind
    assert (made.osError, made.args) == (number, args)


@pytest.mark.parametrize("cause", [Exception(), OSError("only text"), (1, 2, 3)])
def test_what_has_no_errno_becomes_a_connect_error_as_a_whole(cause):
    made = error.getConnectError(cause)
    assert type(made) is error.ConnectError
    assert (made.osError, made.args) == (None, (cause,))


def test_what_has_no_parts_is_refused():
    with pytest.raises(TypeError):
        error.getConnectError(5)


def example(kind: type[Exception]) -> Exception:
    for arguments in ((3, "text"), ("interface", 80, "text"), (3,)):
        try:
            return kind(*arguments)
        except TypeError:
            pass
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_can_be_printed_copied_and_pickled(kind):
    made = example(kind)
    for copied in (pickle.loads(pickle.dumps(made)), copy.copy(made)):
        assert type(copied) is kind
        assert str(copied) == str(made)
        assert copied.args == made.args
        assert vars(copied) == vars(made)


def test_twisted_has_the_same_errors_with_the_same_bases_and_texts():
    pytest.importorskip("twisted")
    theirs = importlib.import_module("twisted.internet.error")
    if theirs is error:
        pytest.skip("Twisted's errors are ours here")
    names = {name for name, kind in vars(theirs).items() if getattr(kind, "__module__", "") == theirs.__name__}
    assert names <= set(error.__all__)
    assert set(error.__all__) <= set(vars(theirs))
    for kind in CLASSES:
        peer = getattr(theirs, kind.__name__)
        assert [each.__name__ for each in kind.__mro__] == [each.__name__ for each in peer.__mro__]
        for arguments in ((), ("a",), ("a", "b"), ("a", "b", "c")):
            try:
                text = str(peer(*arguments))
            except TypeError:
                with pytest.raises(TypeError):
                    kind(*arguments)
            else:
                assert str(kind(*arguments)) == text
