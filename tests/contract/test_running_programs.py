"""torsion.utils: what a program says, as a Deferred (semantics 97); calls with warnings filtered."""

import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.children import SH, Home, home
from tests.contract.parts import Reports
from tests.contract.streams import ByContract

from torsion import utils
from torsion.contract import Reactor
from torsion.defer import Deferred
from torsion.error import ProcessDone
from torsion.failure import Failure

ENV = {"PATH": os.defpath}


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def family(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Home]:
    with home(request.param) as made:
        yield made


def result_of(family: Home, deferred: Deferred) -> Any:
    """What it fired with; a Failure as such."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    family.until(lambda: found)
    return found[0]


def test_s097_the_output_of_a_program(family: Home) -> None:
    script = ["-c", "echo a line; echo another; exit 3"]
    assert result_of(family, utils.getProcessOutput(SH, script, reactor=family.reactor)) == b"a line\nanother\n"


def test_s097_anything_on_standard_error_is_an_error_unless_it_is_wanted(family: Home) -> None:
    script = ["-c", "echo wrong >&2; exit 0"]
    failure = result_of(family, utils.getProcessOutput(SH, script, ENV, reactor=family.reactor))
    assert isinstance(failure.value, OSError)
    assert str(failure.value) == "got stderr: b'wrong\\n'"
    end = result_of(family, failure.value.processEnded)
    assert isinstance(end.value, ProcessDone)
    both = utils.getProcessOutput(SH, script, ENV, reactor=family.reactor, errortoo=True)
    assert result_of(family, both) == b"wrong\n"


def test_s097_the_end_of_a_program_that_nobody_waits_for_is_no_unhandled_error(family: Home) -> None:
    script = ["-c", "echo oh >&2; exit 2"]
    error = result_of(family, utils.getProcessOutput(SH, script, ENV, reactor=family.reactor)).value
    family.until(lambda: error._reason is not None)
    assert result_of(family, error.processEnded).value.exitCode == 2  # it can still be asked for


def test_s097_the_status_of_a_program(family: Home) -> None:
    for script, expected in (("exit 7", 7), ("exit 0", 0), ("kill -KILL $$", None)):
        assert result_of(family, utils.getProcessValue(SH, ["-c", script], ENV, reactor=family.reactor)) == expected


def test_s097_all_of_it_and_what_it_is_to_read(family: Home) -> None:
    deferred = utils.getProcessOutputAndValue(
        SH, ["-c", "cat; echo err >&2; exit 4"], ENV, reactor=family.reactor, stdinBytes=b"in\n" * 50_000
    )
    assert result_of(family, deferred) == (b"in\n" * 50_000, b"err\n", 4)


def test_s097_a_signal_fails_with_all_that_is_known(family: Home) -> None:
    script = ["-c", "echo out; echo err >&2; kill -KILL $$"]
    failure = result_of(family, utils.getProcessOutputAndValue(SH, script, ENV, reactor=family.reactor))
    assert isinstance(failure, Failure)
    value: Any = failure.value
    assert value == (b"out\n", b"err\n", signal.SIGKILL)


def test_s097_they_run_in_a_directory(family: Home, tmp_path: Path) -> None:
    out = utils.getProcessOutput(SH, ["-c", "pwd"], ENV, tmp_path, family.reactor)
    assert result_of(family, out) == os.fsencode(tmp_path) + b"\n"


def test_s097_a_missing_program_raises(family: Home) -> None:
    for run in (utils.getProcessOutput, utils.getProcessValue, utils.getProcessOutputAndValue):
        with pytest.raises(FileNotFoundError):
            run("/no/such/program", reactor=family.reactor)


def test_s097_the_reactor_is_this_threads_by_default(family: Home) -> None:
    found: list[Any] = []

    def run() -> None:
        utils.getProcessOutput(SH, ["-c", "echo here"]).addBoth(found.append)

    family.reactor.callWhenRunning(run)
    family.until(lambda: found)
    assert found == [b"here\n"]


def test_warnings_are_filtered_while_a_function_runs() -> None:
    def noisy(text: str) -> str:
        warnings.warn(text, UserWarning, stacklevel=1)
        return text

    quiet = utils.suppressWarnings(noisy, (("ignore", "expected.*"), {}), (("ignore",), {"message": "known.*"}))
    before = list(warnings.filters)
    assert quiet("expected this") == "expected this"
    assert quiet("known that") == "known that"
    assert quiet.__name__ == "noisy"
    with pytest.raises(UserWarning, match="something else"):
        quiet("something else")  # warnings are errors here
    assert list(warnings.filters) == before
    with pytest.raises(UserWarning, match="expected"):
        noisy("expected this")


def test_warnings_are_filtered_until_a_deferred_fires() -> None:
    filters: Any = [(("ignore", "expected.*"), {})]
    for end, expected in (
        (lambda result: result.callback(5), 5),
        (lambda result: result.errback(KeyError()), KeyError),
    ):
        result = Deferred()
        found: list[Any] = []
        utils.runWithWarningsSuppressed(filters, lambda result=result: result).addCallbacks(
            found.append, lambda failure, found=found: found.append(failure.type)
        )
        warnings.warn("expected this", UserWarning, stacklevel=1)
        end(result)
        assert found == [expected]
        with pytest.raises(UserWarning, match="expected"):
            warnings.warn("expected this", UserWarning, stacklevel=1)


def test_warnings_are_suppressed_for_a_call_that_replaces_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        result = utils.runWithWarningsSuppressed([(("ignore",), {})], patch.setattr, sys, "modules", {})
    assert result is None
