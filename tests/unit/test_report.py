"""Reports go to one sink, and making one never makes matters worse."""

import io
import logging
import sys

import pytest

from torsion import report
from torsion.failure import Failure


def caught(value: object = None) -> Failure:
    try:
        raise ValueError("v")
    except ValueError:
        return Failure(value)


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[str, str, Failure | None, dict[str, object]]] = []

    def __call__(self, level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        self.events.append((level, text, failure, details))


@pytest.fixture
def recorder():
    sink = Recorder()
    report.set_sink(sink)
    yield sink
    report.set_sink(None)


def test_by_default_reports_are_log_records_named_torsion(caplog):
    f = caught()
    report.failure("Unhandled error", f)
    report.error("Broken: 100 %s")
    report.warning("Odd", name="x")
    failed, broken, odd = caplog.records
    assert {record.name for record in caplog.records} == {"torsion"}
    assert (failed.levelno, failed.getMessage()) == (logging.ERROR, "Unhandled error")
    assert failed.exc_info == (ValueError, f.value, f.tb)
    assert (broken.levelno, broken.getMessage(), broken.exc_info) == (logging.ERROR, "Broken: 100 %s", None)
    assert (odd.levelno, odd.getMessage()) == (logging.WARNING, "Odd")
    assert odd.torsion == {"name": "x"}


def test_what_is_no_trouble_is_made_up_only_if_somebody_reads_it(caplog):
    shown = []

    class Thing:
        def __repr__(self):
            shown.append(self)
            return "<a thing>"

    report.info("Starting {thing!r}", thing=Thing())
    assert caplog.records == shown == []
    caplog.set_level(logging.INFO, "torsion")
    report.info("Starting {thing!r}", thing=Thing())
    (started,) = caplog.records
    assert (started.levelno, started.getMessage()) == (logging.INFO, "Starting <a thing>")
    assert list(started.torsion) == ["thing"]


def test_a_failure_whose_traceback_is_gone_is_logged_with_its_frames_as_text(caplog):
    f = caught()
    f.cleanFailure()
    report.failure("Unhandled error", f)
    assert caplog.records[0].getMessage() == f"Unhandled error\n{f.getTraceback()}"


def test_a_failure_of_what_is_no_exception_is_logged(caplog):
    report.failure("Unhandled error", Failure("not an exception"))
    assert "Failure: builtins.str: not an exception" in caplog.records[0].getMessage()


def test_a_detail_may_have_a_name_that_logging_uses_itself(caplog):
    report.failure("Unhandled error", caught(), message="m", args=(1,), exc_info=3)
    assert caplog.records[0].torsion == {"message": "m", "args": (1,), "exc_info": 3}


def test_a_sink_gets_every_report_instead(recorder, caplog):
    f = caught()
    report.failure("one", f, number=1)
    report.error("two")
    report.warning("three", a="b")
    report.info("four {a}", a="b")
    assert recorder.events == [
        ("error", "one", f, {"number": 1}),
        ("error", "two", None, {}),
        ("warning", "three", None, {"a": "b"}),
        ("info", "four {a}", None, {"a": "b"}),
    ]
    assert caplog.records == []


def test_s044_what_was_running_travels_with_the_report_and_is_asked_for_only_then(recorder):
    report.failure("Unhandled error", caught(), system="Echo,3,127.0.0.1")
    assert recorder.events[0][3] == {"system": "Echo,3,127.0.0.1"}


def test_without_a_sink_logging_is_back(recorder, caplog):
    report.set_sink(None)
    report.error("back")
    assert recorder.events == []
    assert caplog.messages == ["back"]


@pytest.mark.parametrize("raised", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_sink_that_raises_is_reported_on_stderr_with_the_report(raised, capsys):
    def broken(*_: object) -> None:
        raise raised("the sink is broken")

    report.set_sink(broken)
    try:
        report.failure("Unhandled error", caught())
        report.error("and this")
    finally:
        report.set_sink(None)
    text = capsys.readouterr().err
    for part in ("Unhandled error\n", "builtins.ValueError: v\n", "and this\n", "the sink is broken"):
        assert part in text


@pytest.mark.parametrize("stderr", [None, io.StringIO()])
def test_with_neither_a_sink_nor_stderr_nothing_is_raised(monkeypatch, stderr):
    if stderr is not None:
        stderr.close()
    monkeypatch.setattr(sys, "stderr", stderr)
    report.set_sink(lambda *_: 1 / 0)
    try:
        report.failure("Unhandled error", caught())
    finally:
        report.set_sink(None)
