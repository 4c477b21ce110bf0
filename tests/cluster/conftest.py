"""What the tests of a cluster share with those of the contract."""

from tests.contract.conftest import reports

__all__ = ["reports"]
