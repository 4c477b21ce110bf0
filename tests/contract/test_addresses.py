"""Addresses: values that compare, hash, print and pickle by what they say; names of files by the file."""

import os
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest

from torsion.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress, _ProcessAddress

#: An address, one that is equal, and some that are not, of the same kind.
KINDS: list[tuple[Any, Any, list[Any]]] = [
    (
        IPv4Address("TCP", "127.0.0.1", 80),
        IPv4Address(type="TCP", host="127.0.0.1", port=80),
        [IPv4Address("UDP", "127.0.0.1", 80), IPv4Address("TCP", "10.0.0.1", 80), IPv4Address("TCP", "127.0.0.1", 81)],
    ),
    (
        IPv6Address("TCP", "fe80::1", 80),
        IPv6Address("TCP", "fe80::1", 80, flowInfo=0, scopeID=0),
        [
            IPv6Address("UDP", "fe80::1", 80),
            IPv6Address("TCP", "fe80::2", 80),
            IPv6Address("TCP", "fe80::1", 81),
            IPv6Address("TCP", "fe80::1", 80, 1),
            IPv6Address("TCP", "fe80::1", 80, 0, "eth0"),
        ],
    ),
    (
        HostnameAddress(b"example.com", 80),
        HostnameAddress(hostname=b"example.com", port=80),
        [HostnameAddress(b"example.org", 80), HostnameAddress(b"example.com", 81)],
    ),
    (
        UNIXAddress(b"/no/such/socket"),
        UNIXAddress(name="/no/such/socket"),
        [UNIXAddress("/no/other/socket"), UNIXAddress(None), UNIXAddress("\0/no/such/socket")],
    ),
    (UNIXAddress(None), UNIXAddress(None), [UNIXAddress("/no/such/socket"), UNIXAddress("")]),
]
EACH = pytest.mark.parametrize(("address", "same", "others"), KINDS, ids=lambda value: type(value).__name__)


@EACH
def test_equal_are_those_that_say_the_same(address: Any, same: Any, others: list[Any]) -> None:
    assert address == same
    assert (address != same) is False
    assert hash(address) == hash(same)
    for other in others:
        assert address != other
        assert (address == other) is False
    assert len({address, same, *others}) == 1 + len(others)


@EACH
def test_one_of_another_kind_is_never_equal(address: Any, same: Any, others: list[Any]) -> None:
    for other, _, _ in KINDS:
        assert (address == other) is (other is address)
    assert address != tuple(vars(address).values())
    assert address != str(address)


@EACH
def test_they_pickle(address: Any, same: Any, others: list[Any]) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for each in (address, *others):
            assert pickle.loads(pickle.dumps(each, protocol)) == each


@EACH
def test_they_take_attributes_of_a_programs_own(address: Any, same: Any, others: list[Any]) -> None:
    same.note = "mine"
    assert address == same


def test_they_print_what_they_are_made_of() -> None:
    assert repr(IPv4Address("TCP", "127.0.0.1", 80)) == "IPv4Address(type='TCP', host='127.0.0.1', port=80)"
    assert (
        repr(IPv6Address("UDP", "fe80::1", 80, 1, "eth0"))
        == "IPv6Address(type='UDP', host='fe80::1', port=80, flowInfo=1, scopeID='eth0')"
    )
    assert repr(HostnameAddress(b"example.com", 80)) == "HostnameAddress(hostname=b'example.com', port=80)"
    assert repr(UNIXAddress(b"/tmp/socket")) == "UNIXAddress('/tmp/socket')"
    assert repr(UNIXAddress(b"/tmp/\xff")) == "UNIXAddress('/tmp/\\udcff')"
    assert repr(UNIXAddress(None)) == "UNIXAddress(None)"

    class Mine(IPv4Address):
        pass

    class MyUNIXAddress(UNIXAddress):
        pass

    assert repr(Mine("TCP", "127.0.0.1", 80)) == "Mine(type='TCP', host='127.0.0.1', port=80)"
    assert repr(MyUNIXAddress(None)) == "UNIXAddress(None)"


