"""Console scripts by name: what `torsion run twistd` runs.

A shell looks for a name on PATH. What belongs to an interpreter lies beside it, whether or not PATH leads there, so
that is where we look first; then among the entry points of what is installed, for a package without its script (one of
`pip install --target`, or of an environment that this one builds upon); at last on PATH, for any Python script.
"""

import os
import sys
from collections.abc import Iterable

SHEBANG = b"#!"
#: The second line where the interpreter's path does not fit into a first one: a shell starts the same file by Python.
LONG_PATH = b"'''exec'"


def is_name(given: str) -> bool:
    """Whether it is a bare name of nothing that Python could run here: a folder counts if it has a main module."""
    if os.path.dirname(given):
        return False
    return not os.path.exists(os.path.join(given, "__main__.py") if os.path.isdir(given) else given)


def find(name: str) -> tuple[str, str | None] | None:
    """The path of the console script of this name, and its text if the path is only where the file would be."""
    path = _among(_own_folders(), name)
    if path is not None:
        return path, None
    source = _entry_point(name)
    if source is not None:
        return os.path.join(_own_folders()[0], name), source
    path = _among(_search_path(), name)
    return None if path is None else (path, None)


def missing(name: str) -> str:
    """Where `find(name)` has looked in vain, for who gave the name."""
    lines = [f"no console script {name!r} either: looked beside this Python ({', '.join(_own_folders())}),"]
    lines.append("  among the entry points of the installed packages, and on PATH")
    lines += [f"  {path} is no Python script" for path in _candidates([*_own_folders(), *_search_path()], name)]
    return "\n".join(lines)


def is_python(path: str) -> bool:
    """Whether the first line of this file names a Python to run it by."""
    try:
        with open(path, "rb") as file:
            first, second = file.readline(1000), file.readline(1000)
    except OSError:
        return False
    words = first.removeprefix(SHEBANG).split()
    if not first.startswith(SHEBANG) or not words:
        return False
    programs = [os.path.basename(word) for word in words]
    return any(program.startswith((b"python", b"pypy")) for program in programs) or second.startswith(LONG_PATH)


def _among(folders: Iterable[str], name: str) -> str | None:
    return next((path for path in _candidates(folders, name) if is_python(path)), None)


def _candidates(folders: Iterable[str], name: str) -> list[str]:
    """The files of this name, each once."""
    paths = dict.fromkeys(os.path.join(folder, name) for folder in folders)
    return [path for path in paths if os.path.isfile(path)]


def _own_folders() -> list[str]:
    import sysconfig  # a tenth of a start: only for a program that is no file

    return list(dict.fromkeys([os.path.dirname(sys.executable), sysconfig.get_path("scripts")]))


def _search_path() -> list[str]:
    return [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]


def _entry_point(name: str) -> str | None:
    """The text of the script that an installer would have made of the entry point of this name."""
    from importlib import metadata

    found = [*metadata.entry_points(group="console_scripts", name=name)]
    if not found:
        return None
    module, attribute = found[0].module, found[0].attr
    return f"import sys\nimport {module}\nsys.exit({module}.{attribute}())\n"
