"""Which of Twisted's modules are answered with ours: the whole of it, a line each.

A line says what the program imports, which module of ours it gets, and where the classes are written that the contract
prints under Twisted's name. What only a private name of Twisted asks for stands in `takeover/private/`, and is added to
our module when a program takes it; nothing outside `takeover/` knows that these names exist.

Failures, errors and Deferreds exist once in a process, so these modules are taken together or not at all.
"""

from typing import NamedTuple


class Taken(NamedTuple):
    """One line of the table."""

    #: The module of ours that the program gets; "" if it is there with Twisted only.
    module: str
    #: Modules whose classes and functions say in reprs and pickles that they come from Twisted's module.
    homes: tuple[str, ...] = ()
    #: The module below `takeover/private/` that holds names added to ours.
    private: str = ""
    #: The same, where these names are made of Twisted's own: left out if Twisted is not installed.
    with_twisted: str = ""
    #: A package with which Twisted's own module works: where both are installed, the program gets that one.
    unless: str = ""
    #: The module that the program gets where Twisted is installed, if it is another one: made of Twisted's own, too.
    instead: str = ""


REACTOR = "twisted.internet.reactor"
DEFAULT = "twisted.internet.default"
INTERFACES = "twisted.internet.interfaces"
LOG = "twisted.python.log"
PLUGIN = "twisted.plugin"
TRIAL_REPORTER = "twisted.trial.reporter"
SPREAD = "twisted.spread.pb"
#: The standard library's, and the package of the same on its own.
MOCKS = ("unittest.mock", "mock.mock")
#: Ours that holds the class for which Twisted's interfaces have a private name.
BINDING = "torsion.net.binding"

# Where Twisted is not installed, these stand in so that the modules below can be imported from them.
PACKAGES = ("twisted", "twisted.internet", "twisted.protocols", "twisted.python")

_DEFER = (
    "torsion.defer",
    "torsion.core.coroutine",
    "torsion.core.deferred",
    "torsion.core.gather",
    "torsion.core.inline",
    "torsion.core.locks",
    "torsion.core.maybe",
)

_ENDPOINTS = (
    "torsion.endpoint.adopted",
    "torsion.endpoint.connecting",
    "torsion.endpoint.hostname",
    "torsion.endpoint.parsers",
    "torsion.endpoint.processes",
    "torsion.endpoint.sockets",
    "torsion.endpoint.strings",
    "torsion.endpoint.tls",
)
_TCP = ("torsion.net.tcp", "torsion.net.tcpclient")
_UDP = ("torsion.net.udp", "torsion.net.multicast")
_UNIX = ("torsion.net.unix", "torsion.net.unixdatagram")
_TLS = ("torsion.net.tls.protocol", "torsion.net.tls.transport", "torsion.net.tls.factory")
_PROCESS = ("torsion.child.process", "torsion.child.pty", "torsion.child.pipes")
_TESTING = ("torsion.trying.memory", "torsion.trying.protocols", "torsion.trying.transports")
_PROTOCOL = ("torsion.protocol", "torsion.net.protocols")
_POLICIES = ("torsion.protocols.policies", "torsion.net.wrapping")
_BASE = ("torsion.base", "torsion.core.delayed", "torsion.net.connector")

_PRIVATE_HAPROXY = Taken("", instead="torsion.takeover.private.haproxy")

