"""Twisted's testing module is ours: with the interfaces where Twisted is installed, and without Twisted too."""

from tests.interpreters import Python, needs_twisted


def test_the_module_is_ours(python: Python) -> None:
    printed = python.check("""
        import torsion.testing
        from twisted.internet import testing
        from twisted.internet.testing import StringTransport, MemoryReactorClock, AccumulatingProtocol
        assert testing is torsion.testing
        transport = StringTransport()
        AccumulatingProtocol().makeConnection(transport)
        print(StringTransport.__module__)
        """)
    assert printed == "twisted.internet.testing\n"


@needs_twisted
def test_what_it_has_provides_the_interfaces(full: Python) -> None:
    full.check("""
        from zope.interface.verify import verifyObject
        from twisted.internet import interfaces, testing
        from twisted.test import proto_helpers

        def verify(made, names):
            for name in names.split():
                assert verifyObject(getattr(interfaces, name), made), name

        assert proto_helpers.StringTransport is testing.StringTransport
        verify(testing.StringTransport(), "ITransport IConsumer IPushProducer")
        verify(testing.StringTransportWithDisconnection(), "ITransport IConsumer IPushProducer")
        verify(proto_helpers._FakePort(None), "IListeningPort")
        verify(proto_helpers._FakeConnector(None), "IConnector")
        streams = "IReactorTCP IReactorSSL IReactorUNIX IReactorSocket IReactorPluggableNameResolver"
        verify(testing.MemoryReactorClock(), streams + " IReactorCore IReactorFDSet IReactorTime")
        verify(testing.RaisingMemoryReactor(), streams)
        verify(testing.VirtualReactor(), "IReactorTCP IReactorSSL IReactorUNIX IReactorTime IReactorCore")
        verify(testing.VirtualReactor(), "IReactorPluggableNameResolver IReactorThreads IReactorFDSet")
        """)
