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
        for kind in ("py", "pyx", "pxd")
        for path in package.rglob(f"*.{kind}")
    }
    assert sources - names == set()
    assert {"src/torsion/py.typed", "setup.py", "pyproject.toml", "Makefile", "LICENSE", "README.md"} <= names
    assert [name for name in names if name.startswith("src/") and name.endswith((".c", ".so", ".html", ".pyc"))] == []


def test_the_sdist_installs_compiled_fresh_and_whole(sdist: Path, tmp_path: Path) -> None:
    python, _ = installed(sdist, tmp_path / "fresh")
    said = info(python)
    assert (said["lane"], said["freshness"]) == ("compiled", "fresh")
    hot = {name.removeprefix("torsion.") for name in lane.hot_modules()}
    assert compiled_modules(tmp_path / "fresh") == {*hot, "_stamp"}
    assert run(python, "-c", PROGRAM) == "9\n"
    assert info(python, TORSION_PURE="1")["lane"] == "interpreted"
    assert run(python, "-c", PROGRAM, TORSION_PURE="1") == "9\n"
    assert run(tmp_path / "fresh" / "bin" / "torsion", "info")


def test_without_a_compiler_it_installs_interpreted_whole_and_says_so(sdist: Path, tmp_path: Path) -> None:
    python, output = installed(sdist, tmp_path / "plain", CC="/bin/false")
    assert "TORSION IS INSTALLED INTERPRETED, NOT COMPILED" in output
    assert compiled_modules(tmp_path / "plain") == set()
    said = info(python)
    assert (said["lane"], said["freshness"]) == ("interpreted", "-")
    assert said["because"].startswith("not compiled: ")
    assert run(python, "-c", PROGRAM) == "9\n"


def test_a_module_that_does_not_compile_leaves_none_compiled(sdist: Path, tmp_path: Path) -> None:
    """And is an error where the compiled lane is required."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    (source / "src" / "torsion" / "broken.pyx").write_text("cdef int (\n")
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    required = {**os.environ, "TORSION_REQUIRE_COMPILED": "1"}
    assert subprocess.run(build, cwd=source, env=required, capture_output=True, check=False).returncode != 0
    allowed = {name: value for name, value in required.items() if name != "TORSION_REQUIRE_COMPILED"}
    done = subprocess.run(build, cwd=source, env=allowed, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "NOT COMPILED" in done.stderr
    assert [path for path in source.rglob("*.so") if "build" not in path.parts] == []
    said = info(Path(sys.executable), PYTHONPATH=str(source / "src"))
    assert said["lane"] == "interpreted"
    assert said["because"].startswith("not compiled: CompileError")