# fmt: off
TABLE: dict[str, Taken] = {
    "twisted.internet._posixstdio":    Taken("torsion.stdio"),
    "twisted.internet._resolver":      Taken("torsion.net.resolver", ("torsion.net.resolver",)),
    "twisted.internet.abstract":       Taken("torsion.abstract", ("torsion.net.filedescriptor",), "abstract"),
    "twisted.internet.address":        Taken("torsion.address", ("torsion.address",)),
    "twisted.internet.asyncioreactor": Taken("torsion.asyncioreactor", ("torsion.asyncioreactor",)),
    "twisted.internet.base":           Taken("torsion.base", _BASE, "base"),
    "twisted.internet.default":        Taken("torsion.takeover.private.default"),
    "twisted.internet.defer":          Taken("torsion.defer", _DEFER, "defer"),
    "twisted.internet.endpoints":      Taken("torsion.endpoints", _ENDPOINTS, "endpoints", "endpoints_twisted"),
    "twisted.internet.epollreactor":   Taken("torsion.epollreactor", ("torsion.epollreactor",), "pollers"),
    "twisted.internet.error":          Taken("torsion.error", ("torsion.error",), "error"),
    "twisted.internet.fdesc":          Taken("torsion.fdesc", ("torsion.net.fdesc",)),
    "twisted.internet.inotify":        Taken("torsion.inotify", ("torsion.inotify",)),
    "twisted.internet.main":           Taken("torsion.main", ("torsion.main",)),
    "twisted.internet.pollreactor":    Taken("torsion.pollreactor", ("torsion.pollreactor",), "pollers"),
    "twisted.internet.posixbase":      Taken("torsion.posixbase", ("torsion.posixbase",), "posixbase"),
    "twisted.internet.process":        Taken("torsion.takeover.private.process", _PROCESS),
    "twisted.internet.protocol":       Taken("torsion.protocol", _PROTOCOL, "protocol"),
    "twisted.internet.selectreactor":  Taken("torsion.selectreactor", ("torsion.selectreactor",), "selectreactor"),
    "twisted.internet.ssl":            Taken("torsion.ssl", unless="OpenSSL"),
    "twisted.internet.stdio":          Taken("torsion.stdio", ("torsion.child.stdio",)),
    "twisted.internet.tcp":            Taken("torsion.tcp", _TCP, with_twisted="tcp"),
    "twisted.internet.task":           Taken("torsion.task", ("torsion.task",)),
    "twisted.internet.testing":        Taken("torsion.testing", _TESTING, "testing"),
    "twisted.internet.threads":        Taken("torsion.threads", ("torsion.threads",)),
    "twisted.internet.udp":            Taken("torsion.udp", _UDP, "udp"),
    "twisted.internet.unix":           Taken("torsion.unix", _UNIX, with_twisted="unix"),
    "twisted.internet.utils":          Taken("torsion.utils", ("torsion.utils",)),
    "twisted.protocols.basic":         Taken("torsion.protocols.basic", ("torsion.protocols.basic",), "basic"),
    "twisted.protocols.loopback":      Taken("torsion.protocols.loopback", ("torsion.protocols.loopback",)),
    "twisted.protocols.policies":      Taken("torsion.protocols.policies", _POLICIES),
    "twisted.protocols.portforward":   Taken("torsion.protocols.portforward", ("torsion.protocols.portforward",)),
    "twisted.protocols.stateful":      Taken("torsion.protocols.stateful", ("torsion.protocols.stateful",)),
    "twisted.protocols.haproxy":       Taken("torsion.protocols.haproxy", instead="torsion.takeover.private.haproxy"),
    "twisted.protocols.haproxy._exceptions": _PRIVATE_HAPROXY,
    "twisted.protocols.haproxy._info": _PRIVATE_HAPROXY,
    "twisted.protocols.haproxy._interfaces": _PRIVATE_HAPROXY,
    "twisted.protocols.haproxy._parser": _PRIVATE_HAPROXY,
    "twisted.protocols.haproxy._v1parser": _PRIVATE_HAPROXY,
    "twisted.protocols.haproxy._v2parser": _PRIVATE_HAPROXY,
    "twisted.protocols.haproxy._wrapper": _PRIVATE_HAPROXY,
    "twisted.protocols.tls":           Taken("torsion.protocols.tls", _TLS, with_twisted="tls"),
    "twisted.python.context":          Taken("torsion.pool.context", ("torsion.pool.context",)),
    "twisted.python.failure":          Taken("torsion.failure", ("torsion.failure",), "failure"),
    "twisted.python.threadable":       Taken("torsion.pool.threadable", ("torsion.pool.threadable",)),
    "twisted.python.threadpool":       Taken("torsion.pool.threadpool", ("torsion.pool.threadpool",)),
    "twisted._threads":                Taken("torsion.takeover.private.workers"),
    "twisted._threads._convenience":   Taken("torsion.takeover.private.workers"),
    "twisted._threads._ithreads":      Taken("torsion.takeover.private.workers"),
    "twisted._threads._memory":        Taken("torsion.takeover.private.workers"),
    "twisted._threads._pool":          Taken("torsion.takeover.private.workers"),
    "twisted._threads._team":          Taken("torsion.takeover.private.workers"),
    "twisted._threads._threadworker":  Taken("torsion.takeover.private.workers"),
}
# fmt: on

