"""`python -m torsion doctor`: what a program would get from `torsion run`, and what to look at before.

The program's sources are read, and those of the packages that it imports; none of them is run.
"""

import os
import sys
import textwrap

from torsion.takeover import differences, reading
from torsion.takeover.finder import Finder
from torsion.takeover.table import PACKAGES

from . import output, scripts

USAGE = """\
usage: python -m torsion doctor script.py               which of Twisted's modules a program uses are ours
       python -m torsion doctor -m module               what comes after is the program's, and not looked at
       python -m torsion doctor name                    a console script, such as trial, twistd or pytest
exit status: 0 without warnings, 1 with warnings, 2 if the program cannot be read
"""


def main(argv: list[str]) -> int:
    """Read the program that this command line names, and print what was found. Returns the exit status of USAGE."""
    if argv[:1] in (["-h"], ["--help"]):
        output.write(USAGE)
        return 0
    as_module = argv[:1] == ["-m"]
    rest = argv[1:] if as_module else argv
    if not rest or rest[0].startswith("-"):
        sys.stderr.write(USAGE)
        return 2
    try:
        found = _module(rest[0]) if as_module else _script(rest[0])
    except OSError as error:
        sys.stderr.write(f"torsion doctor: {rest[0]!r} cannot be read: {error.strerror or error}\n")
        return 2
    lines, warnings = _report(found)
    output.write("".join(f"{line}\n" for line in lines))
    return 1 if warnings else 0


def _script(given: str) -> reading.Reading:
    path, text = given, None
    if scripts.is_name(given):
        path, text = scripts.find(path) or (path, None)
    if os.path.isdir(path):
        sys.path[0] = path
        path = os.path.join(path, "__main__.py")
    else:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    return reading.read(path, "__main__", text=text)


def _module(name: str) -> reading.Reading:
    spec = reading.find(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = reading.find(f"{name}.__main__")
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise OSError(f"no Python module {name!r} is found that can be run")
    return reading.read(spec.origin, "__main__", spec.name.rpartition(".")[0])


def _report(found: reading.Reading) -> tuple[list[str], list[str]]:
    """What is printed, a line each, and the warnings in it."""
    finder = Finder()
    version = _twisted_version()
    ours, twisteds, missing = [], [], dict(found.missing)
    for module, (place, needed) in _modules(found, finder).items():
        if finder.is_ours(module):
            ours.append(module)
        elif finder.has_twisted() and reading.find(module) is not None:
            twisteds.append(module)
        elif needed:
            missing[module] = place
    warnings = [f"{_short(each)}: {each.text}" for each in differences.differences(found)]
    warnings += [f"{_short(place)}: cannot be read: {why}" for place, why in found.broken]
    if text := differences.version_warning(version):
        warnings.append(text)
    lines = [
        f"{_count(len(found.sources), 'file')} read, none run. Twisted {version or 'is not'} installed.",
        *_list("Torsion's, instead of Twisted's", ours),
        *_list("Twisted's own, on Torsion's core", twisteds),
        *_list("Not found", [f"{module} ({_short(place)})" for module, place in missing.items()]),
        "",
        f"{_count(len(warnings), 'warning')}{':' if warnings else '.'}",
        *(f"  {warning}" for warning in warnings),
    ]
    return lines, warnings


def _modules(found: reading.Reading, finder: Finder) -> dict[str, tuple[reading.Place, bool]]:
    """The modules of Twisted's, where each is imported, and whether it must be there.

    Of what is imported, `twisted.a.b` may be the module b or a name in the module a.
    """
    modules: dict[str, tuple[reading.Place, bool]] = {}
    without_names = () if finder.has_twisted() else PACKAGES  # stand-ins are empty
    for full, place in sorted(found.twisted.items()):
        above, _, name = full.rpartition(".")
        is_module = finder.is_ours(full) or reading.find(full) is not None
        module = full if is_module or above in without_names or not reading.may_have(above, name) else above
        if module and module not in PACKAGES:
            first, needed = modules.get(module, (place, False))
            modules[module] = first, needed or full in found.needed
    return modules


def _twisted_version() -> str | None:
    from importlib import metadata

    try:
        return metadata.version("twisted")
    except metadata.PackageNotFoundError:
        return None


def _list(title: str, entries: list[str]) -> list[str]:
    text = textwrap.wrap(", ".join(entries) or "none", 98, break_on_hyphens=False, break_long_words=False)
    return ["", f"{title}:", *(f"  {line}" for line in text)]


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'s' * (number != 1)}"


def _short(place: reading.Place | differences.Warning) -> str:
    """`file:line`, the file as it is seen from here if it lies below."""
    path = os.path.abspath(place.path)
    here = os.path.relpath(path)
    return f"{path if here.startswith(os.pardir) else here}:{place.line}"
