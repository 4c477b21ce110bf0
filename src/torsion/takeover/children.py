"""Child processes that receive our environment inherit the takeover.

Python runs a module called `sitecustomize` when it starts. The folder `inherit/` has one, and stands first in the
child's PYTHONPATH; it installs the takeover and then gives way to the `sitecustomize` that would have run otherwise. A
child started with `-I`, `-E` or `-S`, or with an environment of its own, is left alone: that is what these ask for.
"""

import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inherit")


def inherit() -> None:
    """Set this process's environment so that its children take over too."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if FOLDER not in paths:
        # Empty entries are kept: to Python they mean the current directory.
        os.environ["PYTHONPATH"] = os.pathsep.join([FOLDER, *paths] if paths != [""] else [FOLDER])
