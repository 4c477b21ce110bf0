"""`twisted.internet.endpoints` of a program that is taken over: ours, with Twisted's interfaces, plugins, contexts."""

import textwrap
from pathlib import Path

import pytest
from tests.certificates import certificates
from tests.interpreters import INSTALL, Python, needs_twisted

ECHO = """
from twisted.internet import endpoints, protocol, reactor, defer

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

class Ask(protocol.Protocol):
    def connectionMade(self):
        self.answer, self.lost = defer.Deferred(), defer.Deferred()
        self.transport.write(b"hello")
    def dataReceived(self, data):
        self.answer.callback(data)
    def connectionLost(self, reason):
        self.lost.callback(reason.type.__name__)

async def main():
    port = await endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(
        protocol.Factory.forProtocol(Echo))
    client = endpoints.clientFromString(reactor, f"tcp:127.0.0.1:{port.getHost().port}")
    ask = await endpoints.connectProtocol(client, Ask())
    print(await ask.answer, type(client).__module__)
    ask.transport.loseConnection()
    print(await ask.lost)
    await port.stopListening()

result = []
defer.ensureDeferred(main()).addBoth(result.append).addBoth(lambda _: reactor.stop())
reactor.run()
assert result == [None], result
"""


def test_a_program_runs_with_and_without_twisted(python: Python) -> None:
    assert python.check(ECHO) == "b'hello' twisted.internet.endpoints\nConnectionDone\n"


@needs_twisted
def test_classes_provide_twisteds_interfaces(full: Python) -> None:
    full.check(
        """
        from zope.interface.verify import verifyClass
        from twisted.internet import endpoints, interfaces
        for name in endpoints.__all__:
            value = getattr(endpoints, name)
            if isinstance(value, type) and name.endswith("Endpoint"):
                server = hasattr(value, "listen")
                verifyClass(interfaces.IStreamServerEndpoint if server else interfaces.IStreamClientEndpoint, value)
                assert value.__module__ == "twisted.internet.endpoints", value.__module__
        """
    )


