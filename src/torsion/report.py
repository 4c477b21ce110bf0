"""What no caller can receive goes here: errors in callbacks of the loop, failures that nobody handled.

A report is made when something went wrong, so nothing here may make it worse: no function of this module raises, and a
sink that raises is itself reported, on stderr. And a report costs nothing before it happens: there is no context to
keep, only functions to call.

By default reports go to the standard library's logging under the name "torsion". There is one seam: a sink set with
`set_sink` receives them all instead.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import TypeAlias

from .failure import Failure

__all__ = ["Sink", "error", "failure", "info", "set_sink", "warning"]

# (level, text, failure, details): level is "error", "warning" or "info"; details are for machines. The text is plain,
# but of an "info" with details, where it is a format over them.
Sink: TypeAlias = Callable[[str, str, Failure | None, dict[str, object]], None]

_logger = logging.getLogger("torsion")
_levels = {"error": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO}


def failure(text: str, failure: Failure, **details: object) -> None:
    """Report an error with its traceback. Any thread; never raises."""
    _send("error", text, failure, details)


def error(text: str, **details: object) -> None:
    """Report an error without an exception behind it. Any thread; never raises."""
    _send("error", text, None, details)


def warning(text: str, **details: object) -> None:
    """Report what is suspicious but not an error. Any thread; never raises."""
    _send("warning", text, None, details)


def info(text: str, **details: object) -> None:
    """Report what is no trouble, such as that a factory starts: `info("Starting {factory!r}", factory=f)`.

    With details, `text` is a format over them, and made up only if somebody wants to read it. Any thread; never raises.
    """
    _send("info", text, None, details)


def set_sink(sink: Sink | None) -> Sink:
    """Send every report to `sink(level, text, failure, details)` from now on; None goes back to logging.

    Returns the sink before, for who only listens in for a while.

    The sink is called in the thread that reports. What it raises is written to stderr together with the report.
    """
    global _sink
    before, _sink = _sink, sink or _log
    return before


def _log(level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
    # "%s": a text with a percent sign in it is no format. Details whose names logging keeps for itself would raise.
    extra = {"torsion": details} if details else None
    if level == "info":
        if not _logger.isEnabledFor(logging.INFO):
            return
        if details:
            text = text.format(**details)
    if failure is None:
        _logger.log(_levels[level], "%s", text, extra=extra)
    elif failure.pickled or not isinstance(failure.value, BaseException):
        # logging takes neither frames without a traceback nor what is no exception: both go as text.
        _logger.log(_levels[level], "%s\n%s", text, failure.getTraceback(), extra=extra)
    else:
        exc_info = (failure.value.__class__, failure.value, failure.tb)
        _logger.log(_levels[level], "%s", text, exc_info=exc_info, extra=extra)


_sink: Sink = _log


def _send(level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
    try:
        _sink(level, text, failure, details)
    except BaseException:
        _last_resort(text, failure)


def _last_resort(text: str, failure: Failure | None) -> None:
    try:
        trace = "" if failure is None else failure.getTraceback()
        sys.stderr.write(f"{text}\n{trace}The report above could not be delivered:\n{traceback.format_exc()}")
    except BaseException:
        pass  # stderr may be closed, or None: there is nobody left to tell
