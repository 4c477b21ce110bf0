"""What can be imported of Twisted, in this environment, can be imported on ours: modules take names from each other.

    python tests/peers/surface.py [--python PATH]

PATH is the interpreter of an environment that has Twisted, of any version that we promise to work with, and torsion.
Imports every module of Twisted there but tests, first as it is, then taken over. Exit status: 0 if none that can be
imported the first time cannot the second time, 1 if one is lost, 2 if nothing could be imported.
"""

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import warnings

SKIPPED = (".test", ".plugins", "__main__", ".iocpreactor", "twisted.trial._dist.worker")


def import_all() -> None:
    """Print, as JSON, the version and what becomes of each module: "" or why it cannot be imported."""
    warnings.simplefilter("ignore")
    twisted = importlib.import_module("twisted")
    found = {}
    for info in pkgutil.walk_packages(twisted.__path__, "twisted.", onerror=lambda name: None):
        if any(part in info.name for part in SKIPPED):
            continue
        try:
            importlib.import_module(info.name)
            found[info.name] = ""
        except (Exception, SystemExit) as error:
            found[info.name] = f"{type(error).__name__}: {error}"
    json.dump([twisted.__version__, found], sys.stdout)


def run(*command: str) -> tuple[str, dict[str, str]]:
    done = subprocess.run([*command, __file__, "--import"], capture_output=True, text=True, timeout=300)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    version, found = json.loads(done.stdout)
    return version, found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--import", dest="here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        import_all()
        return 0
    version, stock = run(options.python)
    _, ours = run(options.python, "-m", "torsion", "run")
    lost = {name: ours.get(name, "not there") for name, why in stock.items() if not why and ours.get(name, "?")}
    for name, why in lost.items():
        print(f"lost  {name}: {why}")
    imported = sum(1 for why in stock.values() if not why)
    print(f"Twisted {version}: {imported} of its modules can be imported, {len(lost)} of these not on ours")
    if not imported:
        return 2
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
