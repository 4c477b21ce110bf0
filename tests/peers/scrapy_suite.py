"""Scrapy's own tests of what runs on the reactor, unmodified, on stock Twisted and on our engine, test by test.

    python tests/peers/scrapy_suite.py --python PATH --sdist FILE [--reactor NAME]... [TEST FILE]...

    --python PATH    interpreter of an environment that has Scrapy and what its tests need
    --sdist FILE     Scrapy's source archive: its tests are in there, and not in the wheel
    --reactor NAME   `asyncio` (the one that Scrapy asks for by name) or `default`; both if none is given

Each side has an unpacked archive of its own in a temporary folder. A test is *lost* if it passes on stock and does not
on ours. Exit status: 0 if none is lost, 1 if any is, 2 if there was nothing to compare. Many tests run programs, so it
takes a while. Left out are those that Scrapy marks as in need of the Internet: where there is none, each takes minutes
to fail.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from xml.etree import ElementTree

#: What meets the reactor: the engine, downloads, crawls, pipelines, middleware, and the commands that run them.
FILES = """closespider command_fetch command_shell core_downloader core_scraper crawl crawler crawler_runners
    crawler_subprocess downloader_handler_twisted_http11 downloader_handler_twisted_http2 downloader_handlers
    downloadermiddleware downloadermiddleware_robotstxt downloaderslotssettings engine engine_close_spider
    engine_download engine_loop engine_stop_download_bytes engine_stop_download_headers extension_telnet feedexport
    http2_client_protocol pipeline_crawl pipeline_files pipeline_media pipelines request_attribute_binding
    request_cb_kwargs request_left resolver scheduler signalmanager signals spider_crawl spider_start
    spidermiddleware spidermiddleware_base spidermiddleware_output_chain spidermiddleware_process_start
    spidermiddleware_start utils_asyncgen utils_asyncio utils_benchserver utils_defer utils_log utils_reactor
    utils_signal""".split()
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=120", "-m", "not requires_internet"]
OURS = ["-m", "torsion", "run"]


def outcomes(python: str, sdist: Path, before: list[str], reactor: str, files: list[str]) -> dict[str, str]:
    """What became of each test: "passed", "skipped", or the text of its failure."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        [tree] = Path(folder).iterdir()
        report = Path(folder) / "report.xml"
        command = [python, *before, *PYTEST, f"--reactor={reactor}", f"--junitxml={report}", *files]
        done = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if not report.exists():
            sys.exit(f"{' '.join(command)} made no report:\n{done.stdout[-3000:]}")
        found = {}
        for case in ElementTree.parse(report).iter("testcase"):
            bad = [part for part in case if part.tag in ("failure", "error")]
            text = "skipped" if case.find("skipped") is not None else "passed"
            found[f"{case.get('classname')}.{case.get('name')}"] = (bad[0].text or bad[0].tag) if bad else text
        return found


def compare(python: str, sdist: Path, reactor: str, files: list[str]) -> tuple[int, int]:
    """Print what is lost; returns how many tests pass on stock, and how many of them are lost."""
    stock = outcomes(python, sdist, [], reactor, files)
    ours = outcomes(python, sdist, OURS, reactor, files)
    expected = {test for test, outcome in stock.items() if outcome == "passed"}
    lost = sorted(test for test in expected if ours.get(test) != "passed")
    print(
        f"{'LOST' if lost else 'ok':4}  scrapy, {reactor} reactor: {len(expected) - len(lost)} of {len(expected)} pass"
    )
    for test in lost:
        print(f"      lost      {test}: {ours.get(test, 'not there')[-1500:]}")
    return len(expected), len(lost)


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--sdist", type=Path, required=True)
    parser.add_argument("--reactor", action="append", choices=("asyncio", "default"))
    parser.add_argument("files", nargs="*", default=[f"tests/test_{name}.py" for name in FILES])
    options = parser.parse_args()
    # Children have it too, and a relative entry would lead nowhere from another folder.
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2] / "src")
    sides = [
        compare(options.python, options.sdist, each, options.files)
        for each in options.reactor or ("asyncio", "default")
    ]
    if not all(expected for expected, _ in sides):
        return 2
    return int(any(lost for _, lost in sides))


if __name__ == "__main__":
    sys.exit(main())
