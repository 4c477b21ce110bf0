"""`python -m torsion`: run a program on our engine, or say what is installed. Only what is asked for is imported."""

import sys

USAGE = """\
usage: python -m torsion run script.py [arguments]     run an unmodified Twisted program on Torsion
       python -m torsion run -m module [arguments]
       python -m torsion run name [arguments]          a console script, such as trial, twistd or pytest
       python -m torsion doctor script.py              which modules of a program would be ours, and what to look at
       python -m torsion info                          version, lane, freshness, poller, Python
"""


def main(arguments: list[str] | None = None) -> int:
    """Dispatch a command line (without the program's name; `sys.argv` by default) and return the exit status."""
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if command == "run":
        from .cli import run

        return run.main(rest)
    if command == "info":
        from .cli import info

        return info.main(rest)
    if command == "doctor":
        from .cli import doctor

        return doctor.main(rest)
    if command in ("-h", "--help", "help"):
        from .cli import output

        output.write(USAGE)
        return 0
    if command:
        print(f"torsion: no such command: {command!r}", file=sys.stderr)
    print(USAGE, end="", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
