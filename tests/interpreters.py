"""Interpreters that tests start: one with Twisted beside Torsion, and one with nothing but Torsion."""

import os
import subprocess
import sys
import textwrap
import venv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import torsion

INSTALL = "import torsion.takeover; torsion.takeover.install()\n"
needs_twisted = pytest.mark.skipif(find_spec("twisted") is None, reason="Twisted is not installed here")


class Python:
    """An interpreter that can import Torsion, by PYTHONPATH."""

    def __init__(self, executable: str, torsion_in: str) -> None:
        self.executable = executable
        self.environment = {**os.environ, "PYTHONPATH": torsion_in}

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        settings: dict[str, Any] = {"env": self.environment, "capture_output": True, "text": True, "timeout": 120}
        return subprocess.run([self.executable, *arguments], **{**settings, **options})

    def check(self, program: str, install: bool = True, **options: Any) -> str:
        """Run this program taken over; it must end well and say nothing on stderr. Returns what it printed."""
        done = self.run("-W", "error", "-c", (INSTALL if install else "") + textwrap.dedent(program), **options)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """An interpreter with Torsion and nothing else: a fresh environment, and a folder that holds only our package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (folder / "only").mkdir()
    (folder / "only" / "torsion").symlink_to(Path(torsion.__file__).parent, target_is_directory=True)
    return Python(str(folder / "env" / "bin" / "python"), str(folder / "only"))


@pytest.fixture(scope="session")
def full() -> Python:
    """This interpreter, with Twisted."""
    return Python(sys.executable, str(Path(torsion.__file__).parent.parent))


@pytest.fixture(params=["without Twisted", pytest.param("with Twisted", marks=needs_twisted)])
def python(request: pytest.FixtureRequest, bare: Python, full: Python) -> Python:
    return bare if request.param == "without Twisted" else full
