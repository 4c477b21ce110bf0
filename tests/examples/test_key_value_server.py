"""The key-value server, with redis-cli and with bare sockets at the other end."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from tests.examples.test_examples import EXAMPLES
from tests.examples.test_network_examples import connect, read_all, read_exactly, serving
from tests.interpreters import Python


# Asked for before the server: a test that is skipped starts none.
@pytest.fixture
def redis_cli(client: Callable[[str], str]) -> str:
    return client("redis-cli")


@pytest.fixture
def nc(client: Callable[[str], str]) -> str:
    return client("nc")


@pytest.fixture
def store(bare: Python) -> Iterator[int]:
    with serving(bare, "-W", "error", str(EXAMPLES / "key_value_server.py")) as port:
        yield port


def test_redis_cli(redis_cli: str, store: int) -> None:
    def redis(*words: str, given: bytes | None = None) -> str:
        command = [redis_cli, "-p", str(store), *(["-x"] if given is not None else []), *words]
        done = subprocess.run(command, input=given or b"", capture_output=True, timeout=60, check=True)
        return done.stdout.decode().strip()

    assert redis("ping") == "PONG"
    assert redis("echo", "two words") == "two words"
    assert redis("set", "name", "Ada Lovelace") == "OK"
    assert redis("get", "name") == "Ada Lovelace"
    assert redis("get", "nobody") == ""
    big = b"line\r\n" * 100_000
    assert redis("set", "big", given=big) == "OK"
    assert redis("get", "big").encode() == big.strip()
    assert [redis("incr", "n") for _ in range(3)] == ["1", "2", "3"]
    assert redis("incr", "name") == "ERR value is not an integer or out of range"
    assert redis("exists", "name", "big", "nobody") == "2"
    assert redis("keys", "*").split() == ["big", "n", "name"]
    assert redis("del", "name", "nobody", "n") == "2"
    assert redis("dbsize") == "1"
    assert redis("get") == "ERR wrong number of arguments"
    assert redis("frobnicate") == "ERR unknown command 'frobnicate'"
    assert redis("flushall") == "OK"
    assert redis("dbsize") == "0"


def test_redis_cli_pipes_many_commands(redis_cli: str, store: int) -> None:
    commands = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\nkey%d\r\n$1\r\nx\r\n" % (3 + len(str(n)), n) for n in range(5000))
    done = subprocess.run(
        [redis_cli, "-p", str(store), "--pipe"], input=commands, capture_output=True, timeout=60, check=True
    )
    assert b"errors: 0, replies: 5000" in done.stdout


def test_lines_of_words(nc: str, store: int) -> None:
    command = [nc, "-N", "127.0.0.1", str(store)]
    done = subprocess.run(
        command, input=b"set a 1\r\n\r\nGET a\r\nping\r\nquit\r\n", capture_output=True, timeout=60, check=True
    )
    assert done.stdout == b"+OK\r\n$1\r\n1\r\n+PONG\r\n+OK\r\n"


def test_any_split_of_the_requests(store: int) -> None:
    requests = (
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n*1\r\n$4\r\nquit\r\n"
    )
    for size in (1, 2, 3, 7, 1000):
        with connect(store) as talker:
            for at in range(0, len(requests), size):
                talker.sendall(requests[at : at + size])
            assert read_all(talker) == b"+OK\r\n$4\r\n\r\n\r\n\r\n+PONG\r\n+OK\r\n"


@pytest.mark.parametrize(
    "wrong",
    [
        b"*x\r\n",
        b"*-1\r\n",
        b"*1001\r\n",
        b"*2\r\nGET\r\n",
        b"*1\r\n$1000001\r\n",
        b"*1\r\n$%b\r\n" % (b"9" * 99),
        b"x" * 20_000,
    ],
)
def test_what_is_no_request_is_said_and_ends_the_connection(store: int, wrong: bytes) -> None:
    with connect(store) as talker:
        talker.sendall(wrong)
        assert read_all(talker).startswith(b"-ERR Protocol error: ")
    with connect(store) as talker:
        talker.sendall(b"PING\r\n")
        assert read_exactly(talker, 7) == b"+PONG\r\n"


def test_who_does_not_read_is_not_listened_to(store: int) -> None:
    with connect(store) as talker:
        talker.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$900000\r\n" + b"v" * 900_000 + b"\r\n")
        assert read_exactly(talker, 5) == b"+OK\r\n"
        talker.settimeout(1)
        asked = 0
        with pytest.raises(TimeoutError):
            while asked < 10_000_000:  # for as many, the buffers of the system do not suffice
                talker.sendall(b"GET k\r\n" * 1000)
                asked += 1000
