"""What the public classes of Twisted's modules have and ours lack: public attributes and methods, and base classes.

    python tests/peers/classes.py

Compares, for each module of the takeover's table, every class that has a public name there with what a program gets for
it; of the names themselves, tests/peers/names.py keeps account. A base class counts if `issubclass` says so. What ours
are to lack is in EXCEPTIONS. Exit status 1 if anything else is lacking, or an exception excuses nothing.
"""

import importlib
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

#: Reason: what it excuses, as `class attribute` or `class <base class`, with patterns.
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
            }
    return found


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
        for base in has["bases"]:
            above = named(base)
            if above is None or not issubclass(kind, above):
                found.append(f"{name} <{base}")
    return found


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
        json.dump(of_twisted() if sys.argv[1] == "--stock" else lacking(json.load(sys.stdin)), sys.stdout)
        return 0
    stock = ask(__file__, "--stock")
    found = ask("-m", "torsion", "run", __file__, "--ours", given=stock)
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
