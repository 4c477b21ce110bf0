"""Under takeover: the resolvers and the PROXY protocol by their names in Twisted, with its interfaces."""

from tests.interpreters import Python, needs_twisted


@needs_twisted
def test_the_resolvers_are_ours_and_provide_twisteds_interfaces(full: Python) -> None:
    full.check("""
        from zope.interface.verify import verifyObject
        from twisted.internet import _resolver, defer, interfaces, reactor

        names, simple = reactor.nameResolver, reactor.resolver
        assert type(names).__module__ == "twisted.internet._resolver", type(names)
        assert verifyObject(interfaces.IHostnameResolver, names)
        assert verifyObject(interfaces.IResolverSimple, simple)
        assert verifyObject(interfaces.IResolutionReceiver, _resolver.FirstOneWins(defer.Deferred()))
        assert verifyObject(interfaces.IHostResolution, _resolver.HostResolution("a.example"))
        assert verifyObject(interfaces.IHostnameResolver, _resolver.SimpleResolverComplexifier(simple))

        answers = []
        def ask():
            d = defer.gatherResults([reactor.resolve("localhost"), reactor.resolve("127.0.0.2")])
            d.addBoth(answers.append).addBoth(lambda _: reactor.stop())
        reactor.callWhenRunning(ask)
        reactor.run()
        assert answers == [["127.0.0.1", "127.0.0.2"]], answers
        assert reactor.threadpool is None  # nobody's jobs would have waited
    """)


@needs_twisted
def test_a_wrapped_transport_is_by_twisteds_interfaces_what_the_connections_is(full: Python) -> None:
    full.check("""
        from zope.interface import implementer
        from twisted.internet import interfaces, protocol
        from twisted.protocols import haproxy
        from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory

        @implementer(interfaces.ISSLTransport)
        class Transport:
            def loseConnection(self): pass

        made = []
        class Inner(protocol.Protocol):
            def connectionMade(self):
                made.append(interfaces.ISSLTransport.providedBy(self.transport))

        factory = HAProxyWrappingFactory(protocol.Factory.forProtocol(Inner))
        factory.buildProtocol(None).makeConnection(Transport())
        assert made == [True]
        assert haproxy.proxyEndpoint(None)._wrapperFactory is HAProxyWrappingFactory
    """)


@needs_twisted
def test_a_server_behind_a_proxy_by_its_string(full: Python) -> None:
    full.check("""
        import socket
        from twisted.internet import endpoints, protocol, reactor

        class Said(protocol.Protocol):
            def dataReceived(self, data):
                said.append((data, self.transport.getPeer().host))
                reactor.stop()

        said = []
        factory = protocol.Factory.forProtocol(Said)
        listening = endpoints.serverFromString(reactor, "haproxy:tcp:0:interface=127.0.0.1").listen(factory)
        port = listening.result
        with socket.create_connection(("127.0.0.1", port.getHost().port)) as proxy:
            proxy.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\\r\\nhello")
            reactor.run()
        assert said == [(b"hello", "192.0.2.1")], said
    """)
