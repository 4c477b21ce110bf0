"""What the commands print."""

import os
import sys


def write(text: str) -> None:
    """Print to stdout, at once. That nobody reads it any more (`| head`) is no error; what comes later goes nowhere."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # Python flushes what is left when it ends
