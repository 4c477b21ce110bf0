"""Private names of `twisted.internet.testing` that its old module, `twisted.test.proto_helpers`, and tests import."""

from torsion.trying.memory import SynchronousResolver, _FakeConnector, _FakePort

__all__ = ["SynchronousResolver", "_FakeConnector", "_FakePort"]
