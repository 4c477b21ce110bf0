"""Under takeover: the private names of Twisted's that packages in wide use import, and what they do with them."""

from tests.interpreters import Python, needs_twisted


@needs_twisted
def test_a_protocol_is_made_pauseable_by_the_mixin(full: Python) -> None:
    full.check("""
        from twisted.internet import protocol
        from twisted.internet.testing import StringTransport
        from twisted.protocols import basic

        class Receiver(protocol.Protocol, basic._PauseableMixin):
            held = b""
            def dataReceived(self, data):
                self.held += data
                while not self.paused and self.held:
                    self.got, self.held = self.held[:1], self.held[1:]
                    self.pauseProducing()

        transport = StringTransport()
        receiver = Receiver()
        assert receiver.paused is False
        receiver.makeConnection(transport)
        receiver.dataReceived(b"ab")
        assert (receiver.got, receiver.held, transport.producerState) == (b"a", b"b", "paused")
        receiver.resumeProducing()
        assert (receiver.got, receiver.held) == (b"b", b"")
        receiver.stopProducing()
        assert (receiver.paused, transport.producerState) == (True, "stopped")
    """)


@needs_twisted
def test_a_factory_of_one_connection_that_exists_already(full: Python) -> None:
    full.check("""
        from twisted.internet import defer, error, protocol, task
        from twisted.python.failure import Failure

        for arrive, expected in (
            (lambda factory: factory.buildProtocol(None), "instance"),
            (lambda factory: factory.clientConnectionFailed(None, Failure(error.ConnectError())), error.ConnectError),
        ):
            clock, fired = task.Clock(), defer.Deferred()
            instance = protocol.Protocol()
            arrive(protocol._InstanceFactory(clock, instance, fired))
            assert not fired.called
            clock.advance(0)
            seen = []
            fired.addCallbacks(seen.append, lambda failure: seen.append(failure.type))
            assert seen == [instance if expected == "instance" else expected], seen
    """)


@needs_twisted
def test_what_return_value_raises_has_its_name(full: Python) -> None:
    full.check("""
        import warnings
        from twisted.internet import defer

        warnings.simplefilter("ignore")
        try:
            defer.returnValue("value")
        except defer._DefGen_Return as leaving:
            assert leaving.value == "value"
        else:
            raise AssertionError("it returned")
    """)


@needs_twisted
def test_return_value_is_deprecated_if_it_is_in_the_twisted_that_is_installed(full: Python) -> None:
    for version, warned in (("24.3.0", 0), ("24.7.0rc1", 1), ("26.10.0", 1)):
        full.check(f"""
            import warnings

            import twisted

            twisted.__version__ = {version!r}
            from twisted.internet import defer

            @defer.inlineCallbacks
            def old():
                yield
                defer.returnValue("value")

            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                assert old().result == "value"
            assert len(caught) == {warned}, caught
        """)


@needs_twisted
def test_the_type_of_a_triggers_handle_can_be_named(full: Python) -> None:
    full.check("""
        from twisted.internet import base, reactor

        handle: base._SystemEventID = reactor.addSystemEventTrigger("before", "shutdown", print)
        assert base._SystemEventID(handle) is handle
        reactor.removeSystemEventTrigger(handle)
    """)


@needs_twisted
def test_a_failure_tells_a_peer_of_spread_the_names_of_its_classes_and_nothing_of_ours(full: Python) -> None:
    full.check("""
        from types import SimpleNamespace

        from torsion.takeover import spread
        from twisted.python.failure import Failure
        from twisted.spread import pb

        class Older(Failure):  # as Twisted 24.3 has it
            def getStateToCopy(self):
                return self.__dict__.copy()

        spread.install(SimpleNamespace(CopyableFailure=Older))
        for kind in (Older, pb.CopyableFailure):
            for used in (False, True):
                failure = kind(KeyError("key"))
                if used:
                    failure.check("builtins.KeyError"), failure.frames
                state = failure.getStateToCopy()
                assert state["parents"][:2] == ["builtins.KeyError", "builtins.LookupError"], state
                assert not {"_parents", "_frames"} & set(state), state
    """)
