"""The names of Twisted's modules that ours lack: writes src/torsion/takeover/names.py.

    python tests/peers/names.py                       says what the table lacks for the installed Twisted
    python tests/peers/names.py --write [FOLDER...]   adds the installed one, and the one in each folder

Each FOLDER holds a version of Twisted: `pip install --no-deps --target FOLDER twisted==24.3.0`. What the table says of
other versions stays. A module is imported, and its source read to learn where it has a name from; names are all that is
taken. Exit status 1 if a name is missing, or is in the table though ours has it.
"""

import ast
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from inspect import ismodule
from pathlib import Path
from types import ModuleType

OUTPUT = Path(__file__).parents[2] / "src" / "torsion" / "takeover" / "names.py"
#: Modules whose names are for who reads the source: nobody takes them from elsewhere.
FOR_READERS = {"__future__", "typing", "typing_extensions"}


def sources(module: ModuleType) -> Iterator[tuple[str, str]]:
    """(name, where it is from) of what the module imports: `package.module:name`, or `package.module`."""
    assert module.__file__ is not None
    waiting: list[ast.stmt] = list(ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.asname or name.name.partition(".")[0], name.name if name.asname else name.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), module.__package__)
            for name in node.names:
                yield name.asname or name.name, f"{base}:{name.name}"
        elif isinstance(node, (ast.If, ast.Try)):
            waiting += [*node.body, *node.orelse, *getattr(node, "finalbody", [])]
            waiting += [inner for handler in getattr(node, "handlers", []) for inner in handler.body]


def value_of(source: str) -> object:
    module, _, name = source.partition(":")
    try:
        found = importlib.import_module(module)
        return getattr(found, name) if name else found
    except (ImportError, AttributeError):  # another system's
        return None


def source_of(value: object, name: str, module: ModuleType) -> str:
    """Where a value is from that the module assigns to this name; "" if it makes it."""
    if isinstance(value, ModuleType):
        return value.__name__
    of = [getattr(value, "__module__", None), *(each.__name__ for each in vars(module).values() if ismodule(each))]
    original = getattr(value, "__name__", name)
    if original.strip("_") != name.strip("_"):  # what a loop has left there
        return ""
    possible = (f"{base}:{original}" for base in of if base and base != module.__name__)
    return next((source for source in possible if value_of(source) is value), "")


def look(ours: bool) -> None:
    """Print, as JSON, the version and the names of each module of the table: where from, or "" if written there."""
    warnings.simplefilter("ignore")
    from torsion.takeover.table import TABLE

    if ours:
        from torsion import takeover

        takeover.install()
    twisted = importlib.import_module("twisted")
    found: dict[str, dict[str, str]] = {}
    for name in TABLE:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        has = {each: value for each, value in vars(module).items() if not each.startswith("__")}
        found[name] = dict.fromkeys(has, "")
        for each, source in sources(module) if not ours else ():
            if each not in has:
                continue
            if source.partition(":")[0] in FOR_READERS:
                del found[name][each], has[each]
            elif value_of(source) is has[each]:
                found[name][each] = source
        for each, value in has.items() if not ours else ():
            if isinstance(value, ModuleType) and value.__name__ == f"{name}.{each}":
                del found[name][each]  # a module in a package: importing finds it
            elif not found[name][each]:
                found[name][each] = source_of(value, each, module)
    json.dump([twisted.__version__, found], sys.stdout)


Names = dict[str, dict[str, str]]


