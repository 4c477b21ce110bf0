"""What a user installs: the sdist holds sources and nothing made from them; from it comes a whole lane, never a half.

Builds and installs for real, into fresh environments: minutes, not seconds, so `make test-install` runs it by itself.
"""

import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

from torsion import lane

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
from torsion import defer, reactor, threads
reactor.callLater(0, lambda: threads.deferToThread(int, "9").addCallback(print).addBoth(lambda _: reactor.stop()))
reactor.run()
"""
TYPED = """
from torsion import defer
number: defer.Deferred[int] = defer.Deferred()
"""
NOT_C = 'cdef extern from *:\n    """\n    #error not C\n    """\n    int x\n'

pytestmark = pytest.mark.timeout(600)


def run(*command: object, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TORSION_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command],
        env={**environment, **variables},
        cwd="/",  # not the project, whose files would be found first
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", folder, PROJECT)
    (found,) = folder.glob("*.tar.gz")
    return found


def installed(sdist: Path, folder: Path, **variables: str) -> tuple[Path, str]:
    """Python of a fresh environment into which the sdist was installed, and what pip said."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    return python, run(python, "-m", "pip", "install", "-v", "--no-cache-dir", sdist, **variables)


@pytest.fixture(scope="module")
def fresh(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has nothing but what the sdist installs where there is a compiler."""
    return installed(sdist, tmp_path_factory.mktemp("fresh") / "env")[0]


def info(python: Path, **variables: str) -> dict[str, str]:
    lines = run(python, "-m", "torsion", "info", **variables).splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def compiled_modules(environment: Path) -> set[str]:
    """Relative to the package, without suffixes."""
    (package,) = environment.glob("lib/python*/site-packages/torsion")
    return {str(path.relative_to(package)).split(".")[0].replace(os.sep, ".") for path in package.rglob("*.so")}


def test_the_sdist_holds_every_source_and_nothing_generated(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    package = Path(lane.ROOT)
    sources = {
        f"src/torsion/{path.relative_to(package)}"
        for kind in ("py", "pyi", "pyx", "pxd")
        for path in package.rglob(f"*.{kind}")
    }
    sources |= {"src/torsion-stubs/py.typed", "src/torsion-stubs/core/deferred.pyi"}
    assert sources - names == set()
    assert {"src/torsion/py.typed", "setup.py", "pyproject.toml", "Makefile", "LICENSE", "README.md"} <= names
    assert {"mkdocs.yml", ".ci/run", "tests/lanes.py", "docs/README.md"} <= names  # `make test` works in it
    assert [name for name in names if name.startswith("src/") and name.endswith((".c", ".so", ".html", ".pyc"))] == []


def test_the_sdist_installs_compiled_fresh_and_whole(fresh: Path) -> None:
    said = info(fresh)
    assert (said["lane"], said["freshness"]) == ("compiled", "fresh")
    hot = {name.removeprefix("torsion.") for name in lane.hot_modules()}
    assert compiled_modules(fresh.parents[1]) == {*hot, "_stamp"}
    assert run(fresh, "-c", PROGRAM) == "9\n"
    assert info(fresh, TORSION_PURE="1")["lane"] == "interpreted"
    assert run(fresh, "-c", PROGRAM, TORSION_PURE="1") == "9\n"
    assert run(fresh.with_name("torsion"), "info")


def test_type_checkers_see_annotations_and_deferreds_of_something(fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(TYPED + "text: defer.Deferred[str] = number.addCallback(str)\n")
    (tmp_path / "wrong.py").write_text(TYPED + "number.callback('three')\n")
    check = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, "--python-executable", fresh]
    assert "Success: no issues found" in run(*check, tmp_path / "right.py")
    wrong = subprocess.run([*check, tmp_path / "wrong.py"], cwd="/", capture_output=True, text=True, check=False)
    assert '"callback" of "Deferred" has incompatible type "str"; expected "int | Failure"' in wrong.stdout


def test_without_a_compiler_it_installs_interpreted_whole_and_says_so(sdist: Path, tmp_path: Path) -> None:
    python, output = installed(sdist, tmp_path / "plain", CC="/bin/false")
    assert "TORSION IS INSTALLED INTERPRETED, NOT COMPILED" in output
    assert compiled_modules(tmp_path / "plain") == set()
    said = info(python)
    assert (said["lane"], said["freshness"]) == ("interpreted", "-")
    assert said["because"].startswith("not compiled: ")
    assert run(python, "-c", PROGRAM) == "9\n"


@pytest.mark.parametrize("broken", [pytest.param("cdef int (\n", id="not Cython"), pytest.param(NOT_C, id="not C")])
def test_a_module_that_does_not_compile_leaves_none_compiled(sdist: Path, tmp_path: Path, broken: str) -> None:
    """Whether Cython refuses it or the C compiler. And it is an error where the compiled lane is required."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    package = source / "src" / "torsion"
    for path in [*package.rglob("*.pxd"), *package.rglob("*.pyx")]:
        if path.stem != "histogram":  # one hot module, which needs no other, is enough to see it go
            path.unlink()
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    allowed = {name: value for name, value in os.environ.items() if name != "TORSION_REQUIRE_COMPILED"}
    required = {**allowed, "TORSION_REQUIRE_COMPILED": "1"}
    subprocess.run(build, cwd=source, env=required, capture_output=True, check=True)
    assert {path.name.split(".")[0] for path in package.rglob("*.so")} == {"histogram", "_stamp"}

    (package / "broken.pyx").write_text(broken)
    assert subprocess.run(build, cwd=source, env=required, capture_output=True, check=False).returncode != 0
    done = subprocess.run(build, cwd=source, env=allowed, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "NOT COMPILED" in done.stderr
    assert [path for path in source.rglob("*.so") if "build" not in path.parts] == []
    said = info(Path(sys.executable), PYTHONPATH=str(source / "src"))
    assert said["lane"] == "interpreted"
    assert said["because"].startswith("not compiled: CompileError: ")
