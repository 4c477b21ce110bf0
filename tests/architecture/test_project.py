"""The project as a whole: sizes, statements that have tests, nothing of one machine, documents whose examples run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from torsion import lane

PROJECT = Path(__file__).resolve().parents[2]
KINDS = ("*.py", "*.pyx", "*.pxd", "*.md", "*.toml", "*.in", "Makefile", "run", "*.txt", "*.c", "*.yml")
FOLDERS = ("src", "tests", "benchmarks", "examples", "docs", ".ci")
FILES = sorted(
    path
    for path in {
        *(found for kind in KINDS for found in PROJECT.glob(kind)),
        *(found for folder in FOLDERS for kind in KINDS for found in (PROJECT / folder).rglob(kind)),
    }
    if path.is_file() and ".egg-info" not in str(path)
)
CODE = [path for path in FILES if path.suffix in (".py", ".pyx", ".pxd", ".c")]

#: Numbered statements of behaviour that are implemented so far, and so have tests.
STATEMENTS = {*range(1, 55), *range(84, 95)}
LAST_STATEMENT = 108


def named(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def test_no_file_is_longer_than_800_lines() -> None:
    long = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {name: lines for name, lines in long.items() if lines > 800} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [named(path) for path in Path(lane.ROOT).rglob("*.py") if not path.read_text().lstrip().startswith('"""')]
    assert silent == []


def test_nothing_names_a_path_of_one_machine() -> None:
    places = ["work", "root", "farm", "opt", "tmp/w", "tmp/studio", "home/[a-z]"]
    pattern = re.compile(r"(?<![\w.})*])/(" + "|".join(places) + r")(/|\b(?=[\s\"'`]))")
    found = [
        f"{named(path)}:{number}: {line.strip()[:100]}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_implemented_statement_has_a_test_that_bears_its_number() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py"))
    numbers = {int(number) for number in re.findall(r"^\s*(?:async )?def test_s(\d{3})_", tests, re.MULTILINE)}
    assert STATEMENTS - numbers == set(), "statements without a test"
    assert {number for number in numbers if not 1 <= number <= LAST_STATEMENT} == set(), "no such statement"


def blocks(path: Path) -> list[tuple[str, str]]:
    """The Python programs of a document, each with the output that a `text` block directly after it shows."""
    found = re.findall(r"```python\n(.*?)```\n(?:\s*```text\n(.*?)```)?", path.read_text(encoding="utf-8"), re.DOTALL)
    return [(program, output) for program, output in found]


PROGRAMS = [
    pytest.param(program, output, id=f"{named(path)}-{number}")
    for path in FILES
    if path.suffix == ".md"
    for number, (program, output) in enumerate(blocks(path), 1)
]


def test_the_readme_has_a_program() -> None:
    assert blocks(PROJECT / "README.md")


@pytest.mark.parametrize(("program", "output"), PROGRAMS)
def test_programs_in_documents_run_and_print_what_they_say(program: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(lane.ROOT).parent)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == output
