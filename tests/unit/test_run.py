"""`python -m torsion run` gives a program what Python itself would give it: compared with Python itself."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import torsion

HERE = str(Path(torsion.__file__).parent.parent)


def python(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": HERE, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


def both(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
    """The same command line given to Python and to `torsion run`."""
    return python(folder, *arguments), python(folder, "-m", "torsion", "run", *arguments)


def same(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plain, ours = both(folder, *arguments)
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    return ours


SHOW = """\
import os, sys
main = sys.modules["__main__"]
print(sys.argv, [os.path.realpath(p) for p in sys.path[:1]], __name__, __file__, __package__, sorted(vars(main)))
print(main.__dict__ is globals(), __spec__ and __spec__.name, type(__loader__).__name__, __builtins__)
"""


def test_a_script_sees_its_arguments_its_folder_and_itself_as_under_python(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "show.py").write_text(SHOW + "import neighbour\n")
    (tmp_path / "inner" / "neighbour.py").write_text("print('found')\n")
    assert "found" in same(tmp_path, "inner/show.py", "-a", "b c", "--help").stdout
    assert "found" in same(tmp_path, "./inner/../inner/show.py").stdout


def test_a_script_reached_through_a_link_has_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "show.py").write_text(SHOW + "import neighbour\n")
    (tmp_path / "real" / "neighbour.py").write_text("")
    (tmp_path / "link.py").symlink_to(tmp_path / "real" / "show.py")
    assert same(tmp_path, "link.py").returncode == 0


def test_a_module_sees_its_arguments_its_folder_and_itself_as_under_python(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("import sys; print('package', sys.argv)\n")
    (tmp_path / "package" / "show.py").write_text(SHOW)
    (tmp_path / "package" / "__main__.py").write_text(SHOW + "from . import show\n")
    assert same(tmp_path, "-m", "package.show", "-x", "1").returncode == 0
    assert same(tmp_path, "-m", "package", "-m").returncode == 0


def test_a_folder_and_an_archive_with_a_main_module_run_as_under_python(tmp_path: Path) -> None:
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__main__.py").write_text(SHOW)
    with zipfile.ZipFile(tmp_path / "program.pyz", "w") as archive:
        archive.writestr("__main__.py", SHOW)
    assert same(tmp_path, "program", "one").returncode == 0
    assert same(tmp_path, "./program").returncode == 0
    assert same(tmp_path, "program.pyz", "one").returncode == 0


def test_a_folder_without_a_main_module_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert same(tmp_path, "empty").returncode == 1


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("pass", 0),
        ("import sys; sys.exit()", 0),
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit('a last word')", 1),
        ("raise SystemExit(True)", 1),
        ("def f():\n    raise ValueError('deep')\nf()", 1),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e", 1),
        ("this is no python", 1),
        ("import no_such_module_at_all", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import os; os._exit(9)", 9),
        ("import atexit, sys; atexit.register(lambda: print(sys.modules['__main__'].x)); x = 'still there'", 0),
        ("import sys\nsys.excepthook = lambda *a: print('my own', a[0], a[2].tb_frame.f_code.co_filename)\n1 / 0", 1),
        ("import sys\nassert sys.excepthook is sys.__excepthook__", 0),
    ],
)
def test_exit_status_and_traceback_of_a_script_are_those_of_python(tmp_path: Path, source: str, status: int) -> None:
    (tmp_path / "program.py").write_text(source + "\n")
    assert same(tmp_path, "program.py").returncode == status


@pytest.mark.parametrize("source", ["import sys; sys.exit(3)", "1 / 0", "import no_such_module_at_all"])
def test_exit_status_and_traceback_of_a_module_are_those_of_python(tmp_path: Path, source: str) -> None:
    (tmp_path / "program.py").write_text(source + "\n")
    plain, ours = both(tmp_path, "-m", "program")
    runpy = [line for line in plain.stderr.splitlines() if "<frozen runpy>" in line]
    assert ours.stderr.splitlines() == [line for line in plain.stderr.splitlines() if line not in runpy]
    assert ours.returncode == plain.returncode


@pytest.mark.parametrize("arguments", [["show.py", "a"], ["-m", "show", "a"]])
def test_the_script_torsion_gives_what_python_m_torsion_does(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "torsion"
    script.write_text("import sys\nfrom torsion.__main__ import main\nsys.exit(main())\n")
    (tmp_path / "show.py").write_text(SHOW + "1 / 0\n")
    by_script = python(tmp_path, str(script), "run", *arguments)
    by_module = python(tmp_path, "-m", "torsion", "run", *arguments)
    assert by_script.stderr == by_module.stderr and "ZeroDivisionError" in by_script.stderr
    assert (by_script.returncode, by_script.stdout) == (1, by_module.stdout)


@pytest.mark.parametrize("name", ["no_such_module", "os.nothing", "json.nothing.at_all", "nothing.at.all", "..json"])
def test_a_module_that_is_not_there_is_said_to_be_missing_in_pythons_words(tmp_path: Path, name: str) -> None:
    assert same(tmp_path, "-m", name).returncode == 1


def test_a_package_without_a_main_module_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    assert same(tmp_path, "-m", "package").returncode == 1


def test_an_import_error_inside_a_package_is_the_programs_own(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("import no_such_module_at_all\n")
    (tmp_path / "package" / "__main__.py").write_text("")
    ours = python(tmp_path, "-m", "torsion", "run", "-m", "package")
    assert ours.returncode == 1
    assert "no_such_module_at_all" in ours.stderr


def test_a_script_that_is_not_there_gives_pythons_status_and_message(tmp_path: Path) -> None:
    assert same(tmp_path, "./nothing.py").returncode == 2


@pytest.mark.parametrize("arguments", [(), ("-m",), ("--unknown", "script.py")])
def test_a_bad_command_line_gives_the_usage_and_status_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ours = python(tmp_path, "-m", "torsion", "run", *arguments)
    assert ours.returncode == 2
    assert "usage: python -m torsion run" in ours.stderr


def test_with_safe_path_the_folder_of_the_script_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import sys; print(sys.path)\n")
    plain = python(tmp_path, "-P", "program.py")
    ours = python(tmp_path, "-P", "-m", "torsion", "run", "program.py")
    assert ours.stdout == plain.stdout


def test_a_script_can_be_pickled_from_and_spawned_from_as_main(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import multiprocessing, pickle\n"
        "class Thing: pass\n"
        "def work(n): return n + 1\n"
        "if __name__ == '__main__':\n"
        "    print(type(pickle.loads(pickle.dumps(Thing()))) is Thing)\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(work, [1, 2]))\n"
    )
    ours = python(tmp_path, "-m", "torsion", "run", "program.py")
    assert (ours.stdout, ours.stderr) == ("True\n[2, 3]\n", "")


def test_a_script_reads_its_standard_input(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import sys; print(sys.argv, sys.stdin.read())\n")
    command = [sys.executable, "-m", "torsion", "run", "program.py", "-m", "x"]
    environment = {**os.environ, "PYTHONPATH": HERE}
    done = subprocess.run(
        command, input="words", cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("['program.py', '-m', 'x'] words\n", "")


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_processes_of_multiprocessing_are_taken_over_too(tmp_path: Path, method: str) -> None:
    (tmp_path / "program.py").write_text(
        "import multiprocessing\n"
        "def work(queue):\n"
        "    from twisted.internet import defer, reactor\n"
        "    reactor.callLater(0, reactor.stop)\n"
        "    reactor.run()\n"
        "    queue.put((defer.__name__, type(reactor).__module__))\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        "    queue = context.Queue()\n"
        "    process = context.Process(target=work, args=(queue,))\n"
        "    process.start()\n"
        "    print(queue.get(timeout=20))\n"
        "    process.join()\n"
        "    print(process.exitcode)\n"
    )
    ours = python(tmp_path, "-m", "torsion", "run", "program.py")
    assert (ours.stdout, ours.stderr) == ("('torsion.defer', 'twisted.internet.epollreactor')\n0\n", "")


def test_a_signal_ends_a_program_as_it_does_under_python(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it\n"
        "os.kill(os.getpid(), signal.SIGINT); time.sleep(20)\n"
    )
    assert same(tmp_path, "program.py").returncode == -signal.SIGINT


def test_starting_a_program_loads_neither_twisted_nor_asyncio_nor_ssl(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import sys\nprint(sorted({'twisted', 'asyncio', 'ssl', 'zope', 'logging', 'inspect'} & set(sys.modules)))"
    )
    assert python(tmp_path, "-m", "torsion", "run", "program.py").stdout == "[]\n"


@pytest.mark.parametrize(
    ("names", "count"),
    [("defer, protocol, reactor", 95), ("defer, reactor, task, endpoints", 125)],
)
def test_the_core_loads_neither_interfaces_nor_what_only_some_programs_use(
    tmp_path: Path, names: str, count: int
) -> None:
    (tmp_path / "program.py").write_text(
        f"from twisted.internet import {names}\nimport sys\n"
        "seldom = {'asyncio', 'ssl', 'zope', 'OpenSSL', 'twisted.internet.interfaces', 'twisted.python.log',\n"
        "          'twisted.plugin', 'torsion.net.tls.source', 'torsion.takeover.names'}\n"
        "print(sorted(seldom & set(sys.modules)), len([name for name in sys.modules if name.startswith('torsion.')]))"
    )
    done = python(tmp_path, "-m", "torsion", "run", "program.py")
    loaded, _, number = done.stdout.rpartition(" ")
    assert (loaded, done.stderr) == ("[]", "")
    assert int(number) <= count
