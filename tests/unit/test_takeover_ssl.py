"""`twisted.internet.ssl` under takeover: ours, but where Twisted and pyOpenSSL are installed, Twisted's own."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.certificates import certificates
from tests.interpreters import Python, needs_twisted

NAMES = """
from twisted.internet.ssl import (
    AcceptableCiphers, Certificate, CertificateOptions, CertificateRequest, Client, ClientContextFactory, Connector,
    ContextFactory, DefaultOpenSSLContextFactory, DiffieHellmanParameters, DistinguishedName, DN, KeyPair,
    OpenSSLDefaultPaths, Port, PrivateCertificate, Server, TLSVersion, VerificationError, optionsForClientTLS,
    platformTrust, supported, trustRootFromCertificates,
)
"""


def test_where_twisted_is_not_installed_it_is_ours(bare: Python) -> None:
    bare.check(NAMES + "import torsion.ssl; assert CertificateOptions is torsion.ssl.CertificateOptions")


@needs_twisted
def test_where_twisted_and_pyopenssl_are_installed_it_stays_twisteds(full: Python) -> None:
    full.check(
        NAMES
        + """
import sys
assert CertificateOptions.__module__ == "twisted.internet._sslverify"
assert "torsion.ssl" not in sys.modules
import torsion.ssl
assert torsion.ssl.CertificateOptions is not CertificateOptions
assert torsion.ssl.CertificateOptions.__module__.startswith("torsion.")
"""
    )


OLDER = """
import sys
sys.modules["twisted.protocols._tls_legacy"] = sys.modules["twisted.protocols._sni"] = None  # as in an older Twisted
"""


@needs_twisted
def test_an_older_twisted_is_asked_by_its_interfaces(full: Python) -> None:
    full.check(
        OLDER
        + """
from OpenSSL.SSL import Connection
from twisted.internet import ssl
from twisted.protocols.tls import SomeConnectionCreator, TLSMemoryBIOFactory
for source, is_client in (
    (ssl.optionsForClientTLS("localhost"), True),  # a connection creator
    (ssl.ClientContextFactory(), True),  # a factory of contexts
    (ssl.ClientContextFactory(), False),
):
    factory = TLSMemoryBIOFactory(source, is_client, None)
    made = factory._creatorCallable(factory.protocol(factory, None))
    assert isinstance(made, Connection), made
try:
    TLSMemoryBIOFactory(object(), True, None)
except TypeError as error:
    assert "nothing to make TLS of, as a client" in str(error), error
else:
    raise AssertionError("an object that says nothing about TLS was taken")
"""
    )


@needs_twisted
def test_an_older_twisted_has_our_tls_servers_by_their_strings(full: Python, tmp_path: Path) -> None:
    (tmp_path / "localhost.pem").write_bytes(certificates().server.both.read_bytes())
    full.check(
        OLDER
        + f"""
from twisted.internet import endpoints, reactor
assert endpoints.serverFromString(reactor, "tls:{tmp_path}:0")
"""
    )


@needs_twisted
def test_where_twisted_is_installed_without_pyopenssl_it_is_ours(bare: Python, tmp_path: Path) -> None:
    found = find_spec("twisted")
    assert found is not None and found.origin is not None
    for each in Path(found.origin).parents[1].iterdir():
        if "openssl" not in each.name.lower() and not each.name.endswith(".pth"):
            (tmp_path / each.name).symlink_to(each)
    both = f"{bare.environment['PYTHONPATH']}:{tmp_path}"
    bare.check(
        NAMES
        + """
import torsion.ssl, twisted
assert twisted.__file__
assert CertificateOptions is torsion.ssl.CertificateOptions
""",
        env={**bare.environment, "PYTHONPATH": both},
    )


@pytest.mark.parametrize("name", ["SSL", "_sslverify"])
def test_what_is_pyopenssls_is_not_pretended(bare: Python, name: str) -> None:
    bare.check(f"""
        from twisted.internet import ssl
        assert not hasattr(ssl, {name!r})
    """)


PROGRAM = """
from twisted.internet import defer, protocol, ssl, task

class Hello(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
        self.transport.loseConnection()

class Listener(protocol.Protocol):
    def connectionMade(self):
        self.received, self.closed = b"", defer.Deferred()

    def dataReceived(self, data):
        self.received += data

    def connectionLost(self, reason):
        self.closed.callback((self.received, reason.type.__name__))

async def main(reactor):
    own = ssl.DefaultOpenSSLContextFactory(KEY, CERTIFICATE)
    port = reactor.listenSSL(0, protocol.Factory.forProtocol(Hello), own, interface="127.0.0.1")
    with open(AUTHORITY, "rb") as file:
        authority = ssl.Certificate.loadPEM(file.read())
    for name in ("localhost", "other.example"):
        options = ssl.optionsForClientTLS(name, trustRoot=authority)
        creator = protocol.ClientCreator(reactor, Listener)
        listener = await creator.connectSSL("127.0.0.1", port.getHost().port, options)
        print(*await listener.closed)
    await port.stopListening()

task.react(lambda reactor: defer.ensureDeferred(main(reactor)))
"""


def test_one_program_runs_with_either(python: Python) -> None:
    made = certificates()
    files = {"KEY": made.server.key, "CERTIFICATE": made.server.certificate, "AUTHORITY": made.ca.certificate}
    printed = python.check("".join(f"{name} = {str(path)!r}\n" for name, path in files.items()) + PROGRAM)
    assert printed == "b'hello' ConnectionDone\nb'' VerificationError\n"
