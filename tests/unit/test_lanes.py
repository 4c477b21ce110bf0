"""Two lanes, one installation: the lane asked for is the one that runs, whole, and made from these sources.

Run without TORSION_PURE these tests fail unless everything hot is compiled and fresh: build first (`make build`).
"""

import importlib
import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import torsion
from torsion import lane

ASKED = lane.INTERPRETED if os.environ.get("TORSION_PURE") else lane.COMPILED
HOT = lane.hot_modules()


def python(*arguments: str, path: Path | None = None, pure: bool = False) -> str:
    """The output of a fresh interpreter, which takes torsion from `path`, if given."""
    environment = {name: value for name, value in os.environ.items() if name not in ("TORSION_PURE", "PYTHONPATH")}
    environment["PYTHONPATH"] = str(path or Path(lane.ROOT).parent)
    if pure:
        environment["TORSION_PURE"] = "1"
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the installation, to be damaged."""
    shutil.copytree(lane.ROOT, tmp_path / "torsion", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_lane_that_was_asked_for_runs() -> None:
    assert ASKED == torsion.LANE, lane.reason(torsion.LANE)


def test_the_compiled_lane_was_made_from_the_sources_that_are_here() -> None:
    assert lane.freshness(torsion.LANE) == ("fresh" if ASKED == lane.COMPILED else "-")


def test_there_are_hot_modules() -> None:
    assert {"torsion.core.deferred", "torsion.core.timers", "torsion.engine.turn", "torsion.twin.kernel"} <= set(HOT)


@pytest.mark.parametrize("name", sorted(HOT))
def test_every_hot_module_is_of_that_lane(name: str) -> None:
    suffix = EXTENSION_SUFFIXES[0] if ASKED == lane.COMPILED else ".py"
    assert str(importlib.import_module(name).__file__).endswith(suffix)


def test_every_hot_module_can_run_interpreted() -> None:
    twins = [os.path.join(lane.ROOT, path.removesuffix("x")) for path in HOT.values()]
    assert [path for path in twins if not os.path.exists(path)] == []


def test_torsion_pure_runs_the_same_installation_interpreted() -> None:
    program = (
        f"import importlib, torsion; print(torsion.LANE, *(importlib.import_module(n).__file__ for n in {list(HOT)}))"
    )
    chosen, *files = python("-c", program, pure=True).split()
    assert chosen == lane.INTERPRETED
    assert all(file.endswith(".py") for file in files)


def test_one_missing_compiled_module_makes_the_whole_interpreted(copy: Path) -> None:
    (copy / "torsion" / "core" / ("timers" + EXTENSION_SUFFIXES[0])).unlink(missing_ok=True)
    program = "import torsion, torsion.core.timers as a, torsion.twin.kernel as b; print(torsion.LANE, a, b, sep='\\n')"
    chosen, *files = python("-c", program, path=copy).splitlines()
    assert chosen == lane.INTERPRETED
    assert all(file.endswith(".py'>") and str(copy) in file for file in files)


def test_a_stamp_that_cannot_be_loaded_makes_the_whole_interpreted(copy: Path) -> None:
    (copy / "torsion" / ("_stamp" + EXTENSION_SUFFIXES[0])).write_bytes(b"not a library")
    assert python("-c", "import torsion; print(torsion.LANE)", path=copy).split() == [lane.INTERPRETED]


@pytest.mark.parametrize("changed", ["core/timers.py", "core/timers.pxd", "twin/kernel.pyx"])
def test_a_changed_source_makes_the_compiled_lane_stale(copy: Path, changed: str) -> None:
    """Also where its date is older than the compiled module's."""
    source = copy / "torsion" / changed
    source.write_text(source.read_text() + "\n# changed\n")
    os.utime(source, (0, 0))
    expected = "stale" if lane.compiled_from() else "-"
    assert python("-c", "import torsion; print(torsion.lane.freshness(torsion.LANE))", path=copy).split() == [expected]


def test_the_fingerprint_knows_names_and_contents(tmp_path: Path) -> None:
    seen = set()
    for name, text in [("a.py", "x"), ("b.py", "x"), ("b.py", "y"), ("b.py", "yz")]:
        folder = tmp_path / str(len(seen))
        folder.mkdir()
        (folder / name).write_text(text)
        (folder / name).with_suffix(".pxd").write_text("")
        seen.add(lane.fingerprint(str(folder)))
    assert len(seen) == 4


def test_what_is_hot_is_found_not_listed(tmp_path: Path) -> None:
    for name in ["a.py", "a.pxd", "b.py", "core/c.pyx", "core/c.pxd", "core/c.py", "core/only.pxd"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert lane.hot_modules(str(tmp_path)) == {"torsion.a": "a.py", "torsion.core.c": "core/c.pyx"}
    assert lane.sources(str(tmp_path)) == ["a.pxd", "a.py", "core/c.pxd", "core/c.py", "core/c.pyx", "core/only.pxd"]


def test_the_finder_sees_sources_only_and_only_ours(tmp_path: Path) -> None:
    (tmp_path / "x.py").touch()
    (tmp_path / ("x" + EXTENSION_SUFFIXES[0])).touch()
    (tmp_path / ("y" + EXTENSION_SUFFIXES[0])).touch()
    finder = lane.SourceFinder()
    spec = finder.find_spec("torsion.x", [str(tmp_path)])
    assert spec is not None and spec.origin == str(tmp_path / "x.py")
    assert finder.find_spec("torsion.y", [str(tmp_path)]) is None
    assert finder.find_spec("other.x", [str(tmp_path)]) is None
    assert finder.find_spec("torsion", None) is None


def test_importing_torsion_imports_no_more_than_the_lane() -> None:
    program = "import sys, torsion; print(*sorted(n for n in sys.modules if n.startswith('torsion')))"
    assert set(python("-c", program).split()) <= {"torsion", "torsion.lane", "torsion._stamp"}


def test_public_modules_are_attributes_on_first_use() -> None:
    program = "import torsion; print(*(getattr(torsion, n).__name__ for n in torsion.__all__ if n != 'reactor'))"
    public = [f"torsion.{name}" for name in torsion.__all__ if name != "reactor"]
    assert python("-c", program).split() == public


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = torsion.nothing


def test_info_says_version_lane_freshness_poller_and_python() -> None:
    lines = python("-m", "torsion", "info", pure=ASKED == lane.INTERPRETED).splitlines()
    said = dict(line.split(":", 1) for line in lines)
    assert [name for name in said if name != "because"] == ["version", "lane", "freshness", "poller", "python"]
    assert said["version"].strip() == torsion.__version__
    assert said["lane"].strip() == ASKED
    assert said.get("because", "").strip() == lane.reason(ASKED)
    assert said["freshness"].strip() == lane.freshness(ASKED)
    assert said["poller"].strip() in ("epoll", "poll", "select")
    assert said["python"].strip() == "CPython " + sys.version.split()[0]


def test_no_command_prints_the_usage_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    from torsion.__main__ import main

    assert main([]) == 2
    assert "usage:" in capsys.readouterr().err
    assert main(["--help"]) == 0
    assert "usage:" in capsys.readouterr().out
    assert main(["fly"]) == 2
    assert "no such command: 'fly'" in capsys.readouterr().err
