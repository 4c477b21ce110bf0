"""Endpoint strings: what is written is read back, and no text does anything but make an endpoint or say why not."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from torsion.endpoint import strings
from torsion.endpoints import clientFromString, quoteStringArgument, serverFromString

SERVERS = ["tcp", "tcp6", "unix", "ssl", "tls", "stdio", "fd", "systemd", "haproxy"]
CLIENTS = ["tcp", "ssl", "tls", "unix"]
NAMES = """port interface backlog address mode lockfile privateKey certKey sslmethod extraCertChain dhParameters path
    domain index name host timeout bindAddress caCertsDir certificate trustRoots endpoint self reactor kind function
    """.split()

text = st.text(st.one_of(st.sampled_from(":=\\ 0"), st.characters()), max_size=12)
value = st.one_of(text, st.integers(-3, 70000).map(str), st.sampled_from(["", "INET", "666", "1", *SERVERS]))
argument = st.one_of(value, st.tuples(st.sampled_from(NAMES), value).map("=".join))


def descriptions(kinds: list[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(argument, max_size=5)
    kind = st.one_of(st.sampled_from(kinds), text)
    return st.one_of(text, st.builds(lambda kind, rest: ":".join([kind, *rest]), kind, arguments))


class NoReactor:
    """Endpoints are made, not used."""


@given(st.lists(text, min_size=1), st.dictionaries(text, text))
def test_what_is_written_is_read_back(args: list[str], kwargs: dict[str, str]) -> None:
    assert strings.parse(strings.unparse(args, kwargs)) == (args, kwargs)


@given(text)
def test_an_argument_that_is_quoted_is_read_back(argument: str) -> None:
    endpoint: Any = serverFromString(NoReactor(), f"unix:address={quoteStringArgument(argument)}:lockfile=0")
    assert endpoint._address == argument
    endpoint = clientFromString(NoReactor(), f"unix:path={quoteStringArgument(argument)}")
    assert endpoint._path == argument


@given(text)
def test_quoting_twice_is_read_back_in_two_steps(argument: str) -> None:
    inner = f"unix:path={quoteStringArgument(argument)}"
    (_, kwargs) = strings.parse(f"x:endpoint={quoteStringArgument(inner)}")
    endpoint: Any = clientFromString(NoReactor(), kwargs["endpoint"])
    assert endpoint._path == argument


@given(descriptions(SERVERS))
@example("tcp")
@example("tcp:80\\")
@example("=")
@example("tcp:80:self=1")
@example("tcp:80:reactor=1")
@example("fd:99999999999999999999")
@example("unix:/x:mode=8")
@example("tcp:" + "9" * 5000)
@example("haproxy:" * 3000 + "tcp:80")
@example("tls:\0")
@example("ssl:1:privateKey=\ud800")
def test_any_text_makes_a_server_or_says_what_is_wrong(description: str) -> None:
    try:
        endpoint = serverFromString(NoReactor(), description)
    except (ValueError, OSError) as error:
        assert str(error) or isinstance(error, OSError)
    else:
        assert callable(endpoint.listen)


@given(descriptions(CLIENTS))
@example("tls:h:1:endpoint=tls\\:h\\:1\\:endpoint\\=tcp\\\\\\:h\\\\\\:1")
@example("tls:::1:443")
@example("tls:\\:\\:1:443")
@example("tcp:h:1:2")
@example("unix:")
def test_any_text_makes_a_client_or_says_what_is_wrong(description: str) -> None:
    try:
        endpoint = clientFromString(NoReactor(), description)
    except (ValueError, OSError) as error:
        assert str(error) or isinstance(error, OSError)
    else:
        assert callable(endpoint.connect)


@given(st.binary(max_size=20))
def test_bytes_are_text_in_utf_8(description: bytes) -> None:
    try:
        as_text = description.decode()
    except UnicodeDecodeError:
        with pytest.raises(ValueError):
            strings.parse(description)
        return
    try:
        expected = strings.parse(as_text)
    except ValueError:
        with pytest.raises(ValueError):
            strings.parse(description)
    else:
        assert strings.parse(description) == expected
