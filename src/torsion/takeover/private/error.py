"""What `twisted.internet.error` had until Twisted 26.4."""

__all__ = ["PotentialZombieWarning"]


class PotentialZombieWarning(Warning):
    """A child process might not be waited for. Nobody warns of that any more: programs only filter it out."""
