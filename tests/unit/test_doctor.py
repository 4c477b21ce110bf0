"""`python -m torsion doctor`: what it says of programs, none of which it runs."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.interpreters import Python, needs_twisted

import torsion
from torsion.takeover import differences, missing, reading
from torsion.takeover.differences import COMPILED

HERE = str(Path(torsion.__file__).parent.parent)
TWISTED_MD = Path(__file__).parents[2] / "docs" / "twisted.md"


def doctor(folder: Path, *arguments: str, executable: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": HERE}
    command = [executable, "-m", "torsion", "doctor", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def warnings_of(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    (tmp_path / "program.py").write_text(text)
    found = differences.differences(reading.read(str(tmp_path / "program.py"), "__main__"))
    return [(each.line, each.text) for each in found]


# The command


@needs_twisted
def test_the_example_of_the_documents_is_what_it_prints(tmp_path: Path) -> None:
    section = TWISTED_MD.read_text(encoding="utf-8").split("## Before you switch: doctor")[1]
    program, printed = re.findall(r"```(?:py|text)\n(.*?)```", section, re.DOTALL)[:2]
    (tmp_path / "server.py").write_text(program)
    done = doctor(tmp_path, "server.py")
    versions = re.compile(r"Twisted [\d.]+ installed|to [\d.]+ has")
    assert (done.returncode, done.stderr) == (1, "")
    assert versions.sub("", done.stdout) == versions.sub("", printed)


def test_the_program_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("open('trace', 'w')\n")
    (tmp_path / "inner" / "more.py").write_text("open('trace', 'w')\n")
    (tmp_path / "program.py").write_text("open('trace', 'w')\nimport inner.more\nfrom twisted.internet import defer\n")
    done = doctor(tmp_path, "program.py")
    assert done.stdout.startswith("3 files read, none run.")
    assert "no warnings." in done.stdout
    assert done.returncode == 0
    assert not (tmp_path / "trace").exists()


@needs_twisted
def test_modules_are_told_from_names_and_ours_from_twisteds(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import twisted.internet.reactor\nfrom twisted.internet import task, interfaces\n"
        "from twisted.internet.defer import Deferred\nfrom twisted.web.server import Site\n"
        "from twisted.web import nothing\nimport nobody\nfrom twisted import version\n"
        "try:\n    from twisted.internet import perhaps\nexcept ImportError:\n    import neither\n"
    )
    said = doctor(tmp_path, "program.py").stdout
    assert (
        "Torsion's, instead of Twisted's:\n  twisted.internet.defer, twisted.internet.reactor, twisted.internet.task\n"
        in said
    )
    assert "Twisted's own, on Torsion's core:\n  twisted.internet.interfaces, twisted.web.server\n" in said
    assert "twisted.version" not in said  # a name in the package
    lacking = said.split("Not found:\n")[1].split("\n\n")[0]
    found = re.findall(r"(\S+) \(program.py:(\d+)\)", lacking)
    assert found == [("nobody", "6"), ("neither", "11"), ("twisted.web.nothing", "5")]


def test_without_twisted_what_needs_it_is_not_found(bare: Python, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from twisted.internet import defer, ssl\nfrom twisted.web import server\nfrom twisted import version\n"
        "from twisted.internet.task import Clock\n"
    )
    done = bare.run("-m", "torsion", "doctor", "program.py", cwd=tmp_path)
    assert "Twisted is not installed." in done.stdout
    assert "  twisted.internet.defer, twisted.internet.ssl, twisted.internet.task\n" in done.stdout
    assert "Not found:\n  twisted.version (program.py:3), twisted.web (program.py:2)\n" in done.stdout


def test_a_module_a_package_and_a_folder_are_read_as_run_would_run_them(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text("from . import part\nfrom .part import thing\n")
    (tmp_path / "package" / "part.py").write_text("from twisted.internet import task\n")
    for arguments in (["-m", "package"], ["-m", "package.__main__"]):
        done = doctor(tmp_path, *arguments)
        assert done.stdout.startswith("3 files read"), done.stdout + done.stderr
        assert "twisted.internet.task" in done.stdout
    (tmp_path / "package" / "__main__.py").write_text("import part\n")
    assert "twisted.internet.task" in doctor(tmp_path, "package").stdout


@needs_twisted
def test_a_console_script_is_found_by_its_name(tmp_path: Path) -> None:
    assert "twisted.scripts.trial" in doctor(tmp_path, "trial").stdout
    (tmp_path / "trial").mkdir()  # a folder that cannot be run, which `run` passes over, too
    assert "twisted.scripts.trial" in doctor(tmp_path, "trial").stdout


@pytest.mark.parametrize("arguments", [(), ("-m",), ("--unknown",), ("nothing.py",), ("-m", "nothing"), ("-m", "sys")])
def test_what_cannot_be_read_gives_status_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = doctor(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: python -m torsion doctor" in done.stderr or "cannot be read" in done.stderr


@pytest.mark.parametrize("text", ["x = " + "+".join(["1"] * 100_000), "x = 1\0", "# coding: nothing", "x = ("])
def test_what_python_could_not_read_is_a_warning(tmp_path: Path, text: str) -> None:
    (tmp_path / "program.py").write_text(text)
    done = doctor(tmp_path, "program.py")
    assert (done.returncode, done.stderr) == (1, "")
    assert "program.py:1: cannot be read: " in done.stdout


def test_what_python_warns_of_in_a_file_is_not_said(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("x = '\\d'\n")
    found = subprocess.run(
        [sys.executable, "-W", "error", "-m", "torsion", "doctor", "program.py"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": HERE}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")


def test_a_file_that_is_no_python_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import other\n")
    (tmp_path / "other.py").write_text("x = 1\nthis is no python\n")
    done = doctor(tmp_path, "program.py")
    assert "1 warning:\n  other.py:2: cannot be read: SyntaxError" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize("command", ["info", "--help", "doctor --help", "run --help", "doctor program.py"])
def test_it_is_no_error_that_nobody_reads_the_output(tmp_path: Path, command: str) -> None:
    (tmp_path / "program.py").write_text("")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "torsion", *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": HERE},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_lists_the_commands(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "torsion", "--help"],
        env={**os.environ, "PYTHONPATH": HERE},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert {"run", "info", "doctor"} <= set(re.findall(r"-m torsion (\w+)", done.stdout))


# What it warns of


@pytest.mark.parametrize(
    "text",
    [
        "from twisted.internet.tcp import _accept",
        "from twisted.internet import tcp; tcp._accept",
        "import twisted.internet.tcp as it; it._accept()",
        "import twisted.internet.tcp\ntwisted.internet.tcp._accept()",
    ],
)
def test_private_names_that_we_lack_are_warned_of(tmp_path: Path, text: str) -> None:
    ((line, said),) = warnings_of(tmp_path, text)
    assert line == 1 + text.count("\n")
    assert "'twisted.internet.tcp' has no '_accept' here" in said
    assert "Twisted 24.3 to 26.10" in said


@pytest.mark.parametrize(
    "text",
    [
        "from twisted.internet.tcp import Port, _reservedFD",
        "from twisted.internet.tcp import socket, _never",
        "from twisted.internet import tcp; tcp.Port",
        "from elsewhere import tcp; tcp._accept",
        "from twisted.internet import defer; d = defer.Deferred(); d.debug = True",
        "from twisted.internet import protocol; protocol.Factory.noisy = False",
    ],
)
def test_what_is_there_and_what_never_was_is_not(tmp_path: Path, text: str) -> None:
    assert warnings_of(tmp_path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "from twisted.internet import defer; defer.Deferred.debug = True",
        "from twisted.internet.defer import Deferred as D; D.addCallback = None",
        "from twisted.internet.task import Deferred; Deferred.x = 1",
        "from twisted.internet.defer import Deferred; setattr(Deferred, 'x', 1)",
        "from twisted.internet import defer; del defer.Deferred.x",
        "from twisted.internet import defer; patch.object(defer.Deferred, 'callback')",
        "import twisted; mock.patch('twisted.internet.defer.Deferred.callback')",
        "from twisted.internet import defer\nclass T:\n  def f(self): self.patch(defer.DeferredList, 'x', 1)",
    ],
)
def test_setting_something_on_a_compiled_class_is_warned_of(tmp_path: Path, text: str) -> None:
    ((_, said),) = warnings_of(tmp_path, text)
    assert "is compiled" in said and "TORSION_PURE=1" in said


def test_the_compiled_classes_are_those_on_which_nothing_can_be_set(python: Python) -> None:
    lane, _, found = python.check("""
        import importlib, torsion
        found = set()
        for name in "abstract address base defer error protocol task tcp udp unix".split():
            for value in list(vars(importlib.import_module(f"twisted.internet.{name}")).values()):
                if isinstance(value, type) and value.__module__.startswith(("torsion.", "twisted.")):
                    try:
                        value.some_name = 1
                    except TypeError:
                        found.add(value.__name__)
        print(torsion.LANE, sorted(found))
    """).partition(" ")
    assert ast.literal_eval(found) == (sorted(COMPILED) if lane == "compiled" else [])


def test_replacing_a_name_that_ours_does_not_use_is_warned_of(tmp_path: Path) -> None:
    ((_, said),) = warnings_of(tmp_path, "from twisted.internet import tcp\ntcp.socket = None\n")
    assert "twisted.internet.tcp.socket is replaced" in said


def test_twisteds_other_reactors_are_warned_of(tmp_path: Path) -> None:
    found = warnings_of(
        tmp_path, "from twisted.internet import gireactor\nfrom twisted.internet.iocpreactor import x\n"
    )
    assert [line for line, _ in found] == [1, 2]


def test_importing_twisted_before_the_takeover_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("from twisted.internet import task\n")
    (tmp_path / "other.py").write_text("import json\n")
    (tmp_path / "program.py").write_text(
        "import helper, other\nfrom twisted.internet import defer\nimport torsion.takeover\n"
        "torsion.takeover.install()\nfrom twisted.internet import reactor\n"
    )
    said = doctor(tmp_path, "program.py").stdout
    assert re.findall(r"program.py:(\d+): (\S+)", said) == [("1", "helper"), ("2", "twisted.internet")]


@pytest.mark.parametrize(
    ("call", "warned"),
    [
        ("reactor.spawnProcess(p, sys.executable, [], env={})", True),
        ("reactor.spawnProcess(p, sys.executable, [])", True),
        ("reactor.spawnProcess(p, sys.executable, [], {})", True),
        ("reactor.spawnProcess(p, sys.executable, [], None)", False),
        ("reactor.spawnProcess(p, sys.executable, [], os.environ)", False),
        ("reactor.spawnProcess(p, sys.executable, *more)", False),
        ("reactor.spawnProcess(p, sys.executable, [], **more)", False),
        ("utils.getProcessOutput(sys.executable, [], os.environ)", False),
        ("utils.getProcessOutput(sys.executable, [], {})", True),
        ("utils.getProcessValue(sys.executable, [])", True),
        ("reactor.spawnProcess(p, sys.executable, [], env=os.environ)", False),
        ("reactor.spawnProcess(p, sys.executable, [], env={**os.environ, 'A': 'b'})", False),
        ("reactor.spawnProcess(p, '/bin/true', [], env={})", False),
        ("subprocess.run([sys.executable, 'x.py'])", False),
        ("subprocess.run([sys.executable, 'x.py'], env={'A': 'b'})", True),
        ("subprocess.Popen([sys.executable, '-I', 'x.py'])", True),
        ("other.run([sys.executable, 'x.py'], env={})", False),
    ],
)
def test_a_python_that_does_not_inherit_is_warned_of(tmp_path: Path, call: str, warned: bool) -> None:
    found = warnings_of(tmp_path, f"import os, subprocess, sys\nfrom twisted.internet import reactor\n{call}\n")
    assert [line for line, _ in found] == ([3] if warned else [])


@pytest.mark.parametrize(
    ("version", "warned"),
    [("24.2.0", True), ("24.3.0", False), ("25.5.0", False), ("26.10.1", False), ("27.1.0", True), (None, False)],
)
def test_a_version_of_twisted_that_we_do_not_test_with_is_warned_of(version: Any, warned: bool) -> None:
    assert bool(differences.version_warning(version)) is warned
    assert missing.newest() >= (26, 10)


# Reading


def test_imports_are_read_as_python_reads_them() -> None:
    text = (
        "import a.b\nimport c.d as e\nfrom f import g as h, i\nfrom . import j\nfrom ..k import l\n"
        "from m import *\nif TYPE_CHECKING:\n    import n\nelse:\n    import o\n"
        "def f():\n    try:\n        import p\n    except (ImportError, KeyError):\n        import q\n"
        "import_module('r.s')\nimportlib.import_module(name)\n"
    )
    found = reading.imports(ast.parse(text), "x.y")
    assert [(each.line, each.module, each.name, each.bound, each.optional) for each in found] == [
        (1, "a.b", "", "a", False),
        (2, "c.d", "", "e", False),
        (3, "f", "g", "h", False),
        (3, "f", "i", "i", False),
        (4, "x.y", "j", "j", False),
        (5, "x.k", "l", "l", False),
        (6, "m", "", "", False),
        (10, "o", "", "o", False),
        (13, "p", "", "p", True),
        (15, "q", "", "q", False),
        (16, "r.s", "", "", False),
    ]
    assert [each.target for each in found[:4]] == ["a", "c.d", "f.g", "f.i"]
