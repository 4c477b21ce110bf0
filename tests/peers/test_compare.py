"""The comparer counts what it should: what passed before and does not pass now is lost, whatever became of it."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    spec = spec_from_file_location(f"torsion_peers_{name}", HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


comparer: Any = load("compare")


class Peers:
    """Outcomes that are made up."""

    def __init__(self, stock: dict[str, str], ours: dict[str, str], broken: str = "") -> None:
        self._stock, self._ours, self._broken = stock, ours, broken

    def on_stock(self, module: str) -> Any:
        return comparer.Run(outcomes=self._stock)

    def on_ours(self, module: str) -> Any:
        return comparer.Run(outcomes=self._ours, broken=self._broken)


def tally(stock: dict[str, str], ours: dict[str, str], exclusions: dict[str, str] | None = None) -> Any:
    return comparer.compare(Peers(stock, ours), ["module"], exclusions or {}, show=3)


@pytest.mark.parametrize("now", ["failure", "error", "skip", "unexpected success", None])
def test_a_test_that_passed_on_stock_and_does_not_on_ours_is_lost(now: str | None) -> None:
    found = tally({"a": "success", "b": "success"}, {"a": "success"} | ({"b": now} if now else {}))
    assert found.lost == ["b"]
    assert (found.passed_on_stock, found.passed_on_ours) == (2, 1)


@pytest.mark.parametrize("before", ["failure", "error", "skip"])
def test_a_test_that_did_not_pass_on_stock_cannot_be_lost(before: str) -> None:
    assert tally({"a": before}, {}).lost == []
    assert tally({"a": before}, {"a": "success"}).gained == ["a"]


def test_an_expected_failure_passes_as_long_as_it_is_expected() -> None:
    assert tally({"a": "todo"}, {"a": "todo"}).lost == []
    assert tally({"a": "todo"}, {"a": "unexpected success"}).lost == ["a"]


def test_an_excluded_test_is_not_lost_but_is_shown_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    found = tally({"m.T.one": "success", "m.T.two": "success"}, {}, {"m.T.o*": "tests Twisted's own class"})
    assert (found.lost, found.excluded) == (["m.T.two"], ["m.T.one"])
    assert "tests Twisted's own class" in capsys.readouterr().out


def test_an_exclusion_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "exclusions.txt"
    file.write_text("# comment\n\nm.T.one because it is so\n")
    assert comparer.read_exclusions(file) == {"m.T.one": "because it is so"}
    file.write_text("m.T.one\n")
    with pytest.raises(ValueError, match=r"m\.T\.one is excluded without a reason"):
        comparer.read_exclusions(file)


def test_the_files_of_the_project_are_well_formed() -> None:
    assert "twisted.test.test_defer" in comparer.read_modules(HERE / "modules.txt")
    comparer.read_exclusions(HERE / "exclusions.txt")


def results(tmp_path: Path, *events: dict[str, str]) -> str:
    file = tmp_path / "results"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(file)


END = {"id": "", "outcome": "end"}


def test_what_the_runner_wrote_is_read_and_of_one_name_the_worst_counts(tmp_path: Path) -> None:
    run = comparer._read(
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
    assert comparer._read(file, "", "last words").broken == "ended early, in or after b\nlast words"
    assert comparer._read(file, "not done after 1 s", "").broken.startswith("not done after 1 s, in or after b")
    assert comparer._read(str(tmp_path / "nothing"), "exit status 1", "").broken.startswith("exit status 1")
