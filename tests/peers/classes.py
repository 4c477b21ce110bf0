"""What the public classes of Twisted's modules have and ours lack: public attributes and methods, what these take, base
classes, what can be done with a class, and what `typing.get_type_hints` says of it, and of functions.

    python tests/peers/classes.py

Compares, for each module of the takeover's table, every class that has a public name there with what a program gets
for it; of the names themselves, tests/peers/names.py keeps account. A base class counts if `issubclass` says so. A
method has to take each parameter in its place and under its name; it may take more. What ours are to lack is in
EXCEPTIONS. Exit status 1 if anything else is lacking, or an exception excuses nothing.
"""

import importlib
import inspect
import json
import pickle
import subprocess
import sys
import typing
import warnings
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

#: Reason: what it excuses, as `class attribute`, `class <base class`, `class method(parameter, place)`, `class: what
#: can be done with it`, or `name: type hints`, with patterns.
EXCEPTIONS = {
    "how Twisted keeps what waits to be written; drained() says when it is gone": ["* dataBuffer", "* offset"],
    "False in Twisted, for ever": ["*Reactor installed", "twisted.internet.base.ReactorBase installed"]
    + ["twisted.internet.posixbase.PosixReactorBase installed"],
    "how Twisted's reactor ends its pool": ["* threadpoolShutdownID"],
    "to look at how Twisted's forks": ["twisted.internet.process.Process debug*"],
    "how Twisted's sees that the reader has gone": ["*.ProcessWriter enableReadHack", "*.ProcessWriter ic"],
    "a UNIX socket's address is no host and port, and nobody is its broadcast": [
        f"twisted.internet.unix.{kind}DatagramPort {what}"
        for kind in ("", "Connected")
        for what in ("connect", "[gs]etBroadcastAllowed", "<twisted.internet.udp.Port")
    ],
    "of an adapter of zope's: ours is registered as one, and needs none of it": [
        f"twisted.internet.protocol.{kind} {what}"
        for kind in ("ProtocolToConsumerAdapter", "ConsumerToProtocolAdapter")
        for what in ("isuper", "multiComponent", "temporaryAdapter", "<twisted.python.components.*")
    ],
    "what a reactor of another make is mixed with": ["* <twisted.internet.base.PluggableResolverMixin"],
    "the interface says otherwise: data, iovec": ["* write(bytes, 0)", "* dataReceived(bytes, 0)"]
    + ["*.BufferingTLSTransport writeSequence(sequence, 0)"],
    "the interface says otherwise: callable": ["*Reactor* call*Thread(*, 0)"],
    "the interface says otherwise: delay": ["*Reactor do*(timeout, 0)", "*.AsyncioSelectorReactor iterate(timeout, 0)"],
    "the interface says otherwise: reason": ["*.ReconnectingClientFactory clientConnectionLost(unused_reason, 1)"],
    "by its place only: the name is the called function's to use": ["*.Deferred[LS]* run(f, 0)"],
    "an enumeration of the standard library's": ["*.StandardErrorBehavior lookupByName(name, 0)"]
    + ["*.StandardErrorBehavior: s*"],
    "it has one address": ["*.ConnectedDatagramPort writeSequence(addr, 1)"],
    "annotated with what is only imported where it is used, or with Deferred where that is a type of C's": [
        f"{name}: type hints"
        for name in ("*.Deferred*.*Future", "*.Deferred*.addTimeout", "twisted.internet.defer.*", "*.task.*")
        + ("twisted.internet.threads.*", "*Reactor*.*UNIX*", "*Reactor*.getThreadPool")
    ],
    "ours is a lock of its own": ["*.DeferredFilesystemLock <twisted.python.lockfile.FilesystemLock"],
}
#: Bases that say nothing of what an object can do.
SAY_NOTHING = {"abc.ABC", "typing.Generic", "typing.Protocol"}

Classes = dict[str, dict[str, list[str]]]


def public(module: Any) -> Iterator[tuple[str, type]]:
    for name, value in vars(module).items():
        if isinstance(value, type) and not name.startswith("_") and value.__module__.startswith("twisted."):
            yield f"{module.__name__}.{name}", value


def of_twisted() -> Classes:
    """By class: its public attributes, and the classes in public modules that it is made from."""
    from torsion.takeover.table import TABLE

    found: Classes = {}
    seen: set[type] = set()
    for module in [name for name in TABLE if "._" not in name]:
        for name, kind in public(importlib.import_module(module)):
            if kind.__module__ != module and kind.__module__ in TABLE:
                continue  # it is looked at where it is from
            if kind in seen:
                continue
            seen.add(kind)
            bases = [f"{each.__module__}.{each.__qualname__}" for each in kind.__mro__[1:-1]]
            found[name] = {
                "attributes": [each for each in dir(kind) if not each.startswith("_") or each == "__class_getitem__"],
                "bases": [each for each in bases if "._" not in each and each not in SAY_NOTHING],
                "takes": [f"{method}({name}, {at})" for method, name, at in taken(kind)],
                "allows": allowed(kind),
            }
    return found


