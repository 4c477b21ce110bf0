"""Child processes that receive our environment inherit the takeover.

Python runs a module called `sitecustomize` when it starts. The folder `inherit/` has one, and stands first in the
child's PYTHONPATH; it installs the takeover and then gives way to the `sitecustomize` that would have run otherwise. A
child started with `-I`, `-E` or `-S`, or with an environment of its own, is left alone: that is what these ask for.

Some programs hand our environment on but for PYTHONPATH, of which they make their own `sys.path` (trial does, for its
worker processes). A mark in the environment shows these to spawnProcess, which puts the folder first again.
"""

import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inherit")
MARK = "TORSION_INHERIT"


def inherit() -> None:
    """Set this process's environment so that its children take over too."""
    os.environ[MARK] = "1"
    os.environ["PYTHONPATH"] = _with_folder(os.environ.get("PYTHONPATH", ""))


def complete(environment: dict[bytes, bytes]) -> None:
    """Let a child inherit whose environment was made from ours."""
    if MARK.encode() in environment:
        path = os.fsdecode(environment.get(b"PYTHONPATH", b""))
        environment[b"PYTHONPATH"] = os.fsencode(_with_folder(path))


def _with_folder(path: str) -> str:
    """This PYTHONPATH, with the folder. Empty entries are kept: to Python they mean the current directory."""
    if FOLDER in path.split(os.pathsep):
        return path
    return FOLDER + os.pathsep + path if path else FOLDER