def names_in(folder: str | None, ours: bool = False) -> tuple[str, Names]:
    path = os.pathsep.join(filter(None, [folder, str(OUTPUT.parents[2])]))
    command = [sys.executable, __file__, "--ours" if ours else "--stock"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": path})
    if done.returncode:
        sys.exit(f"{folder or 'installed'}: {done.stderr}")
    version, found = json.loads(done.stdout)
    return version, found


def tables(stock: list[tuple[str, Names]], ours: Names) -> tuple[Names, Names]:
    """What ours lack: where it is from, for what Twisted's modules only import; and the versions, for the rest.

    What the tables say already of other versions stays.
    """
    imported, lacking = known_already(ours)
    for version, found in stock:  # the newest is last, and wins
        for module, names in found.items():
            for name, source in names.items():
                if name in ours.get(module, {}):
                    continue
                if source:
                    imported.setdefault(module, {})[name] = source
                else:
                    seen = [*lacking.get(module, {}).get(name, "").split("-"), ".".join(version.split(".")[:2])]
                    seen = sorted(filter(None, seen), key=numbers)
                    lacking.setdefault(module, {})[name] = f"{seen[0]}-{seen[-1]}"
    for module, names in imported.items():
        for name in names:
            lacking.get(module, {}).pop(name, None)
    return imported, lacking


def known_already(ours: Names) -> tuple[Names, Names]:
    from torsion.takeover import missing

    imported, lacking = missing.tables() if OUTPUT.exists() else ({}, {})
    return (
        {
            module: {n: s for n, s in names.items() if n not in ours.get(module, {})}
            for module, names in imported.items()
        },
        {
            module: {n: s for n, s in names.items() if n not in ours.get(module, {})}
            for module, names in lacking.items()
        },
    )


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


HEAD = '''\
"""Names of Twisted's modules that ours lack, by version. Made by tests/peers/names.py; not edited by hand."""

# fmt: off
'''
IMPORTED = "# Where a module of Twisted's has a name from that it only imports; and =name if it is renamed.\n"
LACKING = "# What a module of Twisted's defines: name@first-last, the versions of Twisted it was seen in.\n"


WIDTH = 108


def as_source(variable: str, table: dict[str, list[str]]) -> str:
    lines = [f"{variable}: dict[str, str] = {{\n"]
    for module, words in sorted(table.items()):
        if words:
            text = textwrap.wrap(" ".join(words), WIDTH, break_long_words=False, break_on_hyphens=False)
            lines += [f'    "{module}":\n', *(f'        "{line} "\n' for line in text[:-1]), f'        "{text[-1]}",\n']
    return "".join([*lines, "}\n"])


def grouped(names: dict[str, str]) -> Iterator[str]:
    """`module:name,name` or `module`, for what is imported from each; with `=name` if it is renamed."""
    groups: dict[str, list[str]] = {}
    for name, source in sorted(names.items()):
        base, _, original = source.partition(":")
        if original:
            groups.setdefault(base, []).append(name if original == name else f"{original}={name}")
        else:
            yield base if base == name else f"{base}={name}"
    for base, words in sorted(groups.items()):
        for line in textwrap.wrap(" ".join(words), WIDTH - len(base) - 1, break_long_words=False):
            yield f"{base}:{line.replace(' ', ',')}"


def write(stock: list[tuple[str, Names]], ours: Names) -> None:
    imported, lacking = tables(stock, ours)
    by_source = {module: list(grouped(names)) for module, names in imported.items()}
    by_version = {
        module: [f"{name}@{versions}" for name, versions in sorted(names.items())] for module, names in lacking.items()
    }
    text = (
        HEAD + IMPORTED + as_source("IMPORTED", by_source) + LACKING + as_source("LACKING", by_version) + "# fmt: on\n"
    )
    OUTPUT.write_text(text, encoding="utf-8")


def main() -> int:
    if sys.argv[1:] in (["--stock"], ["--ours"]):
        look(sys.argv[1] == "--ours")
        return 0
    _, ours = names_in(None, ours=True)
    stock = sorted([names_in(folder) for folder in [*sys.argv[2:], None]], key=lambda each: numbers(each[0]))
    if sys.argv[1:2] == ["--write"]:
        write(stock, ours)
        return 0
    from torsion.takeover import missing

    version, found = stock[0]
    unknown = [
        f"{module}.{name}"
        for module, names in found.items()
        for name in names
        if name not in ours.get(module, {}) and not missing.known(module, name)
    ]
    print(f"Twisted {version}: {sum(map(len, found.values()))} names, {len(unknown)} neither there nor in the table")
    print("\n".join(unknown))
    there = [f"{module}.{name}" for module, names in ours.items() for name in names if missing.known(module, name)]
    print(f"{len(there)} in the table though they are there")
    print("\n".join(there))
    return 1 if unknown or there else 0


if __name__ == "__main__":
    sys.exit(main())
