"""What of a program's sources meets a known difference between Twisted and Torsion (docs/twisted.md), line by line.

It is looked for without running anything, so a name is what the file's imports say that it is. What is found is worth
a look; what is not found may still be there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from . import missing
from .reading import Reading, Source
from .table import TABLE

#: Classes that are compiled, under these names in every module that has them: nothing can be set on them.
COMPILED = frozenset({"Deferred", "DeferredList"})
#: Twisted's reactors that we do not replace: its own classes, on our base or by themselves.
_KINDS = ("cf", "gi", "glib2", "gtk2", "gtk3", "iocp", "kq", "qt", "win32event", "wx")
REACTORS = {f"twisted.internet.{kind}reactor" for kind in _KINDS}
#: What starts a child process with an environment that is empty unless given, and which argument that is.
STARTERS = {"spawnProcess": 3, "getProcessOutput": 2, "getProcessOutputAndValue": 2, "getProcessValue": 2}
SUBPROCESS = frozenset({"Popen", "run", "call", "check_call", "check_output"})
#: Options of Python that ask for an interpreter in which nothing is installed.
ALONE = frozenset({"-I", "-E", "-S", "-IS", "-ES"})


class Warning(NamedTuple):
    """One place and what is to be known about it."""

    path: str
    line: int
    text: str


def differences(reading: Reading) -> list[Warning]:
    """The warnings for all that was read, by file and line."""
    found: set[Warning] = set()
    leads = _leading_to_twisted(reading)
    for source in reading.sources:
        if source.name not in leads:
            continue
        for line, text in (*_of_file(source), *_too_late(source, leads)):
            found.add(Warning(source.path, line, text))
    return sorted(found)


def version_warning(version: str | None) -> str:
    """What is to be said of this version of Twisted, if anything."""
    newest, oldest = missing.newest(), (24, 3)
    if version is None:
        return ""
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if oldest <= parts <= newest:
        return ""
    span = f"{oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    return f"Twisted {version} is installed: Torsion is tested with {span}"


Found = Iterator[tuple[int, str]]


def _of_file(source: Source) -> Found:
    names = {each.bound: each.target for each in source.imports if each.bound}
    for each in source.imports:
        yield from _of_import(each.line, each.module, each.name)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            module = _dotted(node.value, names)
            if module in TABLE:
                yield from _of_name(node.lineno, module, node.attr)
        elif isinstance(node, ast.Call):
            yield from _of_call(node, names)
        elif isinstance(node, ast.Attribute):  # assigned to, or deleted
            yield from _of_replacing(node.lineno, f"{_dotted(node.value, names)}.{node.attr}")


def _of_import(line: int, module: str, name: str) -> Found:
    for full in (module, f"{module}.{name}"):
        if full in REACTORS:
            yield line, f"{full} is Twisted's own reactor, on our base: its loop is none of ours"
    if name and module in TABLE:
        yield from _of_name(line, module, name)


def _of_name(line: int, module: str, name: str) -> Found:
    if missing.lacking(module, name):
        yield line, missing.explain(module, name)


def _of_replacing(line: int, target: str) -> Found:
    """Something is assigned to or deleted: an attribute of a compiled class, or a name that is only imported."""
    owner, _, name = target.rpartition(".")
    module, _, kind = owner.rpartition(".")
    if module in TABLE and kind in COMPILED:
        yield (
            line,
            f"{kind}.{name} is set: {kind} is compiled, which is a TypeError; subclass it, or use TORSION_PURE=1",
        )
    elif owner in TABLE and missing.imported(owner, name):
        yield line, f"{target} is replaced: Torsion's {owner} does not use it, so that nothing changes"


def _of_call(call: ast.Call, names: dict[str, str]) -> Found:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    # setattr(x, "a", …), patch.object(x, "a"), monkeypatch.setattr(x, "a", …), trial's self.patch(x, "a", …)
    if name in ("setattr", "delattr", "object", "patch"):
        yield from _of_replacing(call.lineno, _replaced(call.args, names))
    if name in STARTERS or (name in SUBPROCESS and _dotted(call.func, names).startswith("subprocess.")):
        yield from _of_child(call, name, names)


def _replaced(arguments: list[ast.expr], names: dict[str, str]) -> str:
    texts = [each.value for each in arguments[:2] if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if not texts:
        return ""
    return texts[0] if isinstance(arguments[0], ast.Constant) else f"{_dotted(arguments[0], names)}.{texts[0]}"


def _of_child(call: ast.Call, name: str, names: dict[str, str]) -> Found:
    """A Python is started: with an environment of its own, or with none, it runs on Twisted itself."""
    given = [*call.args, *(word.value for word in call.keywords if word.arg not in ("env", "environ"))]
    inner = [node for value in given for node in ast.walk(value)]
    if not any(_dotted(node, names) == "sys.executable" for node in inner if isinstance(node, ast.Attribute)):
        return
    alone = [node.value for node in inner if isinstance(node, ast.Constant) and node.value in ALONE]
    environment = _environment(call, name)
    if alone:
        yield call.lineno, f"{name} starts a Python with {alone[0]}: it does not inherit the takeover"
    elif isinstance(environment, ast.Dict) and all(key is not None for key in environment.keys):
        yield call.lineno, f"{name} starts a Python with an environment of its own: it does not inherit the takeover"
    elif environment is None and name in STARTERS:
        yield call.lineno, f"{name} starts a Python without env=os.environ: it does not inherit the takeover"


def _environment(call: ast.Call, name: str) -> ast.expr | None:
    """The argument of a call that is the environment. Where it may be among `*these`, or `**these`, they are it."""
    for word in call.keywords:
        if word.arg in ("env", None):
            return word.value
    for position, argument in enumerate(call.args):
        if position == STARTERS.get(name) or isinstance(argument, ast.Starred):
            return argument
    return None


def _leading_to_twisted(reading: Reading) -> set[str]:
    """Names of the modules read whose import imports Twisted."""
    leads = {s.name for s in reading.sources if any(each.module.partition(".")[0] == "twisted" for each in s.imports)}
    while True:
        more = {s.name for s in reading.sources if not leads.isdisjoint(s.leads_to)} - leads
        if not more:
            return leads
        leads |= more


def _too_late(source: Source, leads: set[str]) -> Found:
    """Imports that come before the program's own takeover.install()."""
    names = {each.bound: each.target for each in source.imports if each.bound}
    calls = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    installs = [call.lineno for call in calls if _dotted(call.func, names) == "torsion.takeover.install"]
    if not installs:
        return
    for each in source.imports:
        if each.line < min(installs) and each.module.partition(".")[0] == "twisted":
            yield each.line, f"{each.module} is imported before torsion.takeover.install() in line {min(installs)}"
    for module, line in source.leads_to.items():
        if line < min(installs) and module in leads:
            yield line, f"{module} imports Twisted, before torsion.takeover.install() in line {min(installs)}"


def _dotted(node: ast.AST, names: dict[str, str]) -> str:
    """What an expression of names and attributes stands for, by the imports of its file; "" if they do not say."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])
