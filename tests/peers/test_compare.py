"""The comparer counts what it should: what passed before and does not pass now is lost, whatever became of it."""

import importlib
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def load(name: str) -> Any:
    """A module of this folder, as the comparer finds it that is run as a script."""
    sys.path.insert(0, str(HERE))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(HERE))


sides = load("sides")
comparer = load("compare")


class Sides:
    """Outcomes that are made up: of the first run and of the second."""

    def __init__(self, stock: list[dict[str, str]], ours: list[dict[str, str]]) -> None:
        self._stock, self._ours = stock, ours

    def on_stock(self, module: str, again: bool = False) -> Any:
        return sides.Run(outcomes=self._stock[again])

    def on_ours(self, module: str, lane: str) -> Any:
        return sides.Run(outcomes=self._ours.pop(0))


def compared(stock: dict[str, str], ours: dict[str, str], exclusions: dict[str, str] | None = None) -> Any:
    made = Sides([stock, stock], [ours, ours])
    (found,) = comparer.compare(made, ["module"], [""], exclusions or {}, jobs=1, show=3)
    return found


@pytest.mark.parametrize("now", ["failure", "error", "skip", "unexpected success", None])
def test_a_test_that_passed_on_stock_and_does_not_on_ours_is_lost(now: str | None) -> None:
    found = compared({"a": "success", "b": "success"}, {"a": "success"} | ({"b": now} if now else {}))
    assert found.lost == ["b"]
    assert (found.expected, found.kept) == ({"a", "b"}, 1)


@pytest.mark.parametrize("before", ["failure", "error", "skip"])
def test_a_test_that_did_not_pass_on_stock_cannot_be_lost(before: str) -> None:
    assert compared({"a": before}, {}).lost == []
    assert compared({"a": before}, {"a": "success"}).gained == ["a"]


def test_an_expected_failure_passes_as_long_as_it_is_expected() -> None:
    assert compared({"a": "todo"}, {"a": "todo"}).lost == []
    assert compared({"a": "todo"}, {"a": "unexpected success"}).lost == ["a"]


def test_an_excluded_test_is_not_lost_but_is_shown_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    found = compared({"m.T.one": "success", "m.T.two": "success"}, {}, {"m.T.o*": "tests Twisted's own class"})
    assert (found.lost, found.excluded, found.kept) == (["m.T.two"], ["m.T.one"], 0)
    assert "tests Twisted's own class" in capsys.readouterr().out


def test_an_exclusion_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "exclusions.txt"
    file.write_text("# comment\n\nm.T.one because it is so\n")
    assert comparer.read_exclusions(file) == {"m.T.one": "because it is so"}
    file.write_text("m.T.one\n")
    with pytest.raises(ValueError, match=r"m\.T\.one is excluded without a reason"):
        comparer.read_exclusions(file)


def test_an_exclusion_of_older_versions_holds_up_to_its_last_one(tmp_path: Path) -> None:
    file = tmp_path / "older.txt"
    file.write_text("m.T.one @24.7 it was so\nm.T.two @25.5 it was so longer\n")
    held = {
        version: list(comparer.read_older(file, version)) for version in ("24.3.0", "24.7.0rc1", "24.11.0", "26.10.0")
    }
    assert held == {
        "24.3.0": ["m.T.one", "m.T.two"],
        "24.7.0rc1": ["m.T.one", "m.T.two"],
        "24.11.0": ["m.T.two"],
        "26.10.0": [],
    }
    assert comparer.read_older(file, "25.5.0") == {"m.T.two": "it was so longer"}
    for line in ("m.T.one because it is so", "m.T.one @24.7"):
        file.write_text(line)
        with pytest.raises(ValueError, match=r"m\.T\.one is excluded without a last version"):
            comparer.read_older(file, "24.3.0")


def test_the_lists_of_the_project_are_well_formed() -> None:
    assert comparer.read_exclusions(HERE / "exclusions.txt")
    assert comparer.read_older(HERE / "exclusions-older.txt", "24.3.0")
    assert comparer.read_older(HERE / "exclusions-older.txt", "26.10.0") == {}


def test_an_exclusion_that_excludes_nothing_is_found() -> None:
    found = compared({"m.T.one": "success"}, {}, {"m.T.o*": "why", "m.T.two": "why"})
    assert comparer.unused(found.exclusions, [found]) == ["m.T.two"]


