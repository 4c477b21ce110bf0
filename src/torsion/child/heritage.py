"""What a child process is given besides the environment that its caller names: a seam, in which the takeover stands."""

from collections.abc import Callable


def _nothing(environment: dict[bytes, bytes]) -> None:
    pass


#: Called with a child's whole environment, which it may add to.
complete: Callable[[dict[bytes, bytes]], None] = _nothing


def set_completion(add: Callable[[dict[bytes, bytes]], None]) -> None:
    """Have `add(environment)` complete what spawnProcess is given as `env`, from now on."""
    global complete
    complete = add
