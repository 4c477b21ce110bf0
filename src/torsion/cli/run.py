"""`python -m torsion run`: an unmodified Twisted program, on our engine.

The program must not be able to tell: `__main__`, `sys.argv`, `sys.path[0]`, exit status and tracebacks are what
`python script.py` and `python -m module` give. So the program's module stays `__main__` to the end of the process
(exit handlers and pickles look there), and its exceptions go to the interpreter, less the frames that are ours.
"""

import builtins
import importlib
import importlib.util
import io
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

from torsion import takeover

from . import output, scripts

USAGE = """\
usage: python -m torsion run script.py [arguments]
       python -m torsion run -m module [arguments]
       python -m torsion run name [arguments]          a console script, such as trial, twistd or pytest
"""


def main(argv: list[str]) -> int:
    """Run the program that this command line names, and return 0 when it comes to its end.

    Exceptions of the program, SystemExit too, leave this function: the interpreter makes the exit status of them.
    Returns 2 for a bad command line, 1 or 2 as Python does if there is no such module or file.
    """
    if argv[:1] in (["-h"], ["--help"]):
        output.write(USAGE)
        return 0
    as_module = argv[:1] == ["-m"]
    rest = argv[1:] if as_module else argv
    if not rest or (not as_module and rest[0].startswith("-")):
        sys.stderr.write(USAGE)
        return 2
    takeover.install()
    try:
        return _module(rest) if as_module else _script(rest)
    except BaseException:
        sys.excepthook = _Hook(sys.excepthook)  # not earlier: the program may look at it
        raise


def _script(argv: list[str]) -> int:
    sys.argv = argv
    path = os.path.join(os.getcwd(), argv[0])  # not normalised: Python shows it as it was given
    text = None
    by_name = scripts.is_name(argv[0])
    if by_name:
        found = scripts.find(argv[0])
        if found is not None:
            path, text = found
            sys.argv = [path, *argv[1:]]
    if os.path.isdir(path) or _is_archive(path):
        return _folder(path)
    try:
        source = _read(path) if text is None else text
    except OSError as error:
        sys.stderr.write(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n")
        if by_name:
            sys.stderr.write(f"{scripts.missing(argv[0])}\n")
        return 2
    _enter(os.path.dirname(os.path.realpath(path)))
    code = compile(source, path, "exec", dont_inherit=True)
    _run(code, __file__=path, __loader__=SourceFileLoader("__main__", path), __spec__=None, __package__=None)
    return 0


def _read(path: str) -> bytes:
    with io.open_code(path) as file:
        return file.read()


def _module(argv: list[str]) -> int:
    _enter(os.getcwd())
    # What a module sees of itself while Python still looks for it.
    sys.argv = ["-m", *argv[1:]]
    try:
        spec = _find(argv[0])
    except _NotThere as missing:
        sys.stderr.write(f"{sys.executable}: {missing}\n")
        return 1
    sys.argv[0] = spec.origin or "-m"
    return _run_found(spec)


class _NotThere(Exception):
    """There is no such module to run; the text is Python's."""


def _find(name: str) -> ModuleSpec:
    """The module of this name; of a package, its `__main__`."""
    if name.startswith("."):
        raise _NotThere("Relative module names not supported")
    parent = name.rpartition(".")[0]
    try:
        if parent:
            importlib.import_module(parent)
    except ImportError as error:
        # That a parent is not there is told below. What is missing further inside is the program's own error.
        if error.name is None or not f"{parent}.".startswith(f"{error.name}."):
            raise
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        text = f"Error while finding module specification for {name!r} ({type(error).__name__}: {error})"
        raise _NotThere(text) from error
    if spec is None:
        raise _NotThere(f"No module named {name}")
    if spec.submodule_search_locations is None:
        return spec
    try:
        return _find(name + ".__main__")
    except _NotThere as missing:
        raise _NotThere(f"{missing}; {name!r} is a package and cannot be directly executed") from missing


def _run_found(spec: ModuleSpec) -> int:
    loader: Any = spec.loader
    code = loader.get_code(spec.name)
    _run(code, __file__=spec.origin, __loader__=loader, __spec__=spec, __package__=spec.parent)
    return 0


def _run(code: CodeType, **attributes: Any) -> None:
    """Execute as `__main__`, which it stays."""
    module = ModuleType("__main__")
    vars(module).update(attributes, __builtins__=builtins, __cached__=None, __annotations__={})
    sys.modules["__main__"] = module
    exec(code, vars(module))


def _enter(folder: str) -> None:
    """Put the program's folder where Python has put the one it found us in; with `-P`, neither is there."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _is_archive(path: str) -> bool:
    if path.endswith((".py", ".pyw")):
        return False
    import zipfile  # only for a path that is no ordinary script's

    return zipfile.is_zipfile(path)


def _folder(path: str) -> int:
    """Run the `__main__` of a folder or an archive. Not by its name: `__main__` in sys.modules is still ours."""
    _enter(path)
    spec = PathFinder.find_spec("__main__", [path])
    if spec is None:
        sys.stderr.write(f"{sys.executable}: can't find '__main__' module in {path!r}\n")
        return 1
    return _run_found(spec)


class _Hook:
    """What sys.excepthook was, called without the frames above the program's own."""

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        rest = trace
        while rest is not None and not _is_ours(rest):  # who called us: `python -m torsion`, or the script
            rest = rest.tb_next
        while rest is not None and _is_ours(rest):
            rest = rest.tb_next
            trace = rest
        self._hook(kind, error.with_traceback(trace), trace)


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename == __file__