def taken(kind: type) -> Iterator[tuple[str, str, int]]:
    """The parameters of its public methods that can be given by name, each with its place."""
    for method in ["__init__", *(each for each in dir(kind) if not each.startswith("_"))]:
        function = inspect.getattr_static(kind, method, None)
        bound = isinstance(function, (classmethod, staticmethod))
        try:
            parameters = list(inspect.signature(getattr(kind, method)).parameters.values())
        except (AttributeError, TypeError, ValueError):  # no function, or one that says nothing of what it takes
            continue
        for at, each in enumerate(parameters if bound else parameters[1:]):
            if each.kind is each.POSITIONAL_OR_KEYWORD and not each.name.startswith("_"):
                yield method, each.name, at


def allowed(kind: type) -> list[str]:
    """What can be done with the class and its objects."""

    def slots() -> None:
        type(kind)("Sub", (kind,), {"__slots__": ("another",)})

    def named() -> None:
        if pickle.loads(pickle.dumps(kind)) is not kind:
            raise ValueError

    found = []
    for what, act in (("subclass", lambda: type(kind)("Sub", (kind,), {})), ("slots", slots), ("pickle", named)):
        try:
            act()
            found.append(what)
        except (TypeError, ValueError, AttributeError, pickle.PicklingError):
            pass
    found += ["weak references"] if kind.__weakrefoffset__ else []
    return found + (["any attribute"] if kind.__dictoffset__ else [])


def hints() -> dict[str, bool]:
    """Whether `typing.get_type_hints` can say how each public class, method and function is annotated."""
    from torsion.takeover.table import TABLE

    found = {}
    for module in [name for name in TABLE if "._" not in name]:
        for name, value in vars(importlib.import_module(module)).items():
            if name.startswith("_") or not str(getattr(value, "__module__", "")).startswith(("twisted.", "torsion.")):
                continue
            asked = {name: value} if callable(value) else {}
            if isinstance(value, type):
                for each in ["__init__", *(each for each in dir(value) if not each.startswith("_"))]:
                    asked[f"{name}.{each}"] = inspect.getattr_static(value, each, None)
            found.update({f"{module}.{each}: type hints": has_hints(what) for each, what in asked.items()})
    return found


def has_hints(what: object) -> bool:
    try:
        typing.get_type_hints(what)
    except NameError:
        return False
    except TypeError:  # nothing that could have them
        pass
    return True


def lacking(stock: Classes) -> list[str]:
    """What ours lack of it, each as in EXCEPTIONS."""
    found = []
    for name, has in stock.items():
        kind = named(name)
        if not isinstance(kind, type):
            continue
        ours: set[str] = set()
        for each in kind.__mro__:  # and what is set when one is made
            ours.update(vars(each))
            for begins in ("__init__", "_begin_flow"):
                ours.update(getattr(getattr(getattr(each, begins, None), "__code__", None), "co_names", ()))
        found += [f"{name} {each}" for each in has["attributes"] if each not in ours]
        takes = {f"{method}({name}, {at})" for method, name, at in taken(kind)}
        lacks = [each for each in has["takes"] if each not in takes]
        found += [f"{name} {each}" for each in lacks if known(kind, each.partition("(")[0])]
        found += [f"{name}: {each}" for each in has["allows"] if each not in allowed(kind)]
        for base in has["bases"]:
            above = named(base)
            if above is None or not issubclass(kind, above):
                found.append(f"{name} <{base}")
    return found


def known(kind: type, method: str) -> bool:
    """Whether what it takes can be asked: not of a compiled `__init__`, nor of what only its objects have."""
    function = getattr(kind, method, None)
    return inspect.isfunction(function) if method == "__init__" else callable(function)


def named(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return None


def ask(*command: str, given: object = None) -> Any:
    done = subprocess.run(
        [sys.executable, *command], input=json.dumps(given), capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def main() -> int:
    if sys.argv[1:]:
        warnings.simplefilter("ignore")
        on_stock = sys.argv[1] == "--stock"
        json.dump([of_twisted() if on_stock else lacking(json.load(sys.stdin)), hints()], sys.stdout)
        return 0
    stock, answers = ask(__file__, "--stock")
    found, ours = ask("-m", "torsion", "run", __file__, "--ours", given=stock)
    found += [each for each, has in ours.items() if not has and answers.get(each)]
    patterns = [pattern for those in EXCEPTIONS.values() for pattern in those]
    excused = {pattern: [each for each in found if fnmatchcase(each, pattern)] for pattern in patterns}
    left = [each for each in found if not any(each in those for those in excused.values())]
    idle = [pattern for pattern, those in excused.items() if not those]
    for each in left:
        print(f"lacking  {each}")
    for pattern in idle:
        print(f"excuses nothing  {pattern}")
    print(f"{len(stock)} classes, {len(found) - len(left)} exceptions, {len(left)} lacking")
    return 1 if left or idle or not stock else 0


if __name__ == "__main__":
    sys.exit(main())