@pytest.mark.parametrize(
    ("stock", "ours", "lost", "reason"),
    [
        ("success", "error", True, None),
        ("success", "skip", True, None),
        ("success", "success", False, "passes when repeated"),
        ("error", "error", False, "repeated: error on stock as well"),
        (None, "error", False, "repeated: not there on stock as well"),
    ],
)
def test_a_lost_test_is_judged_again_by_a_second_run(
    stock: str | None, ours: str, lost: bool, reason: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Sides(
        [{"a": "success", "b": "success"}, {"a": stock} if stock else {}],
        [{"a": "failure", "b": "success"}, {"a": ours, "b": "error"}],
    )
    (found,) = comparer.compare(made, ["module"], [""], {}, jobs=1, show=3)
    assert (found.lost, found.forgiven) == (["a"] if lost else [], {"a": reason} if reason else {})
    assert found.kept == (1 if lost else 2)
    said = capsys.readouterr().out
    assert ("lost      a: again" in said, f"forgiven  a: {reason}" in said) == (lost, not lost)


def test_nothing_is_repeated_if_nothing_is_lost() -> None:
    made = Sides([{"a": "success"}], [{"a": "success"}])
    (found,) = comparer.compare(made, ["module"], [""], {}, jobs=1, show=3)
    assert (found.lost, made._ours) == ([], [])


def test_modules_at_the_same_time_are_told_of_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    class Waiting(Sides):
        """The first module waits until the second is done."""

        done = threading.Event()

        def on_ours(self, module: str, lane: str) -> Any:
            if module == "second":
                self.done.set()
            assert self.done.wait(60)
            return super().on_ours(module, lane)

    passing = {"a": "success"}
    found = comparer.compare(Waiting([passing], [passing, passing]), ["first", "second"], [""], {}, jobs=2, show=3)
    assert [each.module for each in found] == ["first", "second"]
    assert capsys.readouterr().out == "ok    first: 1 of 1 pass\nok    second: 1 of 1 pass\n"


def test_the_table_has_a_line_for_each_package_and_a_column_for_each_lane() -> None:
    def one(module: str, lane: str, *passing: str) -> Any:
        run, ours = sides.Run({"a": "success", "b": "success"}), sides.Run(dict.fromkeys(passing, "success"))
        return comparer.Comparison(module, lane, run, ours, {"b": "why"})

    found = [
        one("twisted.test.test_x", "compiled", "a", "b"),
        one("twisted.test.test_x", "interpreted", "a"),
        one("other.test.test_y", "compiled"),
        one("other.test.test_y", "interpreted", "a", "b"),
    ]
    assert comparer.table(found, ["compiled", "interpreted"]).splitlines() == [
        "| tests of | pass on Twisted | on Torsion (compiled) | on Torsion (interpreted) | excluded |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| `other` | 2 | 0 | 2 | 1 |",
        "| `twisted.test` | 2 | 2 | 1 | 1 |",
        "| all | 4 | 2 | 3 | 1 |",
    ]


def results(tmp_path: Path, *events: dict[str, str]) -> str:
    file = tmp_path / "results"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(file)


END = {"id": "", "outcome": "end"}


def test_what_the_runner_wrote_is_read_and_of_one_name_the_worst_counts(tmp_path: Path) -> None:
    run = sides.read(
        results(
            tmp_path,
            {"start": "a"},
            {"id": "a", "outcome": "success"},
            {"id": "b", "outcome": "success"},
            {"id": "b", "outcome": "error", "text": "why"},
            {"id": "b", "outcome": "success"},
            END,
        ),
        "",
        "",
    )
    assert run.outcomes == {"a": "success", "b": "error"}
    assert (run.texts["b"], run.broken) == ("why", "")


def test_a_run_that_ended_early_says_in_which_test(tmp_path: Path) -> None:
    file = results(tmp_path, {"start": "a"}, {"id": "a", "outcome": "success"}, {"start": "b"})
    assert sides.read(file, "", "last words").broken == "ended early, in or after b\nlast words"
    assert sides.read(file, "not done after 1 s", "").broken.startswith("not done after 1 s, in or after b")
    assert sides.read(str(tmp_path / "nothing"), "exit status 1", "").broken.startswith("exit status 1")


@pytest.mark.parametrize(
    ("outcome", "broken", "kept"),
    [("success", "", True), ("skip", "", True), ("error", "", False), ("success", "exit status 1", False)],
)
def test_of_stock_only_a_whole_run_without_failures_is_kept(
    outcome: str, broken: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def run(self: Any, module: str, before: Any, environment: Any) -> Any:
        ran.append(module)
        return sides.Run({"a": outcome}, broken=broken)

    monkeypatch.setattr(sides.Sides, "_run", run)
    made = sides.Sides(sys.executable, timeout=60, results=tmp_path, fresh=False)
    assert [made.on_stock("module").outcomes for _ in range(2)] == [{"a": outcome}] * 2
    assert len(ran) == (1 if kept else 2)
    made.on_stock("module", again=True)
    assert len(ran) == (2 if kept else 3)
