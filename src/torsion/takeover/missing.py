"""What a module of ours answers when it is asked for a name of Twisted's that it does not have.

Two kinds. What Twisted's module has only imported is taken from where it is: a program that says `from
twisted.internet.protocol import error` gets it. What Twisted's module defines, and ours does not, is an error that says
so. Which names these are is in takeover/names.py, which is loaded when the first one is asked for. What Twisted never
had is the error that Python makes.
"""

import importlib
import sys
from functools import cache
from types import FrameType, ModuleType
from typing import Any


@cache
def tables() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """By module of Twisted's and name: where it is imported from, and the versions that define it."""
    from .names import IMPORTED, LACKING

    lacking = {module: dict(word.split("@") for word in words.split()) for module, words in LACKING.items()}
    imported: dict[str, dict[str, str]] = {}
    for module, words in IMPORTED.items():
        found = imported[module] = {}
        for word in words.split():
            base, _, names = word.partition(":")
            for each in names.split(",") if names else (base,):
                name, _, renamed = each.partition("=")
                found[renamed or name] = f"{base}:{name}" if names else name
    return imported, lacking


def lacking(module: str, name: str) -> str:
    """The versions of Twisted whose module defines this name, which ours lacks: "24.3-26.10"; "" if there are none."""
    return tables()[1].get(module, {}).get(name, "")


def imported(module: str, name: str) -> str:
    """Where Twisted's module has this name from, as `module:name` or `module`; "" if it does not import it."""
    return tables()[0].get(module, {}).get(name, "")


def known(module: str, name: str) -> bool:
    """Whether a table says what becomes of this name."""
    return bool(lacking(module, name) or imported(module, name))


def newest() -> tuple[int, ...]:
    """The newest version of Twisted that the tables know."""
    versions = (seen.partition("-")[2] for names in tables()[1].values() for seen in names.values())
    return max(tuple(map(int, version.split("."))) for version in versions)


def explain(module: str, name: str) -> str:
    """What is said to a program that asks for a name that ours lacks."""
    first, _, last = lacking(module, name).partition("-")
    seen = f"Twisted {first}" if first == last else f"Twisted {first} to {last}"
    return (
        f"{module!r} has no {name!r} here: it is Torsion's, and lacks this name, which {seen} has. Please"
        " report that; without `torsion run` the program works as before"
    )


def answer(module: ModuleType, name: str) -> None:
    """Let our module, which a program gets for Twisted's of this name, answer for the names that it lacks."""
    answers = vars(module).setdefault("__getattr__", _Answers(module))
    answers.modules.append(name)


class _Answers:
    """A module's `__getattr__`: called for what the module does not have."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self.modules: list[str] = []  # one of ours may stand in for several

    def __call__(self, name: str) -> Any:
        # Names with two underscores are asked for by who inspects any module: nothing is loaded for them.
        for module in self.modules if not name.startswith("__") else ():
            if source := imported(module, name):
                try:
                    return _value(source)
                except (ImportError, AttributeError) as error:
                    text = f"{module!r} has no {name!r} here: it would be from {source}, and {error}"
            elif lacking(module, name):
                text = explain(module, name)
            else:
                continue
            if _is_import(sys._getframe(1)):
                raise ImportError(text, name=module)
            raise AttributeError(text, name=name, obj=self._module)
        text = f"module {self._module.__name__!r} has no attribute {name!r}"
        raise AttributeError(text, name=name, obj=self._module)


def _value(source: str) -> Any:
    base, _, name = source.partition(":")
    module = importlib.import_module(base)
    if name and not hasattr(module, name) and hasattr(module, "__path__"):
        return importlib.import_module(f"{base}.{name}")
    return getattr(module, name) if name else module


def _is_import(frame: FrameType) -> bool:
    """Whether it is at a `from module import name`, which makes words of its own for an AttributeError."""
    from opcode import opmap  # only for who asks for what is not there

    return frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
