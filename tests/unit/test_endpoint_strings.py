"""What endpoint strings mean: kinds, arguments in order and by name, and errors that say what to write instead."""

import os
from typing import Any

import pytest

from torsion.endpoint import outside
from torsion.endpoint.adopted import ListenFDs
from torsion.endpoint.parsers import _SystemdParser
from torsion.endpoint.strings import ArgumentError, parse
from torsion.endpoints import clientFromString, quoteStringArgument, serverFromString


def held(endpoint: Any) -> dict[str, Any]:
    """The arguments that an endpoint has, by their names."""
    return {name.removeprefix("_"): value for name, value in vars(endpoint).items() if name != "_reactor"}


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("tcp:80", {"port": 80, "backlog": 50, "interface": ""}),
        (b"tcp:80", {"port": 80, "backlog": 50, "interface": ""}),
        ("TCP: 80 ", {"port": 80, "backlog": 50, "interface": ""}),
        ("tcp:port=80:interface=127.0.0.1:backlog=6", {"port": 80, "backlog": 6, "interface": "127.0.0.1"}),
        ("tcp:80:127.0.0.1:6", {"port": 80, "backlog": 6, "interface": "127.0.0.1"}),
        ("tcp:80:interface=a:interface=b", {"port": 80, "backlog": 50, "interface": "b"}),
        ("tcp6:80", {"port": 80, "backlog": 50, "interface": "::"}),
        (r"tcp6:80:6:\:\:1", {"port": 80, "backlog": 6, "interface": "::1"}),
        ("unix:/x", {"address": "/x", "backlog": 50, "mode": 0o666, "wantPID": True}),
        ("unix:/x:660:7:0", {"address": "/x", "backlog": 7, "mode": 0o660, "wantPID": False}),
    ],
)
def test_servers(description: Any, expected: dict[str, Any]) -> None:
    assert held(serverFromString(None, description)) == expected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("tcp:h:80", {"host": "h", "port": 80, "timeout": 30, "bindAddress": None}),
        ("tcp:host=h:port=80", {"host": "h", "port": 80, "timeout": 30, "bindAddress": None}),
        ("tcp:host=h:80", {"host": "h", "port": 80, "timeout": 30, "bindAddress": None}),
        ("tcp:h:port=80", {"host": "h", "port": 80, "timeout": 30, "bindAddress": None}),
        ("tcp:timeout=3:h:80", {"host": "h", "port": 80, "timeout": 3, "bindAddress": None}),
        ("tcp:h:80:host=other", {"host": "h", "port": 80, "timeout": 30, "bindAddress": None}),
        (
            "tcp:h:80:timeout=5:bindAddress=10.0.0.1",
            {"host": "h", "port": 80, "timeout": 5, "bindAddress": ("10.0.0.1", 0)},
        ),
        ("unix:/x", {"path": "/x", "timeout": 30, "checkPID": False}),
        ("unix:path=/x:lockfile=1:timeout=9", {"path": "/x", "timeout": 9, "checkPID": True}),
        ("unix:/y:path=/x", {"path": "/y", "timeout": 30, "checkPID": False}),
    ],
)
def test_clients(description: str, expected: dict[str, Any]) -> None:
    assert held(clientFromString(None, description)) == expected


def test_a_tls_client_connects_by_name_or_as_it_is_told() -> None:
    wrapped = clientFromString(None, "tls:example.org:443:timeout=4:bindAddress=10.0.0.1")._wrappedEndpoint
    assert repr(wrapped) == "<HostnameEndpoint example.org:443>"
    assert (wrapped._timeout, wrapped._bindAddress) == (4, ("10.0.0.1", 0))
    wrapped = clientFromString(None, "tls:example.org:443:5")._wrappedEndpoint
    assert wrapped._timeout == 5
    wrapped = clientFromString(None, r"tls:example.org:443:endpoint=unix\:/x")._wrappedEndpoint
    assert wrapped._path == "/x"


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("http:80", "Unknown endpoint type: 'http'"),
        ("", "Unknown endpoint type: ''"),
        ("80", "Unknown endpoint type: '80'"),
        ("port=80", "begins with the kind"),
        ("tcp", "missing a required argument: 'port'"),
        ("tcp:80:colour=red", "unexpected keyword argument 'colour'"),
        ("tcp:80:1:2:3", "too many positional arguments"),
        ("tcp:80:port=81", "multiple values for argument 'port'"),
        ("tcp:", "port is a number, not ''"),
        ("tcp:http", "port is a number, not 'http': invalid literal for int() with base 10: 'http'"),
        ("tcp:80:backlog=x", "backlog is a number, not 'x'"),
        ("unix:/x:mode=9", "mode is a number in octal, not '9'"),
        ("unix:/x:lockfile=yes", "lockfile is a number, not 'yes'"),
        ("tcp:80\\", "nothing behind the backslash"),
        ("fd:9999", "the descriptor 9999 is no socket"),
        ("fd:0:domain=MOON", "domain is the name of an address family"),
        ("systemd:INET", "either an index or a name"),
        ("systemd:INET:index=0:name=web", "either an index or a name"),
        ("systemd:INET:0", "has handed over 0 sockets"),
        ("systemd:INET:name=web", "no socket named 'web'"),
    ],
)
def test_what_is_wrong_with_a_server(description: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        serverFromString(None, description)
    assert said in str(caught.value)


def test_a_descriptor_that_is_no_socket_is_left_alone(no_leaks: Any) -> None:
    with open(os.devnull) as file, no_leaks():
        with pytest.raises(ValueError, match="is no socket"):
            serverFromString(None, f"fd:{file.fileno()}")
        os.fstat(file.fileno())


def test_arguments_that_do_not_fit_are_type_errors_too_as_in_twisted() -> None:
    for description in ("tcp", "tcp:80:colour=red"):
        with pytest.raises(TypeError):
            serverFromString(None, description)
    with pytest.raises(ArgumentError, match="missing a required argument: 'port'"):
        clientFromString(None, "tcp:h")
    with pytest.raises(ArgumentError, match="too many positional"):
        clientFromString(None, "tcp:h:80:90")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="a str, not 5"):
        serverFromString(None, 5)  # type: ignore[arg-type]


