"""Private names of `twisted.internet.abstract` that its testing module imports."""

__all__ = ["_dataMustBeBytes"]


def _dataMustBeBytes(data: object) -> None:
    if not isinstance(data, bytes):
        raise TypeError("Data must be bytes")