# Twisted's zope interfaces, and which of our classes provide them: (interface, module, class).
PROVIDED: tuple[tuple[str, str, str], ...] = (
    ("IReactorCore", "torsion.contract", "Reactor"),
    ("IReactorTime", "torsion.contract", "Reactor"),
    ("IReactorThreads", "torsion.contract", "Reactor"),
    ("IReactorFDSet", "torsion.contract", "Reactor"),
    ("_ISupportsExitSignalCapturing", "torsion.contract", "Reactor"),
    ("IReactorPluggableResolver", "torsion.base", "ReactorBase"),
    ("IReactorPluggableNameResolver", "torsion.base", "ReactorBase"),
    ("IReactorTCP", "torsion.posixbase", "PosixReactorBase"),
    ("IReactorUDP", "torsion.posixbase", "PosixReactorBase"),
    ("IReactorMulticast", "torsion.posixbase", "PosixReactorBase"),
    ("IReactorUNIX", "torsion.posixbase", "PosixReactorBase"),
    ("IReactorUNIXDatagram", "torsion.posixbase", "PosixReactorBase"),
    ("IReactorSocket", "torsion.posixbase", "PosixReactorBase"),
    ("IReactorProcess", "torsion.posixbase", "PosixReactorBase"),
    ("IReactorSSL", "torsion.posixbase", "PosixReactorBase"),
    ("IPushProducer", "torsion.net.filedescriptor", "FileDescriptor"),
    ("IReadWriteDescriptor", "torsion.net.filedescriptor", "FileDescriptor"),
    ("IConsumer", "torsion.net.filedescriptor", "FileDescriptor"),
    ("ITransport", "torsion.net.filedescriptor", "FileDescriptor"),
    ("IHalfCloseableDescriptor", "torsion.net.filedescriptor", "FileDescriptor"),
    ("ILoggingContext", "torsion.net.filedescriptor", "FileDescriptor"),
    ("ITCPTransport", "torsion.net.tcp", "Connection"),
    ("ISystemHandle", "torsion.net.tcp", "Connection"),
    ("IConsumer", "torsion.net.tcp", "Connection"),
    ("IPushProducer", "torsion.net.tcp", "Connection"),
    ("IReadWriteDescriptor", "torsion.net.tcp", "Connection"),
    ("IHalfCloseableDescriptor", "torsion.net.tcp", "Connection"),
    ("ILoggingContext", "torsion.net.tcp", "Connection"),
    ("ITLSTransport", "torsion.net.tcp", "Connection"),
    ("INegotiated", "torsion.net.tls.starttls", "OverTLS"),
    ("INegotiated", "torsion.net.tls.transport", "TLSMemoryBIOProtocol"),
    ("ISystemHandle", "torsion.net.tls.transport", "TLSMemoryBIOProtocol"),
    ("IProtocol", "torsion.net.tls.transport", "TLSMemoryBIOProtocol"),
    ("ILoggingContext", "torsion.net.tls.transport", "TLSMemoryBIOProtocol"),
    ("IProtocolFactory", "torsion.net.tls.factory", "TLSMemoryBIOFactory"),
    ("ILoggingContext", "torsion.net.tls.factory", "TLSMemoryBIOFactory"),
    ("IPushProducer", "torsion.net.tls.producers", "Membrane"),
    ("IListeningPort", "torsion.net.tcp", "Port"),
    ("IUNIXTransport", "torsion.net.unix", "Server"),
    ("IUNIXTransport", "torsion.net.unix", "Client"),
    ("IListeningPort", "torsion.net.unixdatagram", "DatagramPort"),
    ("IUNIXDatagramTransport", "torsion.net.unixdatagram", "DatagramPort"),
    ("IUNIXDatagramConnectedTransport", "torsion.net.unixdatagram", "ConnectedDatagramPort"),
    ("IConnector", "torsion.net.connector", "BaseConnector"),
    ("IHostnameResolver", "torsion.net.resolver", "GAIResolver"),
    ("IHostnameResolver", "torsion.net.resolver", "SimpleResolverComplexifier"),
    ("IHostnameResolver", "torsion.takeover.private.endpoints_twisted", "_SimpleHostnameResolver"),
    ("IHostResolution", "torsion.net.resolver", "HostResolution"),
    ("IResolutionReceiver", "torsion.net.resolver", "FirstOneWins"),
    ("IResolverSimple", "torsion.net.resolver", "ComplexResolverSimplifier"),
    ("IListeningPort", "torsion.net.udp", "Port"),
    ("IUDPTransport", "torsion.net.udp", "Port"),
    ("ISystemHandle", "torsion.net.udp", "Port"),
    ("IMulticastTransport", "torsion.net.multicast", "MulticastPort"),
    ("IResolverSimple", "torsion.takeover.private.base", "ThreadedResolver"),
    ("IResolverSimple", "torsion.takeover.private.base", "BlockingResolver"),
    ("IReactorPluggableResolver", "torsion.takeover.private.base", "PluggableResolverMixin"),
    ("IReactorPluggableNameResolver", "torsion.takeover.private.base", "PluggableResolverMixin"),
    ("IDelayedCall", "torsion.core.delayed", "DelayedCall"),
    ("IReactorTime", "torsion.task", "Clock"),
    ("IAddress", "torsion.address", "IPv4Address"),
    ("IAddress", "torsion.address", "IPv6Address"),
    ("IAddress", "torsion.address", "HostnameAddress"),
    ("IAddress", "torsion.address", "UNIXAddress"),
    ("IAddress", "torsion.address", "_ProcessAddress"),
    ("IAddress", "torsion.child.stdio", "PipeAddress"),
    ("IProcessTransport", "torsion.child.process", "Process"),
    ("IConsumer", "torsion.child.process", "Process"),
    ("IProcessTransport", "torsion.child.pty", "PTYProcess"),
    ("ITransport", "torsion.child.stdio", "StandardIO"),
    ("IConsumer", "torsion.child.stdio", "StandardIO"),
    ("IPushProducer", "torsion.child.stdio", "StandardIO"),
    ("IHalfCloseableDescriptor", "torsion.child.stdio", "StandardIO"),
    ("IProtocol", "torsion.net.protocols", "Protocol"),
    ("ILoggingContext", "torsion.net.protocols", "Protocol"),
    ("IProcessProtocol", "torsion.protocol", "ProcessProtocol"),
    ("ILoggingContext", "torsion.protocol", "DatagramProtocol"),
    ("IProtocolFactory", "torsion.net.protocols", "Factory"),
    ("ILoggingContext", "torsion.net.protocols", "Factory"),
    ("ITransport", "torsion.protocol", "FileWrapper"),
    ("IProtocol", "torsion.protocol", "ConsumerToProtocolAdapter"),
    ("IConsumer", "torsion.protocol", "ProtocolToConsumerAdapter"),
    ("IProducer", "torsion.protocols.basic", "FileSender"),
    ("ITransport", "torsion.protocols.loopback", "LoopbackRelay"),
    ("IConsumer", "torsion.protocols.loopback", "LoopbackRelay"),
    ("ITransport", "torsion.protocols.loopback", "_LoopbackTransport"),
    ("IConsumer", "torsion.protocols.loopback", "_LoopbackTransport"),
    ("IAddress", "torsion.protocols.loopback", "_LoopbackAddress"),
    ("IStreamServerEndpoint", "torsion.endpoint.sockets", "_TCPServerEndpoint"),
    ("IStreamServerEndpoint", "torsion.endpoint.sockets", "SSL4ServerEndpoint"),
    ("IStreamServerEndpoint", "torsion.endpoint.sockets", "UNIXServerEndpoint"),
    ("IStreamServerEndpoint", "torsion.endpoint.adopted", "AdoptedStreamServerEndpoint"),
    ("IStreamServerEndpoint", "torsion.endpoint.processes", "StandardIOEndpoint"),
    ("IStreamServerEndpoint", "torsion.takeover.private.endpoints", "_WrapperServerEndpoint"),
    ("IStreamServerEndpoint", "torsion.endpoint.tls", "_TLSServerEndpoint"),
    ("IStreamClientEndpoint", "torsion.endpoint.sockets", "TCP4ClientEndpoint"),
    ("IStreamClientEndpoint", "torsion.endpoint.sockets", "TCP6ClientEndpoint"),
    ("IStreamClientEndpoint", "torsion.endpoint.sockets", "SSL4ClientEndpoint"),
    ("IStreamClientEndpoint", "torsion.endpoint.sockets", "UNIXClientEndpoint"),
    ("IStreamClientEndpoint", "torsion.endpoint.hostname", "HostnameEndpoint"),
    ("IStreamClientEndpoint", "torsion.endpoint.processes", "ProcessEndpoint"),
    ("IStreamClientEndpoint", "torsion.endpoint.tls", "_WrapperEndpoint"),
    ("IStreamServerEndpointStringParser", "torsion.endpoint.parsers", "_ServerParser"),
    ("IStreamClientEndpointStringParserWithReactor", "torsion.endpoint.parsers", "_ClientParser"),
    ("IResolutionReceiver", "torsion.endpoint.lookup", "_Receiver"),
    ("ITransport", "torsion.endpoint.processes", "_ProcessEndpointTransport"),
    ("IConsumer", "torsion.endpoint.processes", "_ProcessEndpointTransport"),
    ("IPushProducer", "torsion.endpoint.processes", "_ProcessEndpointTransport"),
    ("IProcessTransport", "torsion.endpoint.processes", "_ProcessEndpointTransport"),
    ("ITransport", "torsion.trying.transports", "StringTransport"),
    ("IConsumer", "torsion.trying.transports", "StringTransport"),
    ("IPushProducer", "torsion.trying.transports", "StringTransport"),
    ("IUDPTransport", "torsion.trying.transports", "FakeDatagramTransport"),
    ("IListeningPort", "torsion.trying.memory", "_FakePort"),
    ("IConnector", "torsion.trying.memory", "_FakeConnector"),
    ("IHostnameResolver", "torsion.trying.memory", "SynchronousResolver"),
    ("IHostResolution", "torsion.trying.memory", "SynchronousResolution"),
    ("IReactorCore", "torsion.trying.memory", "MemoryReactor"),
    ("IReactorTCP", "torsion.trying.memory", "MemoryReactor"),
    ("IReactorSSL", "torsion.trying.memory", "MemoryReactor"),
    ("IReactorUNIX", "torsion.trying.memory", "MemoryReactor"),
    ("IReactorSocket", "torsion.trying.memory", "MemoryReactor"),
    ("IReactorFDSet", "torsion.trying.memory", "MemoryReactor"),
    ("IReactorPluggableNameResolver", "torsion.trying.memory", "MemoryReactor"),
    ("IReactorTCP", "torsion.trying.memory", "RaisingMemoryReactor"),
    ("IReactorSSL", "torsion.trying.memory", "RaisingMemoryReactor"),
    ("IReactorUNIX", "torsion.trying.memory", "RaisingMemoryReactor"),
    ("IReactorSocket", "torsion.trying.memory", "RaisingMemoryReactor"),
    ("IReactorPluggableNameResolver", "torsion.trying.memory", "RaisingMemoryReactor"),
    ("IReactorTCP", "torsion.trying.virtual", "VirtualReactor"),
    ("IReactorSSL", "torsion.trying.virtual", "VirtualReactor"),
    ("IReactorUNIX", "torsion.trying.virtual", "VirtualReactor"),
)

# What makes one interface of another, `IConsumer(protocol)`: (from, to, module, class).
ADAPTED: tuple[tuple[str, str, str, str], ...] = (
    ("IConsumer", "IProtocol", "torsion.protocol", "ConsumerToProtocolAdapter"),
    ("IProtocol", "IConsumer", "torsion.protocol", "ProtocolToConsumerAdapter"),
)