@pytest.mark.parametrize("kind", [IPv4Address, IPv6Address])
@pytest.mark.parametrize("wrong", ["SCTP", "tcp", "", None, socket.SOCK_STREAM])
def test_an_ip_address_is_for_tcp_or_udp(kind: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"type is .*; it must be 'TCP' or 'UDP'") as caught:
        kind(wrong, "127.0.0.1", 80)
    assert repr(wrong) in str(caught.value)


def test_ip_addresses_and_host_names_have_an_order_among_their_kind() -> None:
    assert IPv4Address("TCP", "10.0.0.1", 80) < IPv4Address("TCP", "10.0.0.1", 81) < IPv4Address("UDP", "10.0.0.1", 1)
    assert IPv6Address("TCP", "::1", 80) <= IPv6Address("TCP", "::1", 80, 1)
    assert HostnameAddress(b"b", 1) > HostnameAddress(b"a", 2)
    with pytest.raises(TypeError):
        assert IPv4Address("TCP", "::1", 80) < IPv6Address("TCP", "::1", 80)  # type: ignore[operator]


def test_a_match_statement_takes_them_apart() -> None:
    match IPv4Address("TCP", "127.0.0.1", 80):
        case IPv4Address("TCP", host, port):
            assert (host, port) == ("127.0.0.1", 80)
        case _:
            raise AssertionError
    match UNIXAddress("/tmp/socket"):
        case UNIXAddress(name):
            assert name == b"/tmp/socket"
        case _:
            raise AssertionError


def test_a_subclass_is_another_kind_unless_it_is_a_path() -> None:
    class MyIPv4Address(IPv4Address):
        pass

    class MyUNIXAddress(UNIXAddress):
        pass

    assert MyIPv4Address("TCP", "127.0.0.1", 80) != IPv4Address("TCP", "127.0.0.1", 80)
    assert MyUNIXAddress("/no/such/socket") == UNIXAddress("/no/such/socket")
    assert hash(MyUNIXAddress("/no/such/socket")) == hash(UNIXAddress("/no/such/socket"))


def test_a_path_is_kept_as_bytes() -> None:
    assert UNIXAddress("/tmp/socket").name == b"/tmp/socket"
    assert UNIXAddress("/tmp/\udcff").name == b"/tmp/\xff"
    assert UNIXAddress(b"/tmp/\xff").name == b"/tmp/\xff"
    assert UNIXAddress(None).name is None
    with pytest.raises(TypeError):
        UNIXAddress(3)  # type: ignore[arg-type]


def test_two_names_of_one_file_are_one_address(tmp_path: Path) -> None:
    path, link, other = tmp_path / "socket", tmp_path / "link", tmp_path / "other"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        link.symlink_to(path)
        other.touch()
        address = UNIXAddress(str(path))
        for name in (link, tmp_path / "." / "socket", tmp_path / ".." / tmp_path.name / "socket"):
            assert UNIXAddress(os.fsencode(name)) == address
            assert hash(UNIXAddress(os.fsencode(name))) == hash(address)
        assert UNIXAddress(str(other)) != address
        assert UNIXAddress(str(tmp_path / "missing")) != address
    path.unlink()
    assert UNIXAddress(str(link)) != address


def test_a_name_outside_the_file_system_compares_and_hashes_too() -> None:
    """Such names start with a null byte, which the file system refuses."""
    assert UNIXAddress("\0name") == UNIXAddress(b"\0name")
    assert UNIXAddress("\0name") != UNIXAddress("\0other")
    assert hash(UNIXAddress("\0name")) == hash(UNIXAddress(b"\0name"))


def test_no_two_addresses_of_processes_are_equal() -> None:
    address = _ProcessAddress()
    assert address == address
    assert address != _ProcessAddress()
