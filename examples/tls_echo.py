"""Echo over TLS, both sides. Usage:

    tls_echo.py server [PORT [KEY CERTIFICATE]]     files in PEM; without them openssl makes a certificate for localhost
    tls_echo.py client PORT TRUSTED LINE ...        TRUSTED: a file with the certificate to believe in

The server prints where it listens and what a client may trust, and ends with SIGTERM or Ctrl-C. The client asks line by
line, and says why if it does not believe the server.
"""

import pathlib
import subprocess
import sys
import tempfile

from torsion import defer, error, protocol, reactor, ssl, task

HOST, NAME = "127.0.0.1", "localhost"


# The server


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


def made_by_openssl(folder):
    """A new key and a certificate for localhost that is signed with it, good for a week."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=localhost".split()
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


def serve(port=0, *files):
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = map(pathlib.Path, files) if files else made_by_openssl(pathlib.Path(folder))
        own = ssl.PrivateCertificate.loadPEM(key.read_bytes() + certificate.read_bytes())
        factory = protocol.Factory.forProtocol(Echo)
        listening = reactor.listenSSL(int(port), factory, own.options(), interface=HOST)
        print(f"listening on {HOST}:{listening.getHost().port}", flush=True)
        print(f"clients may trust {certificate}", flush=True)
        reactor.run()


# The client


class Asker(protocol.Protocol):
    """Asks one line after the other, once the server is believed; `done` fires when all are answered."""

    def __init__(self, lines):
        self.lines, self.received = list(lines), b""
        self.done = defer.Deferred()

    def handshakeCompleted(self):
        server = ssl.Certificate.peerFromTransport(self.transport)
        print(f"{self.transport.getHandle().version()} with {server.getSubject().CN.decode()}")
        self.ask()

    def ask(self):
        if self.lines:
            self.transport.write(self.lines.pop(0).encode() + b"\n")
        else:
            self.transport.loseConnection()

    def dataReceived(self, data):
        self.received += data
        while b"\n" in self.received:
            line, _, self.received = self.received.partition(b"\n")
            print(line.decode())
            self.ask()

    def connectionLost(self, reason):
        self.done.callback(reason.value)


async def ask(port, trusted, *lines):
    authority = ssl.Certificate.loadPEM(pathlib.Path(trusted).read_bytes())
    asker = Asker(lines)
    factory = protocol.ClientFactory.forProtocol(lambda: asker)
    factory.clientConnectionFailed = lambda connector, reason: asker.done.callback(reason.value)
    reactor.connectSSL(HOST, int(port), factory, ssl.optionsForClientTLS(NAME, authority), timeout=10)
    reason = await asker.done
    print(reason)
    if not isinstance(reason, error.ConnectionDone):
        sys.exit(1)


if len(sys.argv) < 2 or sys.argv[1] not in ("server", "client"):
    sys.exit(__doc__)
if sys.argv[1] == "server":
    serve(*sys.argv[2:])
else:
    task.react(lambda _, *arguments: defer.ensureDeferred(ask(*arguments)), sys.argv[2:])
