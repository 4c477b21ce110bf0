"""Endpoints without a socket: a child process's standard input and output, and the process's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from .. import report
from ..address import _ProcessAddress
from ..core.deferred import Deferred, fail, succeed
from ..core.maybe import execute
from ..error import ConnectionDone, NoProtocol, ProcessDone
from ..failure import Failure
from ..protocol import ProcessProtocol
from .outside import outside


class StandardErrorBehavior(Enum):
    """What becomes of what a child writes to its standard error."""

    #: It is reported.
    LOG = "log"
    #: It is thrown away.
    DROP = "drop"

    # As a `constantly.Names`, which it is in the contract.

    @classmethod
    def iterconstants(cls) -> Iterator[StandardErrorBehavior]:
        """Each of them."""
        return iter(cls)

    @classmethod
    def lookupByName(cls, name: str) -> StandardErrorBehavior:
        """The one of this name. ValueError if there is none."""
        try:
            return cls[name]
        except KeyError:
            raise ValueError(name) from None


_OF_A_PROCESS = frozenset(
    """
    write writeSequence loseConnection registerProducer unregisterProducer pauseProducing resumeProducing stopProducing
    pid signalProcess writeToChild closeChildFD closeStdin closeStdout closeStderr
    """.split()
)


class _ProcessEndpointTransport:
    """A child's standard input, to be written to, and its standard output, to be paused; all else is the child's.

    Contract: ITransport, IConsumer, IPushProducer, IProcessTransport.
    """

    def __init__(self, process: Any) -> None:
        self._process = process

    def __getattr__(self, name: str) -> Any:
        if name not in _OF_A_PROCESS:
            raise AttributeError(f"the transport of a process endpoint has no {name!r}", name=name, obj=self)
        return getattr(self._process, name)

    def getPeer(self) -> Any:
        return _address(self._process, "getPeer")

    def getHost(self) -> Any:
        return _address(self._process, "getHost")


def _address(process: Any, which: str) -> Any:
    """What a process's transport says that its address is; it need not know one."""
    try:
        return getattr(process, which)()
    except (AttributeError, NotImplementedError):
        return _ProcessAddress()


class _WrapIProtocol(ProcessProtocol):
    """Lets a stream's protocol talk to a child process."""

    def __init__(self, proto: Any, executable: Any, errFlag: Any) -> None:
        self.protocol = proto
        self.executable = executable
        self.errFlag = errFlag
        self.failed: Failure | None = None

    def makeConnection(self, process: Any) -> None:
        """The child is started. What the protocol raises is kept for the endpoint; the child is ended (78)."""
        self.transport = _ProcessEndpointTransport(process)
        try:
            self.protocol.makeConnection(self.transport)
        except BaseException:
            self.failed = Failure()
            process.loseConnection()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == 1:
            self.protocol.dataReceived(data)
        elif childFD == 2 and self.errFlag is StandardErrorBehavior.LOG:
            report.info(
                "Process {executable!r} wrote stderr unhandled by {protocol}: {data!r}",
                executable=self.executable,
                protocol=self.protocol,
                data=data,
            )

    def processEnded(self, reason: Failure) -> None:
        """Its exit with 0 is a regular end, ConnectionDone; any other is ProcessTerminated."""
        if reason.check(ProcessDone) is not None and reason.value.exitCode == 0:
            reason = Failure(ConnectionDone())
        self.protocol.connectionLost(reason)


class ProcessEndpoint:
    """A program that is run, and talked to by its standard input and output. Contract: IStreamClientEndpoint."""

    def __init__(
        self,
        reactor: Any,
        executable: Any,
        args: Sequence[Any] = (),
        env: Mapping[Any, Any] | None = {},
        path: Any = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Any = 0,
        childFDs: Mapping[int, Any] | None = None,
        errFlag: StandardErrorBehavior = StandardErrorBehavior.LOG,
    ) -> None:
        """``errFlag`` says what becomes of the standard error; all else is what spawnProcess takes."""
        self._reactor = reactor
        self._executable = executable
        self._args = args
        self._env = env
        self._path = path
        self._uid = uid
        self._gid = gid
        self._usePTY = usePTY
        self._childFDs = childFDs
        self._errFlag = errFlag
        self._spawnProcess = reactor.spawnProcess

    def connect(self, protocolFactory: Any) -> Deferred:
        """Start the program and connect a protocol of the factory: a Deferred of it.

        Fails with what starting raised, with NoProtocol, and with what buildProtocol or connectionMade raised.
        """
        try:
            protocol = protocolFactory.buildProtocol(_ProcessAddress())
            if protocol is None:
                raise NoProtocol(f"{protocolFactory!r} has no protocol for a process")
            between = _WrapIProtocol(protocol, self._executable, self._errFlag)
            self._spawnProcess(
                between,
                self._executable,
                self._args,
                self._env,
                self._path,
                self._uid,
                self._gid,
                self._usePTY,
                self._childFDs,
            )
        except BaseException:
            return fail(Failure())
        return succeed(protocol) if between.failed is None else fail(between.failed)


class StandardIOEndpoint:
    """This process's standard input and output, which serve one client. Contract: IStreamServerEndpoint."""

    #: What makes the transport; `torsion.stdio.StandardIO` unless something else is put here.
    _stdio: Any = None

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def listen(self, stdioProtocolFactory: Any) -> Deferred:
        """Connect a protocol of the factory at once: a Deferred of the transport."""
        return execute(self._listen, stdioProtocolFactory)

    def _listen(self, factory: Any) -> Any:
        make = outside().standard_io() if self._stdio is None else self._stdio
        protocol = factory.buildProtocol(outside().pipe_address())
        if protocol is None:
            raise NoProtocol(f"{factory!r} has no protocol for the standard input and output")
        return make(protocol, reactor=self._reactor)
