"""Our reports, turned towards Twisted's logger where Twisted is installed.

What no caller can receive is, in a Twisted program, an event of Twisted's log: observers get it, and trial's
flushLoggedErrors takes it away. The logger is imported when there is something to say, and not before.
"""

from collections.abc import Callable
from typing import Any

from torsion import report
from torsion.failure import Failure


class Sink:
    """What `report.set_sink` gets. It may be called in any thread, also while the interpreter ends."""

    def __init__(self, has_twisted: Callable[[], bool]) -> None:
        self._has_twisted = has_twisted
        self._logger: Any = None
        self._log: Any = None

    def __call__(self, level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        if self._logger is None and not self._open():
            report.set_sink(None)
            _again(level, text, failure, details)
        elif failure is not None:
            self._logger.failure("{torsion_text}", failure, torsion_text=text, **details)
        elif level == "error":
            # isError is how observers of the older log see that it is one.
            self._logger.critical("{torsion_text}", torsion_text=text, isError=True, **details)
        elif level == "warning":
            self._logger.warn("{torsion_text}", torsion_text=text, **details)
        elif details:
            self._logger_of(details).info(text, **details)
        else:
            self._log.msg(text)  # as a text, for observers of the older log too

    def _logger_of(self, details: dict[str, object]) -> Any:
        """The one that bears the name of the class of whom it tells: programs set levels by it."""
        source = details.get("factory")
        if source is None:
            return self._logger
        kind = source.__class__
        return self._logger.__class__(f"{kind.__module__}.{kind.__name__}", source)

    def _open(self) -> bool:
        """Import Twisted's logger; False where that cannot be (no Twisted; no imports any more)."""
        try:
            if not self._has_twisted():
                return False
            from twisted.logger import Logger
            from twisted.python import log
        except ImportError:
            return False
        self._logger = Logger("torsion")
        self._log = log
        return True


def _again(level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
    """The same report to the standard library's logging."""
    if failure is not None:
        report.failure(text, failure, **details)
    elif level == "error":
        report.error(text, **details)
    elif level == "warning":
        report.warning(text, **details)
    else:
        report.info(text, **details)
