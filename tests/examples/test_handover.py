"""The example of a server that is replaced while clients come: none is refused, and none is cut."""

import os
import re
import signal
import socket
import subprocess

from tests.examples.test_examples import EXAMPLES, Program
from tests.interpreters import Python

PATIENCE = 30  # seconds


def ask(connection: socket.socket) -> int:
    """Which process serves this connection."""
    connection.sendall(b"who are you\n")
    answer = b""
    while not answer.endswith(b"\n"):
        piece = connection.recv(100)
        assert piece, "the connection was cut"
        answer += piece
    found = re.fullmatch(rb"(\d+) who are you\n", answer)
    assert found, answer
    return int(found[1])


def test_no_client_is_refused_while_a_server_is_replaced(bare: Python) -> None:
    program = Program(bare, str(EXAMPLES / "handover.py"))
    output = program.process.stdout
    assert output is not None
    successors: list[int] = []
    try:
        first = re.fullmatch(r"process (\d+) serves 127.0.0.1:(\d+)\n", output.readline())
        assert first
        old, address = int(first[1]), ("127.0.0.1", int(first[2]))
        assert old == program.process.pid
        serving = old
        for _ in range(2):  # the successor has one too
            staying = socket.create_connection(address, timeout=PATIENCE)
            assert ask(staying) == serving
            os.kill(serving, signal.SIGHUP)
            successors.append(serving)
            while successors[-1] == serving:
                with socket.create_connection(address, timeout=PATIENCE) as connection:
                    successors[-1] = ask(connection)
            assert re.fullmatch(rf"process {successors[-1]} serves 127.0.0.1:{address[1]}\n", output.readline())
            assert ask(staying) == serving  # a connection stays with the process that has it
            staying.close()
            assert output.readline() == f"process {serving} is done, 0 cut\n"
            serving = successors[-1]
        assert program.process.wait(PATIENCE) == 0
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            assert ask(connection) == serving
        os.kill(serving, signal.SIGTERM)
        assert output.readline() == f"process {serving} is done, 0 cut\n"
        assert output.read() == ""
        assert program.process.stderr is not None
        assert program.process.stderr.read() == ""
    finally:
        for pid in successors:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        program.process.kill()
        try:
            program.process.communicate(timeout=PATIENCE)
        except (ValueError, subprocess.TimeoutExpired):
            pass
