"""The floors: a module imports only from its own floor or from lower ones, and nobody hides an arrow.

Imports are read, not run: `import` and `from … import` in `.py` (inside functions and under TYPE_CHECKING too) and
`cimport` in `.pxd` and `.pyx`. A new top-level module is given a floor here, or the tests fail.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from torsion import lane

ROOT = Path(lane.ROOT)

#: Lowest first. Public names are those of the contract; see test_no_internal_module_bears_a_public_name.
FLOORS: dict[str, list[str]] = {
    "ground": ["address", "error", "failure", "interfaces", "report", "lane", "_stamp", "twin"],
    "core": ["core"],
    "engine": ["engine"],
    "workers": ["pool", "net", "child", "credentials"],
    "contract": ["calling", "openings", "contract"],
    "reactors": ["reactors"],
    "public": [
        "abstract",
        "asyncioreactor",
        "base",
        "default",
        "defer",
        "endpoint",
        "endpoints",
        "epollreactor",
        "fdesc",
        "inotify",
        "main",
        "pollreactor",
        "posixbase",
        "protocol",
        "protocols",
        "pytest_plugin",
        "selectreactor",
        "ssl",
        "stdio",
        "task",
        "tcp",
        "testing",
        "threads",
        "trying",
        "udp",
        "unix",
        "utils",
    ],
    "top": ["takeover", "cli", "__init__", "__main__"],
}
PUBLIC = {"address", "error", "failure", "interfaces", *FLOORS["public"]}
#: What the contract calls public at top level (modules of its internet and python packages); `reactor` is no module.
CONTRACT_NAMES = set(
    """abstract address asyncioreactor base context defer default endpoints epollreactor error failure fdesc filepath
    interfaces kqreactor log main pollreactor posixbase process protocol reactor reflect selectreactor serialport ssl
    stdio task tcp testing threadable threadpool threads tls udp unix util utils versions""".split()
)
#: Where names of modules are computed: the package's lazy attributes, the takeover's table, `run -m`.
MAY_IMPORT_BY_NAME = {"__init__", "takeover", "cli"}
#: Runs in an interpreter that is starting up, by the name `sitecustomize`; not imported as a module of ours.
NOT_A_MODULE = {"torsion.takeover.inherit.sitecustomize"}


@dataclass(frozen=True)
class Arrow:
    source: str  # module name
    target: str
    where: str  # file:line
    typing_only: bool = False


def module_name(path: Path) -> str:
    parts = ["torsion", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PYTHON = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
MODULES = {*PYTHON, lane.STAMP}
CYTHON = sorted([*ROOT.rglob("*.pxd"), *ROOT.rglob("*.pyx")])
PACKAGES = {name for name, path in PYTHON.items() if path.name == "__init__.py"}


def top(module: str) -> str:
    """The name that has a floor: `core` for torsion.core.timers, `__init__` for the package itself."""
    return (module.split(".") + ["__init__"])[1]


def floor(module: str) -> int:
    name = top(module)
    return next(number for number, names in enumerate(FLOORS.values()) if name in names)


def targets(module: str, base: str, level: int, names: list[str]) -> Iterator[str]:
    """The modules of ours that `from {level dots}{base} import {names}` in `module` refers to."""
    if level:
        package = module.split(".") if module in PACKAGES else module.split(".")[:-1]
        base = ".".join([*package[: len(package) - level + 1], *([base] if base else [])])
    if base.split(".")[0] != "torsion":
        return
    for name in names:
        yield f"{base}.{name}" if f"{base}.{name}" in MODULES else base


def python_arrows(module: str, path: Path) -> Iterator[Arrow]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for branch in node.body
        for inner in ast.walk(branch)
    }
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names if alias.name.split(".")[0] == "torsion"]
        elif isinstance(node, ast.ImportFrom):
            found = list(targets(module, node.module or "", node.level, [alias.name for alias in node.names]))
        for target in found:
            yield Arrow(module, target, f"{path.relative_to(ROOT)}:{node.lineno}", node in typing_only)


def cython_arrows(path: Path) -> Iterator[Arrow]:
    module = module_name(path)
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+c?import[ \t]+(\([^)]*\)|.*)", text, re.MULTILINE):
        names = [name.split()[0] for name in re.sub(r"[()]|#.*", " ", match[3]).split(",") if name.strip()]
        where = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
        for target in targets(module, match[2], len(match[1]), names):
            yield Arrow(module, target, where)
    for match in re.finditer(r"^[ \t]*c?import[ \t]+(torsion[\w.]*)", text, re.MULTILINE):
        yield Arrow(module, match[1], f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}")


ARROWS = [
    *(arrow for module, path in PYTHON.items() for arrow in python_arrows(module, path)),
    *(arrow for path in CYTHON for arrow in cython_arrows(path)),
]


def test_every_module_has_a_floor() -> None:
    placed = {name for names in FLOORS.values() for name in names}
    assert {top(module) for module in PYTHON} - placed == set(), "give these a floor in FLOORS"


def test_no_arrow_points_up() -> None:
    up = [a for a in ARROWS if floor(a.target) > floor(a.source)]
    assert not up, "\n".join(f"{a.where}: {a.source} imports {a.target}, from a higher floor" for a in up)


def test_only_the_top_floor_imports_by_a_computed_name() -> None:
    """import_module and __import__ are invisible to the other tests."""
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for module, path in PYTHON.items()
        if top(module) not in MAY_IMPORT_BY_NAME
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
    ]
    assert not calls


def test_there_is_no_cycle() -> None:
    """Imports inside functions count; those for type checkers alone do not. `torsion` itself is everyone's package."""
    graph: dict[str, set[str]] = {}
    for arrow in ARROWS:
        if not arrow.typing_only and "torsion" not in (arrow.source, arrow.target) and arrow.source != arrow.target:
            graph.setdefault(arrow.source, set()).add(arrow.target)
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        assert module not in path, "a cycle: " + " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for target in sorted(graph.get(module, ())):
                visit(target, [*path, module])
            done.add(module)

    for module in sorted(graph):
        visit(module, [])


def test_no_internal_module_bears_a_public_name() -> None:
    """`from torsion import reactor` gives the reactor; what is not public stays out of the contract's names."""
    names = {top(module) for module in PYTHON}
    assert names & CONTRACT_NAMES <= PUBLIC
    assert PUBLIC - names == set()


@pytest.mark.parametrize("package", ["core", "engine", "pool"])
def test_the_lower_floors_know_no_twisted(package: str) -> None:
    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom) and re.search(r"\b(twisted|zope)\b", ast.unparse(node))
    ]
    assert not named


def test_every_module_can_be_the_first_one_imported() -> None:
    """Each in a fresh interpreter: no module relies on another having been imported before it."""

    def imported(module: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", f"import {module}"],
            env={**os.environ, "PYTHONPATH": str(ROOT.parent)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return f"{module}: {done.stderr[-600:]}" if done.returncode else ""

    with ThreadPoolExecutor(max(2, (os.cpu_count() or 2))) as pool:
        modules = [module for module in PYTHON if module not in NOT_A_MODULE and not module.endswith("__main__")]
        failed = list(filter(None, pool.map(imported, modules)))
    assert not failed, "\n".join(failed)
