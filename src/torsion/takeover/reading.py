"""What a program imports, as its sources say. They are read and nothing of them is run.

Reading begins at the program's own file and goes on with every module that it finds an import of, in functions and in
branches too. It stops at the standard library, at Twisted's modules, which are known, and at what has no Python source.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from typing import NamedTuple


class Import(NamedTuple):
    """One name of an import statement."""

    line: int
    #: The module, absolute: `a.b` of `import a.b` and of `from a.b import c`.
    module: str
    #: `c` of `from a.b import c`, else "".
    name: str
    #: The name that it gets in the file.
    bound: str
    #: Whether the program is prepared for its not being there.
    optional: bool

    @property
    def target(self) -> str:
        """What the bound name stands for."""
        if self.name:
            return f"{self.module}.{self.name}"
        return self.module if self.bound != self.module.partition(".")[0] else self.bound


@dataclass
class Source:
    """One file that was read."""

    path: str
    name: str
    tree: ast.Module
    imports: list[Import] = field(default_factory=list)
    #: Modules found in its imports, with the lines: what it leads to.
    leads_to: dict[str, int] = field(default_factory=dict)


class Place(NamedTuple):
    path: str
    line: int


@dataclass
class Reading:
    """What was read, and what was met on the way."""

    sources: list[Source] = field(default_factory=list)
    #: Modules of Twisted's, and where each was met first.
    twisted: dict[str, Place] = field(default_factory=dict)
    #: Of these, the ones without which a file cannot be imported.
    needed: set[str] = field(default_factory=set)
    #: What the program's own files import and was not found, where they are not prepared for that.
    missing: dict[str, Place] = field(default_factory=dict)
    #: Files that Python could not have read either, and why.
    broken: list[tuple[Place, str]] = field(default_factory=list)


def read(path: str, name: str, package: str = "", text: str | bytes | None = None) -> Reading:
    """Read the program in this file. `package` is what relative imports start from; modules are found by sys.path.

    Raises OSError if the file cannot be read.
    """
    reader = _Reader()
    if text is None:
        with open(path, "rb") as file:
            text = file.read()
    reader.source(path, name, package, text)
    while reader.waiting:
        module, spec = reader.waiting.pop()
        assert spec.origin is not None
        try:
            with open(spec.origin, "rb") as file:
                content = file.read()
        except OSError as error:
            reader.reading.broken.append((Place(spec.origin, 1), str(error)))
            continue
        is_package = spec.submodule_search_locations is not None
        reader.source(spec.origin, module, module if is_package else module.rpartition(".")[0], content)
    return reader.reading


class _Reader:
    def __init__(self) -> None:
        self.reading = Reading()
        self.waiting: list[tuple[str, ModuleSpec]] = []
        self._seen: set[str] = set()
        self._specs: dict[str, ModuleSpec | None] = {}

    def source(self, path: str, name: str, package: str, content: str | bytes) -> None:
        text = content if isinstance(content, bytes) else content.encode()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a backslash in somebody's text
                tree = ast.parse(text, path)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            place = Place(path, getattr(error, "lineno", None) or 1)
            self.reading.broken.append((place, f"{type(error).__name__}: {getattr(error, 'msg', error)}"))
            return
        by_name = b"import_module" in text or b"__import__" in text
        source = Source(path, name, tree, imports(tree, package, by_name))
        if b"twisted" not in text and b"sys.executable" not in text:
            source.tree = ast.Module([], [])  # of no interest, and there may be thousands
        self.reading.sources.append(source)
        for each in source.imports:
            self._follow(source, each)

    def _follow(self, source: Source, each: Import) -> None:
        if each.module.partition(".")[0] in _LEFT_OUT:
            return
        full = f"{each.module}.{each.name}" if each.name else each.module
        place = Place(source.path, each.line)
        if each.module.partition(".")[0] == "twisted":
            self.reading.twisted.setdefault(full, place)
            if not each.optional:
                self.reading.needed.add(full)
            return
        for module in (*_parents(each.module), each.module, full):
            spec = self.find(module)
            if spec is None:
                if module != full or not each.name:
                    if not each.optional and not _is_installed(source.path):
                        self.reading.missing.setdefault(module, place)
                    return
            elif module not in source.leads_to:
                source.leads_to[module] = each.line
                if module not in self._seen and spec.origin is not None and spec.origin.endswith(".py"):
                    self._seen.add(module)
                    self.waiting.append((module, spec))

    def find(self, module: str) -> ModuleSpec | None:
        """Where this module is; its packages are not run to learn that."""
        if module not in self._specs:
            self._specs[module] = find(module, self.find)
        return self._specs[module]


def find(module: str, find_parent: Callable[[str], ModuleSpec | None] | None = None) -> ModuleSpec | None:
    """The spec of a module, of which nothing is imported, nor of its packages. None if it is not there."""
    parent = module.rpartition(".")[0]
    path = None
    if parent:
        above = (find_parent or find)(parent)
        if above is None or above.submodule_search_locations is None:
            return None
        path = list(getattr(above.submodule_search_locations, "_path", above.submodule_search_locations))
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(module, path, None)
        except (ImportError, AttributeError, KeyError, ValueError):
            continue
        if spec is not None:
            return spec
    return None


def _is_installed(path: str) -> bool:
    return "site-packages" in path or "dist-packages" in path


def may_have(module: str, name: str) -> bool:
    """Whether this module may define the name; of a package it is known, as its text has the name or has not."""
    spec = find(module)
    if spec is None or spec.submodule_search_locations is None or spec.origin is None:
        return True
    try:
        with open(spec.origin, encoding="utf-8") as file:
            return re.search(rf"\b{re.escape(name)}\b", file.read()) is not None
    except OSError:  # it is in an archive
        return True


_LEFT_OUT = frozenset(sys.stdlib_module_names) | {"torsion", "__main__"}


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for count in range(1, len(parts)):
        yield ".".join(parts[:count])


_MAY_BE_MISSING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def imports(tree: ast.AST, package: str = "", expressions: bool = True) -> list[Import]:
    """All imports in this tree but those for type checkers, by line.

    With `expressions`, also those by import_module("a.b"), for which every expression is looked at.
    """
    found: list[Import] = []
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, optional = waiting.pop()
        if isinstance(node, ast.Import):
            for name in node.names:
                bound = name.asname or name.name.partition(".")[0]
                found.append(Import(node.lineno, name.name, "", bound, optional))
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            for name in node.names if module else ():
                imported = "" if name.name == "*" else name.name
                found.append(Import(node.lineno, module, imported, name.asname or imported, optional))
        elif isinstance(node, ast.Call) and (module := _by_name(node)):
            found.append(Import(node.lineno, module, "", "", optional))
        if isinstance(node, ast.If) and _is_for_checkers(node.test):
            waiting += [(inner, optional) for inner in node.orelse]
        elif isinstance(node, ast.Try):
            waiting += [(inner, optional or _catches(node)) for inner in node.body]
            waiting += [(inner, optional) for inner in (*node.handlers, *node.orelse, *node.finalbody)]
        else:
            inside = ast.iter_child_nodes(node)
            waiting += [(inner, optional) for inner in inside if expressions or not isinstance(inner, ast.expr)]
    return sorted(found)


def _is_for_checkers(test: ast.expr) -> bool:
    """Whether it is `TYPE_CHECKING`, or `typing.TYPE_CHECKING`."""
    return (test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")) == "TYPE_CHECKING"


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    if node.level > len(parts):
        return ""
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _by_name(call: ast.Call) -> str:
    """The module of `import_module("module")` and `__import__("module")`."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    first = call.args[0] if call.args else None
    if name in ("import_module", "__import__") and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value if not first.value.startswith(".") else ""
    return ""


def _catches(node: ast.Try) -> bool:
    for handler in node.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if handler.type is None or any(isinstance(kind, ast.Name) and kind.id in _MAY_BE_MISSING for kind in kinds):
            return True
    return False
