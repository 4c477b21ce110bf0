"""`torsion run name`: a console script, as the shell would start it, in this process and on our engine."""

import subprocess
import venv
from pathlib import Path

import pytest
from tests.interpreters import Python

import torsion

SHOW = "import os, sys; print({where!r}, sys.argv, __name__, __file__, os.path.realpath(sys.path[0]))\n"


class Environment(Python):
    """A fresh one whose interpreter's folder, PATH and installed packages a test fills as it likes."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "env", with_pip=False, symlinks=True)
        self.beside = folder / "env" / "bin"
        self.on_path = folder / "on path"
        self.packages = folder / "packages"
        self.here = folder / "here"
        for each in (self.on_path, self.packages, self.here):
            each.mkdir()
        (folder / "only").mkdir()
        (folder / "only" / "torsion").symlink_to(Path(torsion.__file__).parent, target_is_directory=True)
        super().__init__(str(self.beside / "python"), f"{folder / 'only'}:{self.packages}")
        self.environment["PATH"] = f":{self.on_path}"

    def start(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run("-m", "torsion", "run", *arguments, cwd=self.here)

    def script(self, folder: Path, name: str, where: str, first: str = "#!/usr/bin/env python3") -> str:
        path = folder / name
        path.write_text(f"{first}\n{SHOW.format(where=where)}")
        path.chmod(0o755)
        return str(path)

    def entry_point(self, name: str, source: str) -> None:
        (self.packages / "pack.py").write_text(source)
        about = self.packages / "pack-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pack\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[console_scripts]\n{name} = pack:Tool.main [extra]\n")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def shown(where: str, path: str, *arguments: str) -> str:
    return f"{where} {[path, *arguments]} __main__ {path} {Path(path).resolve().parent}\n"


def test_a_script_beside_the_interpreter_comes_before_one_on_path(environment: Environment) -> None:
    environment.script(environment.on_path, "tool", "on PATH")
    path = environment.script(environment.beside, "tool", "beside")
    done = environment.start("tool", "-m", "--help")
    assert (done.stdout, done.stderr) == (shown("beside", path, "-m", "--help"), "")
    assert done.stdout == environment.run(path, "-m", "--help").stdout, "what Python itself makes of the file"


@pytest.mark.parametrize(
    "first",
    ["#!/usr/bin/python3.11", "#!/usr/bin/env -S pypy3 -u", "#!/bin/sh\n'''exec' \"/a long/python\" \"$0\"\n' '''"],
)
def test_a_python_script_on_path_is_found(environment: Environment, first: str) -> None:
    path = environment.script(environment.on_path, "tool", "on PATH", first)
    assert environment.start("tool").stdout == shown("on PATH", path)


def test_an_entry_point_without_a_script_runs_as_its_script_would(environment: Environment) -> None:
    environment.script(environment.on_path, "tool", "on PATH")
    environment.entry_point(
        "tool",
        "import sys\nclass Tool:\n    def main():\n"
        "        main = sys.modules['__main__']\n"
        "        print(sys.argv, main.__name__, main.__file__)\n        return 'the end'\n",
    )
    done = environment.start("tool", "a")
    path = str(environment.beside / "tool")
    assert (done.returncode, done.stdout, done.stderr) == (1, f"{[path, 'a']} __main__ {path}\n", "the end\n")


def test_a_file_of_the_name_comes_before_all_scripts(environment: Environment) -> None:
    environment.script(environment.beside, "tool", "beside")
    path = environment.script(environment.here, "tool", "file", first="")
    assert environment.start("tool").stdout == f"file ['tool'] __main__ {path} {environment.here.resolve()}\n"


def test_a_folder_comes_before_scripts_if_python_could_run_it(environment: Environment) -> None:
    path = environment.script(environment.beside, "tool", "beside")
    (environment.here / "tool").mkdir()
    assert environment.start("tool").stdout == shown("beside", path)
    (environment.here / "tool" / "__main__.py").write_text("print('folder')\n")
    assert environment.start("tool").stdout == "folder\n"


def test_a_path_is_never_looked_for_among_scripts(environment: Environment) -> None:
    environment.script(environment.beside, "tool", "beside")
    done = environment.start("./tool")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == environment.run("./tool", cwd=environment.here).stderr


def test_what_is_not_found_is_said_with_where_it_was_looked_for(environment: Environment) -> None:
    done = environment.start("tool", "a")
    assert (done.returncode, done.stdout) == (2, "")
    first, *rest = done.stderr.splitlines()
    assert first == environment.run("tool", cwd=environment.here).stderr.rstrip("\n")
    assert "no console script 'tool' either" in rest[0] and str(environment.beside) in rest[0]
    assert "entry points" in rest[1] and "PATH" in rest[1]


@pytest.mark.parametrize("content", [b"#!/bin/sh\nexit 0\n", b"\x7fELF\0\0python", b"", b"#!\n", b"python\n"])
def test_a_program_that_is_no_python_script_is_not_run_but_named(environment: Environment, content: bytes) -> None:
    (environment.beside / "tool").write_bytes(content)
    (environment.on_path / "tool").mkdir()
    done = environment.start("tool")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{environment.beside / 'tool'} is no Python script" in done.stderr
    assert str(environment.on_path / "tool") not in done.stderr


def test_the_error_of_a_script_is_shown_as_python_shows_it(environment: Environment) -> None:
    path = environment.beside / "tool"
    path.write_text("#!/usr/bin/python\n1 / 0\n")
    done = environment.start("tool")
    assert (done.returncode, done.stderr) == (1, environment.run(str(path)).stderr)
