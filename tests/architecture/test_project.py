"""The project as a whole: sizes, statements that have tests, nothing of one machine, documents that are true:
their programs run, what they show of the source is the source, and their links lead somewhere.
"""

import ast
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from torsion import lane
from torsion.takeover.table import REACTOR, TABLE

PROJECT = Path(__file__).resolve().parents[2]
KINDS = ("*.py", "*.pyx", "*.pxd", "*.md", "*.toml", "*.in", "Makefile", "run", "*.txt", "*.c", "*.yml")
FOLDERS = ("src", "tests", "benchmarks", "examples", "docs", "fuzz", ".ci")
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
STATEMENTS = {*range(1, 55), *range(59, 76), *range(84, 95), *range(98, 104)}
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


SOURCE = r"<!-- from (\S+): (\S+) -->\n"
BLOCK = re.compile(rf"(?:{SOURCE})?```python( run)?\n(.*?)```\n(?:\s*```text\n(.*?)```)?", re.DOTALL)


def excerpts(path: Path) -> list[tuple[str, str, str]]:
    """What a document shows of our source: the file, the name of what is shown, and the text."""
    return [(file, name, text) for file, name, _, text, _ in BLOCK.findall(path.read_text(encoding="utf-8")) if file]


def programs(path: Path) -> list[tuple[list[str], str, str]]:
    """The programs of a document: how to run them, the text, and the output that a `text` block after it shows.

    "```python run" is a program for `torsion run`.
    """
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [(["-m", "torsion", "run"] if run else [], text, output) for file, _, run, text, output in found if not file]


DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
EXCERPTS = [
    pytest.param(file, name, text, id=f"{named(path)}-{name}")
    for path in DOCUMENTS
    for file, name, text in excerpts(path)
]
PROGRAMS = [
    pytest.param(command, program, output, id=f"{named(path)}-{number}")
    for path in DOCUMENTS
    for number, (command, program, output) in enumerate(programs(path), 1)
]


def test_the_documents_show_programs_and_the_heart() -> None:
    assert programs(PROJECT / "README.md")
    assert [name for _, name, _ in excerpts(PROJECT / "docs" / "design.md")][:1] == ["Engine.turn"]


@pytest.mark.parametrize(("command", "program", "output"), PROGRAMS)
def test_programs_in_documents_run_and_print_what_they_say(
    command: list[str], program: str, output: str, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", *command, "program.py"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(lane.ROOT).parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == output


@pytest.mark.parametrize(("file", "name", "text"), EXCERPTS)
def test_what_documents_show_of_the_source_is_the_source(file: str, name: str, text: str) -> None:
    source = (PROJECT / file).read_text(encoding="utf-8")
    node: Any = ast.parse(source)
    for part in name.split("."):
        (node,) = (each for each in node.body if getattr(each, "name", "") == part)
    lines = source.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]
    assert text == textwrap.dedent("".join(lines)), f"copy {name} into the document as it is now"


def test_links_in_documents_lead_somewhere() -> None:
    broken = [
        f"{named(path)}: {target}"
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_what_the_documents_call_ours_is_in_the_table_of_the_takeover() -> None:
    text = (PROJECT / "docs" / "twisted.md").read_text(encoding="utf-8")
    claimed = set()
    for row in re.findall(r"^\| `(twisted[\w.]*)`(?::(.*?))? \| ours", text, re.MULTILINE):
        claimed |= {f"{row[0]}.{name}" for name in re.findall(r"`(\w+)`", row[1])} or {row[0]}
    assert len(claimed) > 10
    assert claimed - {REACTOR, *TABLE} == set()
