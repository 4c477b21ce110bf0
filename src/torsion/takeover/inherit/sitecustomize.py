"""Runs when a child of a taken-over process starts: takes over there too, then runs the user's own `sitecustomize`.

Nothing here may break a program: where Torsion cannot be imported (another interpreter, another environment), the child
runs as it would have without us.
"""

import importlib.util
import os
import sys


def _take_over() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    if sys.version_info < (3, 11):  # noqa: UP036 - a child may be any Python
        return
    # This file is torsion/takeover/inherit/sitecustomize.py. The parent process may have found torsion through a
    # sys.path that the child does not have, so the folder that holds it is searched last, for this one import.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(here))))
    try:
        import torsion.takeover
    except ImportError:
        return
    finally:
        sys.path.pop()
    torsion.takeover.install()


def _give_way() -> None:
    """Become the `sitecustomize` that stands next on the path, if there is one."""
    ours = sys.modules.pop("sitecustomize")
    spec = importlib.util.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        sys.modules["sitecustomize"] = ours
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


try:
    _take_over()
finally:
    _give_way()
