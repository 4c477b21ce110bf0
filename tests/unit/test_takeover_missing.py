"""Under takeover: a name of Twisted's that ours lacks is taken from where it is, or refused in words that help."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.interpreters import INSTALL, Python, needs_twisted

from torsion.takeover import missing
from torsion.takeover.names import IMPORTED, LACKING
from torsion.takeover.table import TABLE

PEERS = Path(__file__).parents[1] / "peers"


@needs_twisted
def test_every_name_of_the_installed_twisted_is_ours_or_in_the_table() -> None:
    done = subprocess.run([sys.executable, PEERS / "names.py"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_twisted
def test_our_classes_have_the_public_attributes_and_bases_of_twisteds() -> None:
    done = subprocess.run([sys.executable, PEERS / "classes.py"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tables_are_of_modules_that_are_taken_over() -> None:
    assert LACKING.keys() | IMPORTED.keys() <= TABLE.keys()
    assert missing.lacking("twisted.internet.tcp", "_accept") == "24.3-26.10"
    assert missing.lacking("twisted.internet.tcp", "Port") == missing.imported("twisted.internet.tcp", "Port") == ""
    assert missing.imported("twisted.internet.endpoints", "TLSMemoryBIOFactory").endswith(":TLSMemoryBIOFactory")
    assert missing.imported("twisted.internet.protocol", "error") == "twisted.internet:error"


def test_importing_a_private_name_that_we_lack_says_in_which_versions_it_was_seen(python: Python) -> None:
    done = python.run("-c", INSTALL + "from twisted.internet.tcp import _accept")
    words = done.stderr.splitlines()[-1]
    assert words.startswith("ImportError: 'twisted.internet.tcp' has no '_accept' here: it is Torsion's"), words
    assert "which Twisted 24.3 to 26.10 has" in words
    assert "without `torsion run` the program works as before" in words


def test_asking_for_a_private_name_that_we_lack_is_an_attribute_error(python: Python) -> None:
    python.check("""
        from twisted.internet import address, tcp
        assert not hasattr(tcp, "_accept") and getattr(tcp, "_accept", 1) == 1
        try:
            tcp._accept
        except AttributeError as error:
            assert "which Twisted 24.3 to 26.10 has" in str(error) and error.name == "_accept"
        try:
            from twisted.internet import tcp as module
            module._accept
        except AttributeError:
            pass
        else:
            raise AssertionError
    """)


def test_a_name_that_twisted_never_had_is_pythons_own_error(python: Python) -> None:
    python.check("""
        from twisted.internet import defer
        try:
            from twisted.internet.defer import nothing
        except ImportError as error:
            assert str(error).startswith("cannot import name 'nothing' from 'torsion.defer'"), error
        try:
            defer.nothing
        except AttributeError as error:
            assert str(error) == "module 'torsion.defer' has no attribute 'nothing'", error
    """)


def test_what_inspects_modules_is_not_disturbed(python: Python) -> None:
    python.check("""
        import copyreg, doctest, inspect, pickle, sys
        from twisted.internet import address, defer, tcp
        for module in (defer, tcp):
            inspect.getmembers(module)
            assert inspect.getsourcefile(module) == module.__file__ and inspect.unwrap(module) is module
            assert not hasattr(module, "__path__") and not hasattr(module, "__wrapped__")
            doctest.DocTestFinder().find(module)
        assert pickle.loads(pickle.dumps(address.UNIXAddress(b"/a"))) == address.UNIXAddress(b"/a")
        assert pickle.loads(pickle.dumps(defer.FirstError)) is defer.FirstError
        assert "torsion.takeover.names" not in sys.modules  # not loaded for any of these
    """)


@pytest.mark.parametrize(
    "statement",
    [
        "from twisted.internet.protocol import error; from twisted.internet import error as it; assert error is it",
        "from twisted.internet import base, defer; assert base.Deferred is defer.Deferred",
        "from twisted.internet.tcp import socket; import socket as it; assert socket is it",
        "from twisted.internet import _resolver; import socket; assert _resolver.AF_INET is socket.AF_INET",
    ],
)
def test_what_a_module_of_twisteds_only_imports_is_taken_from_where_it_is(python: Python, statement: str) -> None:
    python.check(statement)


@needs_twisted
def test_names_of_twisteds_own_modules_are_taken_from_there(full: Python) -> None:
    full.check("""
        from twisted.internet.endpoints import IStreamClientEndpoint
        from twisted.internet.base import log
        from twisted.internet import interfaces
        from twisted.python import log as it
        assert IStreamClientEndpoint is interfaces.IStreamClientEndpoint and log is it
    """)


def test_a_name_from_a_module_of_twisteds_own_says_so_where_that_is_not_installed(bare: Python) -> None:
    done = bare.run("-c", INSTALL + "from twisted.internet.endpoints import IStreamClientEndpoint")
    assert "ImportError: 'twisted.internet.endpoints' has no 'IStreamClientEndpoint' here" in done.stderr
    assert "it needs Twisted, which is not installed" in done.stderr
    bare.check("from twisted.internet import base; assert not hasattr(base, 'log')")


@needs_twisted
def test_interfaces_are_declared_on_what_is_loaded_and_later_on_the_rest(full: Python) -> None:
    full.check("""
        import sys
        from twisted.internet import interfaces
        assert not {"torsion.endpoint.sockets", "torsion.protocol", "torsion.trying.memory"} & set(sys.modules)
        from twisted.internet import protocol, tcp
        assert interfaces.IProtocol.implementedBy(protocol.Protocol)
        assert interfaces.IListeningPort.implementedBy(tcp.Port)
        consumer = interfaces.IConsumer(protocol.Protocol())
        assert type(consumer) is protocol.ProtocolToConsumerAdapter
    """)


@needs_twisted
def test_parsers_of_endpoints_are_plugins(full: Python) -> None:
    full.check("""
        from twisted.internet import endpoints
        from twisted.plugin import IPlugin
        for parser in (endpoints._SystemdParser, endpoints._TLSClientEndpointParser):
            assert IPlugin.providedBy(parser())
    """)


# Public names of versions that we work with, that newer ones have dropped


def test_generators_that_wait_by_waitForDeferred(python: Python) -> None:
    python.check("""
        import warnings
        warnings.simplefilter("ignore")
        from twisted.internet.defer import Deferred, deferredGenerator, fail, succeed, waitForDeferred

        @deferredGenerator
        def run(deferred, after=()):
            waiting = waitForDeferred(deferred)
            yield waiting
            try:
                yield waiting.getResult()
            except KeyError:
                yield "caught"
            for each in after:
                yield each

        def outcome(deferred):
            seen = []
            deferred.addBoth(seen.append)
            return seen[0] if not hasattr(seen[0], "type") else seen[0].type

        assert outcome(run(succeed(1))) == 1
        assert outcome(run(fail(KeyError()))) == "caught"
        assert outcome(run(fail(ValueError()))) is ValueError
        assert outcome(run(succeed(1), [2, 3])) == 3
        assert outcome(run(succeed(1), [2, waitForDeferred(succeed(3))])) is None  # what comes last waits
        assert outcome(run(succeed(1), [succeed(2)])) is TypeError
        later = Deferred()
        result = run(later)
        later.callback("late")
        assert outcome(result) == "late" and run.__name__ == "run"
        try:
            waitForDeferred(1)
        except TypeError:
            pass
        else:
            raise AssertionError
    """)


def test_they_are_deprecated(python: Python) -> None:
    done = python.run(
        "-W", "error", "-c", INSTALL + "from twisted.internet.defer import *\nwaitForDeferred(succeed(1))"
    )
    assert "NameError" in done.stderr  # not among what `*` brings
    text = "from twisted.internet import defer; defer.waitForDeferred(defer.succeed(1))"
    done = python.run("-W", "error", "-c", INSTALL + text)
    assert "DeprecationWarning: twisted.internet.defer.waitForDeferred was deprecated in Twisted 15.0.0" in done.stderr


def test_small_names(python: Python) -> None:
    python.check("""
        import warnings
        from twisted.internet import error, posixbase, udp
        warnings.filterwarnings("ignore", category=error.PotentialZombieWarning)
        assert posixbase.processEnabled and posixbase.unixEnabled
        assert issubclass(udp.MulticastPort, udp.MulticastMixin) and not issubclass(udp.Port, udp.MulticastMixin)
    """)
