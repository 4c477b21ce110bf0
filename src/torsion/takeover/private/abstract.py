"""A private name of `twisted.internet.abstract`, and a class that is pickled as one of that module's."""

from torsion.net.filedescriptor import BasePort

__all__ = ["BasePort", "_dataMustBeBytes"]


def _dataMustBeBytes(data: object) -> None:
    if not isinstance(data, bytes):
        raise TypeError("Data must be bytes")
