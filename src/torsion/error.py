"""The errors of the contract: why a connection ended, could not be made or listened for, and misuse of a reactor.

Programs catch these by class and logs show their text, so names, bases, arguments and texts are the contract's
(Twisted's internet.error; semantics 102). Two names hide builtins, ConnectionRefusedError and TimeoutError, and neither
is an OSError.

Most have a `MESSAGE`. Their text is that sentence with the arguments in it: `ConnectionLost("a", "b")` reads
"Connection to the other side was lost in a non-clean fashion: a b.".
"""

import errno
import socket
from typing import Any

__all__ = [
    "AlreadyCalled",
    "AlreadyCancelled",
    "AlreadyListened",
    "BadFileError",
    "BindError",
    "CannotListenError",
    "CertificateError",
    "ConnectBindError",
    "ConnectError",
    "ConnectInProgressError",
    "ConnectingCancelledError",
    "ConnectionAborted",
    "ConnectionClosed",
    "ConnectionDone",
    "ConnectionFdescWentAway",
    "ConnectionLost",
    "ConnectionRefusedError",
    "DNSLookupError",
    "FileDescriptorOverrun",
    "InvalidAddressError",
    "MessageLengthError",
    "MulticastJoinError",
    "NoProtocol",
    "NoRouteError",
    "NotConnectingError",
    "NotListeningError",
    "PeerVerifyError",
    "ProcessDone",
    "ProcessExitedAlready",
    "ProcessTerminated",
    "ReactorAlreadyInstalledError",
    "ReactorAlreadyRunning",
    "ReactorNotRestartable",
    "ReactorNotRunning",
    "SSLError",
    "ServiceNameUnknownError",
    "TCPTimedOutError",
    "TimeoutError",
    "UnknownHostError",
    "UnsupportedAddressFamily",
    "UnsupportedSocketType",
    "UserError",
    "VerifyError",
    "errnoMapping",
    "getConnectError",
]


def _sentence(error: Any) -> str:
    message = error.MESSAGE.strip()
    return f"{message}: {' '.join(map(str, error.args))}." if error.args else f"{message}."


# Listening


class BindError(Exception):
    """An address could not be bound."""

    MESSAGE = "An error occurred binding to an interface"

    def __str__(self) -> str:
        return _sentence(self)


class CannotListenError(BindError):
    """Listening on `interface` and `port` failed with `socketError`."""

    def __init__(self, interface: Any, port: Any, socketError: Any) -> None:
        BindError.__init__(self, interface, port, socketError)
        self.interface = interface
        self.port = port
        self.socketError = socketError

    def __str__(self) -> str:
        return f"Couldn't listen on {self.interface}:{self.port}: {self.socketError}."


class AlreadyListened(Exception):
    """The port listens already, and can do so once only."""


class NotListeningError(RuntimeError):
    """A port that does not listen was told to stop."""

    MESSAGE = "The Port was not listening when it was asked to stop listening"

    def __str__(self) -> str:
        return _sentence(self)


class MulticastJoinError(Exception):
    """Joining or leaving a multicast group failed."""


class MessageLengthError(Exception):
    """A datagram is longer than the network takes."""

    MESSAGE = "Message is too long to send"

    def __str__(self) -> str:
        return _sentence(self)


class InvalidAddressError(ValueError):
    """`address` is no IP address where one is required: a host name, say. `message` says why."""

    def __init__(self, address: Any, message: Any) -> None:
        ValueError.__init__(self, address, message)
        self.address = address
        self.message = message


class UnsupportedAddressFamily(Exception):
    """The socket's address family (AF_...) cannot be used here."""


class UnsupportedSocketType(Exception):
    """The socket's type (SOCK_...) cannot be used here."""


# Connecting


class ConnectError(Exception):
    """A connection could not be made. osError is the errno, or None where the system was not the cause."""

    MESSAGE = "An error occurred while connecting"

    def __init__(self, osError: Any = None, string: Any = "") -> None:
        self.osError = osError
        Exception.__init__(self, string)

    def __str__(self) -> str:
        parts = [self.MESSAGE.strip()]
        if self.osError:
            parts.append(str(self.osError))
        if self.args and self.args[0]:
            parts.append(str(self.args[0]))
        return ": ".join(parts) + "."

    def __reduce__(self) -> tuple[Any, ...]:
        # args holds the string only: by default it would come back as osError.
        return self.__class__, (self.osError, *self.args), self.__dict__


class ConnectBindError(ConnectError):
    """The local address for the connection could not be bound."""

    MESSAGE = "Couldn't bind"


class UnknownHostError(ConnectError):
    """The host name has no address."""

    MESSAGE = "Hostname couldn't be looked up"


class NoRouteError(ConnectError):
    """The network cannot be reached."""

    MESSAGE = "No route to host"


class ConnectionRefusedError(ConnectError):
    """Nobody listens there. Not the builtin of that name, and no OSError."""

    MESSAGE = "Connection was refused by other side"


class TCPTimedOutError(ConnectError):
    """The system gave up waiting for an answer (ETIMEDOUT)."""

    MESSAGE = "TCP connection timed out"


class BadFileError(ConnectError):
    """There is no usable socket at the path of a UNIX connection."""

    MESSAGE = "File used for UNIX socket is no good"


class ServiceNameUnknownError(ConnectError):
    """A port was given as a service name that the system does not know."""

    MESSAGE = "Service name given as port is unknown"


class UserError(ConnectError):
    """The program itself ended the attempt (stopConnecting)."""

    MESSAGE = "User aborted connection"


