"""Which of the two lanes runs: the compiled modules, or the same modules interpreted.

Three rules:

1. One lane a process, chosen once, when `torsion` is imported and before any hot module is. A mixture is never run:
   a compiled module whose compiled neighbour is missing fails at import with an error nobody understands.
2. Compiled is the default wherever the whole of it is there; `TORSION_PURE=1` asks for the interpreted lane of the
   same installation.
3. What was compiled is known by content, not by date: a hash of all sources is compiled in (`torsion._stamp`, made by
   setup.py) and compared with the sources that are present now.

setup.py loads this file by its path, so it imports nothing of ours and does nothing when imported.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, FileFinder, SourceFileLoader

TYPE_CHECKING = False  # typing's own would cost more to import than this module
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

COMPILED = "compiled"
INTERPRETED = "interpreted"
PURE_VARIABLE = "TORSION_PURE"

ROOT = os.path.dirname(os.path.abspath(__file__))
STAMP = "torsion._stamp"
# setup.py leaves here why there is no compiled lane: pip shows the output of a build to nobody.
REASON_FILE = "_interpreted.txt"


class SourceFinder:
    """A meta path finder that answers for the modules inside `torsion`, and sees only their `.py` files."""

    def __init__(self) -> None:
        self._finders: dict[str, FileFinder] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or not fullname.startswith("torsion."):
            return None
        for directory in path:
            finder = self._finders.get(directory)
            if finder is None:
                finder = self._finders[directory] = FileFinder(directory, (SourceFileLoader, SOURCE_SUFFIXES))
            spec = finder.find_spec(fullname)
            if spec is not None and spec.loader is not None:
                return spec
        return None

    def invalidate_caches(self) -> None:
        for finder in self._finders.values():
            finder.invalidate_caches()


def sources(root: str = ROOT) -> list[str]:
    """Relative paths of all that the compiled lane is made from: `.pyx`, `.pxd`, and each `.py` beside a `.pxd`."""
    found = []
    for directory, _, files in os.walk(root):
        names = set(files)
        for name in files:
            stem, suffix = os.path.splitext(name)
            if suffix in (".pyx", ".pxd") or (suffix == ".py" and stem + ".pxd" in names):
                found.append(os.path.relpath(os.path.join(directory, name), root))
    return sorted(found)


def hot_modules(root: str = ROOT) -> dict[str, str]:
    """The modules that are compiled: {"torsion.core.timers": "core/timers.py"}; a `.pyx` wins over its `.py` twin."""
    found: dict[str, str] = {}
    for path in sources(root):
        stem, suffix = os.path.splitext(path)
        if suffix == ".py" or suffix == ".pyx":
            found["torsion." + stem.replace(os.sep, ".")] = path
    return found


def fingerprint(root: str = ROOT) -> str:
    """A hash over the names and contents of all sources of the compiled lane."""
    import hashlib  # not needed to start, and slow to load

    digest = hashlib.sha256()
    for path in sources(root):
        with open(os.path.join(root, path), "rb") as file:
            content = file.read()
        digest.update(f"{path.replace(os.sep, '/')} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def choose() -> str:
    """Choose the lane of this process and make imports follow. Called once, by the package itself."""
    if os.environ.get(PURE_VARIABLE, "") in ("", "0") and _whole():
        return COMPILED
    sys.meta_path.insert(0, SourceFinder())
    return INTERPRETED


def _whole() -> bool:
    """Whether every module that the stamp names is there, compiled for this interpreter."""
    suffix = EXTENSION_SUFFIXES[0]
    if not os.path.exists(os.path.join(ROOT, "_stamp" + suffix)):
        return False
    try:
        from torsion import _stamp
    except ImportError:
        return False
    modules = _stamp.MODULES.split()
    return all(os.path.exists(os.path.join(ROOT, *name.split(".")[1:]) + suffix) for name in modules)


def compiled_from() -> str | None:
    """The fingerprint of the sources that this installation was compiled from; None where nothing is compiled."""
    if not os.path.exists(os.path.join(ROOT, "_stamp" + EXTENSION_SUFFIXES[0])):
        return None
    from torsion import _stamp

    return _stamp.FINGERPRINT


def freshness(lane: str) -> str:
    """`fresh` or `stale`: whether the compiled modules were made from the sources present now; `-` if interpreted."""
    if lane != COMPILED:
        return "-"
    return "fresh" if compiled_from() == fingerprint() else "stale"


def reason(lane: str) -> str:
    """Why the interpreted lane runs, in a few words; empty for the compiled lane."""
    if lane == COMPILED:
        return ""
    if os.environ.get(PURE_VARIABLE, "") not in ("", "0"):
        return f"{PURE_VARIABLE} is set"
    try:
        with open(os.path.join(ROOT, REASON_FILE), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return "there is no complete compiled lane for this interpreter"