def test_the_error_names_the_kinds_there_are() -> None:
    with pytest.raises(ValueError) as caught:
        clientFromString(None, "tcp6:h:80")
    assert caught.value.__notes__ == ["Torsion's own are ssl, tcp, tls, unix."]


def test_colons_equals_and_backslashes() -> None:
    assert parse(r"a=:=b:=:") == ([""], {"a": "", "": ""})
    assert parse(r"tcp:80:a=b=c:d\=e:f\g\:h\\:") == (["tcp", "80", "d=e", "fg:h\\", ""], {"a": "b=c"})
    assert [quoteStringArgument(text) for text in ("a:b", "a\\b", "a=b", "")] == ["a\\:b", "a\\\\b", "a=b", ""]


# systemd


def test_descriptors_of_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_SystemdParser, "_sddaemon", ListenFDs([7, 8], ["a", "b"]))
    for description, number in (("systemd:INET:1", 8), ("systemd:domain=INET6:name=a", 7)):
        endpoint = serverFromString(None, description)
        assert endpoint.fileno == number
    with pytest.raises(ValueError, match="none of index -1"):
        serverFromString(None, "systemd:INET:-1")
    with pytest.raises(ValueError, match="only \\['a', 'b'\\]"):
        serverFromString(None, "systemd:INET:name=c")


def test_the_environment_says_what_systemd_has_handed_over() -> None:

    own = str(os.getpid())
    environ = {"LISTEN_PID": own, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b", "OTHER": "1"}
    found = ListenFDs.fromEnvironment(environ, start=9000)
    assert found.inheritedDescriptors() == [9000, 9001]
    assert found.inheritedNamedDescriptors() == {"a": 9000, "b": 9001}
    assert environ == {"OTHER": "1"}  # for this process only


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "2"},
        {"LISTEN_PID": "{own}"},
        {"LISTEN_PID": "{own}", "LISTEN_FDS": "many"},
        {"LISTEN_PID": "me", "LISTEN_FDS": "2"},
    ],
)
def test_an_environment_without_descriptors_for_us(environ: dict[str, str]) -> None:

    environ = {name: value.format(own=os.getpid()) for name, value in environ.items()}
    before = dict(environ)
    assert ListenFDs.fromEnvironment(environ).inheritedDescriptors() == []
    assert environ == before


def test_names_that_do_not_match_the_descriptors_are_none() -> None:

    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"}
    assert ListenFDs.fromEnvironment(environ, start=9000).inheritedNamedDescriptors() == {}


# What others bring


class Other:
    prefix = "Moon"

    def parseStreamServer(self, reactor: Any, *args: Any, **kwargs: Any) -> Any:
        return "server", reactor, args, kwargs

    def parseStreamClient(self, reactor: Any, *args: Any, **kwargs: Any) -> Any:
        return "client", reactor, args, kwargs


class WithOthers(outside.Outside):
    def server_parsers(self) -> Any:
        return [Other()]

    client_parsers = server_parsers

    def proxied(self, endpoint: Any) -> Any:
        return "proxied", endpoint


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "_outside", WithOthers())


def test_parsers_that_others_bring(others: None) -> None:
    assert serverFromString("reactor", "moon:1:a=2") == ("server", "reactor", ("1",), {"a": "2"})
    assert clientFromString("reactor", "moon:1:a=2") == ("client", "reactor", ("1",), {"a": "2"})


def test_haproxy_stands_before_any_other_kind(others: None) -> None:
    kind, endpoint = serverFromString(None, r"haproxy:unix:a\:b\=c:mode=600")
    assert kind == "proxied" and held(endpoint)["address"] == "a:b=c" and held(endpoint)["mode"] == 0o600
    with pytest.raises(ValueError, match="Unknown endpoint type"):
        serverFromString(None, "haproxy:")
    with pytest.raises(ValueError, match="too many endpoints within one another"):
        serverFromString(None, "haproxy:" * 5000 + "tcp:80")
