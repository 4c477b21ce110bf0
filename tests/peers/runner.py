"""Runs Twisted's own tests with Twisted's own trial, and writes what became of each test.

    python runner.py RESULTS FOLDER MODULE...            on stock Twisted
    python -m torsion run runner.py RESULTS ...          on our engine

RESULTS gets one JSON line an event: {"start": id} when a test begins, {"id": id, "outcome": word, "text": why} when it
has ended. Lines are written at once, so that after a crash the file says which test it happened in. FOLDER becomes
trial's working directory. `--list` instead of RESULTS prints the test modules in the packages that follow.
"""

import importlib.util
import json
import pkgutil
import sys
from typing import Any

# Whatever is reported of one test, the gravest counts: a test may succeed and then fail in its clean-up.
GRAVITY = ("success", "todo", "skip", "unexpected success", "failure", "error")


def test_modules(package: str) -> list[str]:
    """Every test module in this package, or the module itself, which is not imported: that may fail."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        sys.exit(f"there is no {package}")
    if spec.submodule_search_locations is None:
        return [package]
    found = []
    for info in pkgutil.walk_packages(spec.submodule_search_locations, package + ".", onerror=lambda name: None):
        parts = info.name.split(".")
        if "test" in parts and parts[-1].startswith("test_") and not info.ispkg:
            found.append(info.name)
    return sorted(found)


def run(results: str, folder: str, modules: list[str]) -> None:
    from twisted.trial.reporter import TestResult
    from twisted.trial.runner import TestLoader, TestSuite, TrialRunner

    file = open(results, "w", encoding="utf-8")  # noqa: SIM115 - open to the end of the process

    def write(**event: str) -> None:
        file.write(json.dumps(event) + "\n")
        file.flush()

    class Writer(TestResult):  # type: ignore[misc]
        """A result that is written down. trial makes it as a reporter is made."""

        def __init__(self, stream: Any = None, tbformat: str = "", realtime: bool = False, publisher: Any = None):
            super().__init__()
            self._heard: dict[str, tuple[str, str]] = {}
            self._running = ""

        def startTest(self, test: Any) -> None:
            super().startTest(test)
            self._running = test.id()
            write(start=self._running)

        def stopTest(self, test: Any) -> None:
            super().stopTest(test)
            self._running = ""
            self._settle(test.id())

        def _settle(self, name: str) -> None:
            outcome, text = self._heard.pop(name, ("error", "ended, and reported nothing"))
            write(id=name, outcome=outcome, text=text[-4000:])

        def _hear(self, test: Any, outcome: str, text: str = "") -> None:
            name = test.id()
            known = self._heard.get(name, ("success", ""))
            if GRAVITY.index(outcome) >= GRAVITY.index(known[0]):
                self._heard[name] = (outcome, text)

        def addSuccess(self, test: Any) -> None:
            super().addSuccess(test)
            self._hear(test, "success")

        def addSkip(self, test: Any, reason: Any) -> None:
            super().addSkip(test, reason)
            self._hear(test, "skip", str(reason))

        def addExpectedFailure(self, test: Any, error: Any, todo: Any = None) -> None:
            super().addExpectedFailure(test, error, todo)
            self._hear(test, "todo")

        def addUnexpectedSuccess(self, test: Any, todo: Any = None) -> None:
            super().addUnexpectedSuccess(test, todo)
            self._hear(test, "unexpected success")

        def addFailure(self, test: Any, failure: Any) -> None:
            super().addFailure(test, failure)
            self._hear(test, "failure", _text(self._getFailure(failure)))

        def addError(self, test: Any, error: Any) -> None:
            super().addError(test, error)
            self._hear(test, "error", _text(self._getFailure(error)))
            if test.id() != self._running:
                self._settle(test.id())  # a module that cannot be imported is no test: it never starts, or stops

        # What trial's runner asks a reporter for besides.
        def cleanupErrors(self, errors: Any) -> None:
            write(id="clean-up after the last test", outcome="error", text=_text(errors))

        def upDownError(self, method: str, error: Any, warn: bool = True, printStatus: bool = True) -> None:
            write(id=f"{method} of a class", outcome="error", text=_text(error))

    loader = TestLoader()
    suite = TestSuite([loader.loadByName(name) for name in modules])
    runner = TrialRunner(Writer, workingDirectory=folder)
    runner.run(suite)
    write(id="", outcome="end")


def _text(failure: Any) -> str:
    return str(failure.getTraceback(elideFrameworkCode=True))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--list"]:
        for package in sys.argv[2:]:
            print("\n".join(test_modules(package)))
    else:
        run(sys.argv[1], sys.argv[2], sys.argv[3:])