@needs_twisted
def test_parsers_are_plugins_and_plugins_of_others_are_found(full: Python, tmp_path: Path) -> None:
    plugins = tmp_path / "twisted" / "plugins"
    plugins.mkdir(parents=True)
    plugins.joinpath("moon.py").write_text(
        textwrap.dedent(
            """
            from zope.interface import implementer
            from twisted.internet.interfaces import (
                IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser)
            from twisted.plugin import IPlugin

            @implementer(IPlugin, IStreamServerEndpointStringParser)
            class Server:
                prefix = "moon"
                def parseStreamServer(self, reactor, *args, **kwargs):
                    return "server", reactor, args, kwargs

            @implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
            class Client:
                prefix = "moon"
                def parseStreamClient(self, reactor, *args, **kwargs):
                    return "client", reactor, args, kwargs

            server, client = Server(), Client()
            """
        )
    )
    full.check(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from twisted.internet import endpoints, interfaces
        from twisted.plugin import getPlugins
        assert endpoints.serverFromString(1, "moon:a:b=c") == ("server", 1, ("a",), {{"b": "c"}})
        assert endpoints.clientFromString(1, "moon:a:b=c") == ("client", 1, ("a",), {{"b": "c"}})
        found = {{plugin.prefix for plugin in getPlugins(interfaces.IStreamServerEndpointStringParser)}}
        assert {{"stdio", "systemd", "tcp6", "tls", "haproxy", "moon"}} <= found, found
        """
    )


@needs_twisted
def test_a_program_can_put_its_own_for_what_makes_bytes_and_text_of_a_host_name(full: Python) -> None:
    full.check(
        r"""
        from twisted.internet import endpoints, reactor

        def both(host):
            bad, name, text = endpoints.HostnameEndpoint._hostAsBytesAndText(host)
            endpoint = endpoints.HostnameEndpoint(reactor, host, 80)
            assert (bad, name, text) == (endpoint._badHostname, endpoint._hostBytes, endpoint._hostText)
            return bad, name, text

        assert both(b"xn--hst-sna.example") == (False, b"xn--hst-sna.example", "h\u00f6st.example")
        assert both("my_host") == (False, b"my_host", "my_host")
        assert both("a \u2764") == (True, b"a \\u2764", "a \\u2764")
        endpoints._idnaBytes = lambda text: text.encode("utf-8")
        endpoints._idnaText = lambda name: name.decode("utf-8")
        assert both("a \u2764") == (False, b"a \xe2\x9d\xa4", "a \u2764")
        assert both(b"a \xe2\x9d\xa4") == (False, b"a \xe2\x9d\xa4", "a \u2764")
        """
    )


@needs_twisted
def test_contexts_of_strings_are_twisteds_where_pyopenssl_is(full: Python, tmp_path: Path) -> None:
    made = certificates()
    pem = made.server.both
    (tmp_path / "ca.pem").write_bytes(made.ca.certificate.read_bytes())
    full.check(
        f"""
        from twisted.internet import endpoints, ssl
        server = endpoints.serverFromString(None, "ssl:1:privateKey={pem}:extraCertChain={made.ca.certificate}")
        assert isinstance(server._sslContextFactory, ssl.CertificateOptions)
        assert len(server._sslContextFactory.extraCertChain) == 1
        client = endpoints.clientFromString(None, "ssl:h:1:certKey={pem}:privateKey={pem}:caCertsDir={tmp_path}")
        assert isinstance(client._sslContextFactory, ssl.CertificateOptions)
        assert client._sslContextFactory.verify
        for text in ("ssl:1:privateKey={pem}:sslmethod=gone", "ssl:1:privateKey={pem}:extraCertChain={made.ca.key}"):
            try:
                endpoints.serverFromString(None, text)
            except ValueError:
                continue
            raise AssertionError(text)
        """
    )


TLS = """
from twisted.internet import defer, endpoints, protocol, reactor, ssl

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

class Ask(protocol.Protocol):
    def connectionMade(self):
        self.answer, self.lost = defer.Deferred(), defer.Deferred()
        self.transport.write(b"hello")
    def dataReceived(self, data):
        self.answer.callback(data)
    def connectionLost(self, reason):
        self.lost.callback(None)
        if not self.answer.called:
            self.answer.errback(reason)

async def main():
    for server in ("ssl:0:privateKey={pem}:interface=127.0.0.1", "tls:{folder}:port=0:interface=127.0.0.1"):
        port = await endpoints.serverFromString(reactor, server).listen(protocol.Factory.forProtocol(Echo))
        client = endpoints.clientFromString(reactor,
            f"tls:localhost:{{port.getHost().port}}:trustRoots={trusted}")
        ask = await endpoints.connectProtocol(client, Ask())
        assert await ask.answer == b"hello"
        ask.transport.loseConnection()
        await ask.lost
        await port.stopListening()

result = []
defer.ensureDeferred(main()).addBoth(result.append).addBoth(lambda _: reactor.stop())
reactor.run()
assert result == [None], result
"""


@needs_twisted
@pytest.mark.parametrize("installed", [True, False], ids=["taken over", "stock"])
def test_tls_strings_as_in_twisted(full: Python, tmp_path: Path, installed: bool) -> None:
    made = certificates()
    for name, pem in (("trusted", made.ca.certificate), ("shown", made.server.both)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.pem").write_bytes(pem.read_bytes())
    program = TLS.format(pem=made.server.both, folder=tmp_path / "shown", trusted=tmp_path / "trusted")
    done = full.run("-c", (INSTALL if installed else "") + program, timeout=30)
    assert done.returncode == 0, done.stderr


@needs_twisted
def test_hooks_of_a_protocol_are_declared_on_what_wraps_it(full: Python) -> None:
    full.check(
        """
        from zope.interface import implementer
        from twisted.internet import defer, endpoints, interfaces, protocol

        @implementer(interfaces.IHalfCloseableProtocol, interfaces.IHandshakeListener)
        class Hooked(protocol.Protocol):
            def readConnectionLost(self): pass
            def writeConnectionLost(self): pass
            def handshakeCompleted(self): pass

        wrapping = endpoints._WrappingProtocol(defer.Deferred(), Hooked())
        assert interfaces.IHalfCloseableProtocol.providedBy(wrapping)
        assert interfaces.IHandshakeListener.providedBy(wrapping)
        assert not interfaces.IFileDescriptorReceiver.providedBy(wrapping)
        """
    )
