"""examples/watchdog.py: a request that blocks is named with its line, one that waits is not; the numbers are shown."""

import signal

from tests.examples.test_examples import EXAMPLES, Program
from tests.examples.test_network_examples import connect
from tests.interpreters import Python

NAMED = (
    r"(?s)The event loop is blocked, for [\d.]+ ms up to now, by an event of Requests,0,127.0.0.1. "
    r"Stack of its thread:\n"
    r"  File .*in slow_query\n    time.sleep\(seconds\).*\n"
    r"The event loop goes on: an event of Requests,0,127.0.0.1 blocked it for about [\d.]+ m?s\n"
)


def test_the_watchdog_names_the_request_that_blocks_and_no_other(bare: Python) -> None:
    program = Program(bare, str(EXAMPLES / "watchdog.py"), "0", "0.2")
    assert program.process.stdout is not None
    port = int(program.process.stdout.readline().strip().rpartition(":")[2])
    with connect(port) as skt, skt.makefile("rwb") as lines:

        def ask(request: bytes) -> bytes:
            lines.write(request + b"\n")
            lines.flush()
            return bytes(lines.readline())

        assert ask(b"wait 0.5") == b"waited\n"
        assert ask(b"block 0.8") == b"blocked\n"
        assert ask(b"?") == b"stats, wait N or block N\n"
        assert ask(b"stats").startswith(b"busy ")
        shown = b"".join(lines.readline() for _ in range(5)).decode()
    assert "now at work for " in shown and ": an event of Requests,0,127.0.0.1\n" in shown
    assert " 1 by at most 1 s" in shown.splitlines()[-1]
    program.process.send_signal(signal.SIGTERM)
    program.check("", NAMED)
