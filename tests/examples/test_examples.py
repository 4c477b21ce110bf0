"""Every example runs to its end and says what it should; the unmodified programs with Twisted installed and without."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.interpreters import Python, needs_twisted

EXAMPLES = Path(__file__).parents[2] / "examples"

# What each program prints. A name ends in "!" where it goes to stderr.
ONE_CALLBACK = r"Result received: 9\n"
MANY_CALLBACKS = r"Result: 12\n"
MANY_CALLBACKS_ERRORS = r"\[Failure instance: Traceback.*<class 'ValueError'>: You used an odd number!\n.*\]\n"
WORKER_THREAD = r"Main: MainThread\nWorker: PoolThread-\S+\nLoaded: THE CONTENTS OF HTTP://EXAMPLE.TEST/\n"
SCHEDULER = (
    r"(?s)(?=.*quick: step 3 of 3\n)(?=.*endless: step 1 of 10000\n)"
    r".*sampler: \d+ ticks\n.*quick: done\n.*endless: given up after 0.5 s\n"
)
JOB_QUEUE = (
    "".join(rf"job {number}: {number * 540} in PoolThread\n" for number in range(1, 6))
    + r"job 6: cancelled in the queue\nstuck job: cancelled while running\n"
)
ASYNCIO_AND_DEFERREDS = (
    "asyncio was asked: 12\nTorsion was answered: 144\nasyncio waited for a Deferred\nall in one thread: True\n"
)
PROCESS_POOL = (
    "1229 primes below 10000\n2262 primes below 20000\nthe worker ended by signal 9\n3245 primes below 30000\n"
    "4203 primes below 40000\nworkers left: 0\n"
)
# Programs that serve until they are told to end, or ask a server: test_network_examples.py
SERVING = {
    "chat_server",
    "crowd",
    "dask_word_count",
    "echo_client",
    "echo_server",
    "handover",
    "key_value_server",
    "port_forwarder",
    "static_files",
    "tls_echo",
    "udp_echo_server",
    "udp_time_server",
    "web_hello",
    "watchdog",
}


class Program:
    """A program that is started at once, so that all of them run side by side; and what came of it."""

    def __init__(self, python: Python, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [python.executable, "-W", "error", *arguments],
            env=python.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def check(self, output: str, errors: str = "") -> str:
        printed, complained = self.process.communicate(timeout=120)
        assert re.fullmatch(errors, complained), complained
        assert re.fullmatch(output, printed), printed
        assert self.process.returncode == 0
        return printed


@pytest.fixture(scope="module")
def programs(full: Python, bare: Python) -> dict[str, Program]:
    started = {}
    for path in sorted(EXAMPLES.glob("*.py")):
        if path.stem not in SERVING | {"demo"}:
            started[path.stem] = Program(bare, str(path))
    for path in sorted((EXAMPLES / "unmodified").glob("*.py")):
        if path.stem in SERVING:
            continue
        for python, name in ((bare, "without Twisted"), (full, "with Twisted")):
            started[f"{path.stem} {name}"] = Program(python, "-m", "torsion", "run", str(path))
    return started


WAYS = ["", " without Twisted", pytest.param(" with Twisted", marks=needs_twisted)]


@pytest.mark.parametrize("way", WAYS)
def test_one_callback(programs: dict[str, Program], way: str) -> None:
    programs["one_callback" + way].check(ONE_CALLBACK)


@pytest.mark.parametrize("way", WAYS)
def test_many_callbacks(programs: dict[str, Program], way: str) -> None:
    programs["many_callbacks" + way].check(MANY_CALLBACKS, MANY_CALLBACKS_ERRORS)


@pytest.mark.parametrize("way", WAYS)
def test_worker_thread(programs: dict[str, Program], way: str) -> None:
    programs["worker_thread" + way].check(WORKER_THREAD)


def test_scheduler(programs: dict[str, Program]) -> None:
    programs["scheduler"].check(SCHEDULER)


def test_job_queue(programs: dict[str, Program]) -> None:
    programs["job_queue"].check(JOB_QUEUE)


def test_process_pool(programs: dict[str, Program]) -> None:
    programs["process_pool"].check(PROCESS_POOL)


def test_asyncio_and_deferreds(programs: dict[str, Program]) -> None:
    programs["asyncio_and_deferreds"].check(ASYNCIO_AND_DEFERREDS)


@pytest.mark.parametrize("way", WAYS[1:])
def test_the_job_of_the_demonstration_does_all_of_it(programs: dict[str, Program], way: str) -> None:
    steps = json.loads(programs["job" + way].check(r"\{.*\}\n"))
    assert [step["done"] for step in steps.values()] == [10_000, 1_000, 100_000]


def test_every_example_is_run_here(programs: dict[str, Program]) -> None:
    tested = {path.stem for path in EXAMPLES.rglob("*.py")} - {"demo"} - SERVING
    assert tested == {name.partition(" with")[0] for name in programs}