class TimeoutError(UserError):
    """The attempt took longer than the caller allowed. Not the builtin of that name."""

    MESSAGE = "User timeout caused connection failure"


class SSLError(ConnectError):
    """TLS could not be set up."""

    MESSAGE = "An SSL error occurred"


class DNSLookupError(IOError):
    """A name could not be resolved."""

    MESSAGE = "DNS lookup failed"

    def __str__(self) -> str:
        return _sentence(self)


class ConnectInProgressError(Exception):
    """The operation must wait until the connection is made."""


class ConnectingCancelledError(Exception):
    """The Deferred of an attempt to connect to `address` was cancelled."""

    def __init__(self, address: Any) -> None:
        Exception.__init__(self, address)
        self.address = address


class NoProtocol(Exception):
    """The factory returned None, so there is no protocol to connect."""


class NotConnectingError(RuntimeError):
    """A connector that is not connecting was told to stop."""

    MESSAGE = "The Connector was not connecting when it was asked to stop connecting"

    def __str__(self) -> str:
        return _sentence(self)


errnoMapping: dict[int, type[ConnectError]] = {
    errno.ENETUNREACH: NoRouteError,
    errno.ECONNREFUSED: ConnectionRefusedError,
    errno.ETIMEDOUT: TCPTimedOutError,
}


def getConnectError(e: Any) -> ConnectError:
    """The error of the contract for what connecting raised: an exception, or a tuple (errno, text).

    gaierror gives UnknownHostError, an errno of `errnoMapping` its class, all else ConnectError. What does not consist
    of two parts becomes the ConnectError's string as a whole. Raises TypeError for what has no parts at all.
    """
    try:
        number, text = e.args if isinstance(e, BaseException) else e
    except ValueError:
        return ConnectError(string=e)
    if isinstance(e, socket.gaierror):
        return UnknownHostError(number, text)
    return errnoMapping.get(number, ConnectError)(number, text)


# The end of a connection


class ConnectionClosed(Exception):
    """The connection has ended, cleanly or not."""


class ConnectionLost(ConnectionClosed):
    """The connection broke, or the other side went away without saying so."""

    MESSAGE = "Connection to the other side was lost in a non-clean fashion"

    def __str__(self) -> str:
        return _sentence(self)


class ConnectionAborted(ConnectionLost):
    """This side dropped the connection with abortConnection."""

    MESSAGE = "Connection was aborted locally using ITCPTransport.abortConnection"


class ConnectionDone(ConnectionClosed):
    """The connection was closed in the regular way, by either side."""

    MESSAGE = "Connection was closed cleanly"

    def __str__(self) -> str:
        return _sentence(self)


class FileDescriptorOverrun(ConnectionLost):
    """A descriptor was sent without a byte to carry it: sendFileDescriptor needs one byte written for each."""

    MESSAGE = "A mis-use of IUNIXTransport.sendFileDescriptor caused the connection to be closed."


class ConnectionFdescWentAway(ConnectionLost):
    """The file descriptor was closed while the reactor watched it."""

    MESSAGE = "Uh"  # the contract's text


# TLS


class VerifyError(Exception):
    """A signature or certificate did not hold."""

    MESSAGE = "Could not verify something that was supposed to be signed."


class PeerVerifyError(VerifyError):
    """The other side did not accept our certificate."""

    MESSAGE = "The peer rejected our verify error."


class CertificateError(Exception):
    """There is no certificate where there should be one."""

    MESSAGE = "We did not find a certificate where we expected to find one."


# Processes


class ProcessDone(ConnectionDone):
    """A process exited with 0. `status` is what wait() gave."""

    MESSAGE = "A process has ended without apparent errors"

    def __init__(self, status: Any) -> None:
        Exception.__init__(self, "process finished with exit code 0")
        self.exitCode = 0
        self.signal = None
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__class__, (self.status,), self.__dict__


class ProcessTerminated(ConnectionLost):
    """A process exited with another code, or by a signal (the other is then None). `status` is what wait() gave."""

    MESSAGE = "A process has ended with a probable error condition"

    def __init__(self, exitCode: Any = None, signal: Any = None, status: Any = None) -> None:
        self.exitCode = exitCode
        self.signal = signal
        self.status = status
        text = "process ended"
        if exitCode is not None:
            text += f" with exit code {exitCode}"
        if signal is not None:
            text += f" by signal {signal}"
        Exception.__init__(self, text)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__class__, (self.exitCode, self.signal, self.status), self.__dict__


class ProcessExitedAlready(Exception):
    """The process has ended: it cannot be signalled any more."""


# Timers and the reactor


class AlreadyCalled(ValueError):
    """The delayed call has run: it can be neither cancelled nor moved (semantics 31)."""

    MESSAGE = "Tried to cancel an already-called event"

    def __str__(self) -> str:
        return _sentence(self)


class AlreadyCancelled(ValueError):
    """The delayed call was cancelled: it can be neither cancelled again nor moved (semantics 31)."""

    MESSAGE = "Tried to cancel an already-cancelled event"

    def __str__(self) -> str:
        return _sentence(self)


class ReactorNotRunning(RuntimeError):
    """The reactor must run for this, and does not: stop() before run() or twice (semantics 37)."""


class ReactorAlreadyRunning(RuntimeError):
    """run() was called while the reactor runs (semantics 37)."""


class ReactorNotRestartable(RuntimeError):
    """run() was called after stop(): the global reactor runs once (semantics 37)."""


class ReactorAlreadyInstalledError(AssertionError):
    """There is a global reactor already: install another one before anything imports it (semantics 45)."""
