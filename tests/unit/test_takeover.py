"""The takeover: what a program gets that imports Twisted's modules, where Twisted is installed and where it is not.

Each test runs a program of its own in a fresh process; the program asserts, and must end with status 0.
"""

import os
import sys
import textwrap
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.interpreters import INSTALL, Python, needs_twisted

from torsion.takeover.table import ADAPTED, PROVIDED, TABLE

CORE = """
from twisted.internet import reactor, defer, task, threads, error, main
from twisted.python import failure, threadpool, context, threadable
"""


# What a program gets


def test_the_bare_interpreter_of_these_tests_has_no_twisted(bare: Python) -> None:
    assert "ModuleNotFoundError" in bare.run("-c", "import torsion, twisted").stderr


def test_a_program_gets_our_modules_and_our_reactor(python: Python) -> None:
    python.check(
        CORE
        + """
import sys, torsion.contract, torsion.defer, torsion.error, torsion.failure, torsion.pool.context, torsion.task
import twisted.internet.defer
assert defer is torsion.defer is twisted.internet.defer is sys.modules["twisted.internet.defer"]
assert (task, error, failure) == (torsion.task, torsion.error, torsion.failure)
assert (threads, threadpool, context) == (torsion.threads, torsion.pool.threadpool, torsion.pool.context)
assert type(reactor) is torsion.epollreactor.EPollReactor
assert reactor is torsion.reactor is sys.modules["twisted.internet.reactor"] is twisted.internet.reactor
assert defer.__spec__.name == defer.__name__ == "torsion.defer"
"""
    )


def test_every_line_of_the_table_can_be_imported(python: Python) -> None:
    with_twisted = python.executable == sys.executable
    lines = [name for name, line in TABLE.items() if line.module or with_twisted]
    python.check(f"import importlib\nfor name in {lines!r}: importlib.import_module(name)")


@pytest.mark.parametrize("line", TABLE.values(), ids=list(TABLE))
def test_every_home_in_the_table_exists(line: Any) -> None:
    for name in filter(None, (line.module, *line.homes)):
        import_module(name)


def test_each_value_exists_once(python: Python) -> None:
    python.check(
        CORE
        + """
from torsion.core import deferred
assert defer.Deferred is deferred.Deferred and type(main.CONNECTION_DONE) is error.ConnectionDone
seen = []
defer.fail(ValueError()).addErrback(seen.append)
assert type(seen[0]) is failure.Failure and seen[0].check(ValueError)
"""
    )


def test_a_small_program_runs_on_our_reactor(python: Python) -> None:
    printed = python.check("""
        from twisted.internet import defer, reactor

        d = defer.Deferred()
        reactor.callLater(0, d.callback, 3 * 3)
        d.addCallback(lambda result: print("Result received:", result))
        d.addCallback(lambda _: reactor.stop())
        reactor.run()
    """)
    assert printed == "Result received: 9\n"


def test_names_are_printed_and_pickled_as_twisteds(python: Python) -> None:
    python.check("""
        import pickle, sys
        from twisted.internet import defer
        try:
            raise ValueError("v")
        except ValueError:
            f = sys.modules["torsion.failure"].Failure()
        assert repr(f) == "<twisted.python.failure.Failure builtins.ValueError: v>", repr(f)
        from twisted.internet.error import ConnectionLost
        from twisted.python.failure import Failure
        assert type(f) is Failure
        assert "Failure: twisted.internet.error.ConnectionLost: " in Failure(ConnectionLost()).getTraceback()
        data = pickle.dumps(f)
        assert b"twisted.python.failure" in data and b"torsion" not in data, data
        assert pickle.loads(data).value.args == ("v",)
    """)


@needs_twisted
def test_a_deferred_and_what_has_one_is_pickled_and_copied(python: Python) -> None:
    python.check("""
        import copy, pickle
        from twisted.internet import defer
        d = defer.Deferred()
        d.addErrback(defer.logError)
        for again in (pickle.loads(pickle.dumps(d)), copy.deepcopy(d)):
            assert type(again) is defer.Deferred and not again.called
            again.callback(1)
            assert again.result == 1
    """)


@needs_twisted
def test_a_class_is_pickled_by_where_it_says_it_is_from(full: Python) -> None:
    full.check("""
        import pickle
        from twisted.internet.base import BasePort
        assert pickle.loads(pickle.dumps(BasePort)) is BasePort
    """)


def test_a_failure_pickled_by_us_is_read_by_stock_twisted(full: Python, tmp_path: Path) -> None:
    file = tmp_path / "failure"
    full.check(f"""
        import pathlib, pickle
        from twisted.python.failure import Failure
        try:
            raise ValueError("v")
        except ValueError:
            pathlib.Path({str(file)!r}).write_bytes(pickle.dumps(Failure()))
    """)
    read = f"import pathlib, pickle; x = pickle.loads(pathlib.Path({str(file)!r}).read_bytes())\n"
    assert full.check(read + "print(repr(x), type(x).__module__)", install=False) == (
        "<twisted.python.failure.Failure builtins.ValueError: v> twisted.python.failure\n"
    )


def test_a_name_that_we_lack_is_an_import_error_that_names_it(python: Python) -> None:
    done = python.run("-c", INSTALL + "from twisted.internet.defer import _noSuchName")
    assert "ImportError: cannot import name '_noSuchName'" in done.stderr


# Without Twisted


@pytest.mark.parametrize(
    "statement",
    ["import twisted.web.server", "from twisted.internet import cfreactor", "from twisted.web import server"],
)
def test_what_needs_twisted_says_so_where_it_is_not_installed(bare: Python, statement: str) -> None:
    done = bare.run("-c", INSTALL + statement)
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'twisted." in done.stderr
    assert "it needs Twisted, which is not installed" in done.stderr
    bare.check(f"try:\n    {statement}\nexcept ImportError as e:\n    assert e.name == 'twisted'")


def test_a_folder_named_twisted_is_not_twisted(bare: Python, tmp_path: Path) -> None:
    (tmp_path / "twisted").mkdir()
    bare.check("from twisted.internet import defer; assert defer.__name__ == 'torsion.defer'", cwd=tmp_path)


def test_reports_go_to_the_standard_librarys_logging_without_twisted(bare: Python) -> None:
    bare.check("""
        import logging
        records = []
        handler = logging.Handler()
        handler.emit = records.append
        logging.getLogger("torsion").addHandler(handler)
        from twisted.internet import defer
        defer.fail(ValueError("nobody listens"))
        assert [r.levelname for r in records] == ["ERROR", "ERROR"], records
        assert records[1].exc_info[0] is ValueError
    """)


# With Twisted


@needs_twisted
def test_what_a_factory_reports_bears_the_name_of_its_class(full: Python) -> None:
    full.check(
        """
        from twisted.internet import protocol
        from twisted.logger import globalLogPublisher
        events = []
        globalLogPublisher.addObserver(events.append)
        class Mine(protocol.Factory):
            pass
        factory = Mine()
        factory.doStart()
        protocol.Factory().doStart()
        event, plain = events
        assert (event["log_namespace"], event["log_source"]) == ("__main__.Mine", factory), event
        assert plain["log_namespace"] == "twisted.internet.protocol.Factory", plain
        """
    )


@needs_twisted
def test_what_the_table_lacks_is_twisteds_own_on_top_of_ours(full: Python) -> None:
    full.check("""
        import os, twisted, twisted.internet
        assert os.path.basename(os.path.dirname(twisted.__file__)) == "twisted"
        from twisted.internet import interfaces
        from twisted.trial import unittest
        from twisted.web import client
        import torsion.defer
        assert client.defer is torsion.defer and interfaces.__name__ == "twisted.internet.interfaces"
    """)


@needs_twisted
@pytest.mark.parametrize("order", ["interfaces first", "interfaces last"])
def test_our_objects_provide_twisteds_interfaces(full: Python, order: str) -> None:
    take = "from twisted.internet import reactor, task; from twisted import _threads\n"
    interfaces = "from twisted.internet import interfaces\n"
    full.check(
        (interfaces + take if order == "interfaces first" else take + interfaces)
        + textwrap.dedent("""
            from threading import Lock, local
            from zope.interface.verify import verifyClass, verifyObject

            standing_in = (
                "IReactorTCP IReactorUDP IReactorMulticast IReactorUNIX IReactorUNIXDatagram IReactorSSL IReactorSocket"
                " IReactorProcess IReactorPluggableResolver IReactorPluggableNameResolver"
            ).split()
            for name in ("IReactorCore", "IReactorTime", "IReactorThreads", "IReactorFDSet"):
                assert verifyObject(getattr(interfaces, name), reactor)
                assert verifyClass(getattr(interfaces, name), type(reactor))
            call = reactor.callLater(10, int)
            assert verifyObject(interfaces.IDelayedCall, call)
            call.cancel()
            assert verifyObject(interfaces.IReactorTime, task.Clock())
            worker, perform = _threads.createMemoryWorker()
            assert verifyObject(_threads.IExclusiveWorker, worker)
            lock = _threads.LockWorker(Lock(), local())
            assert verifyObject(_threads.IExclusiveWorker, lock)
            assert verifyObject(_threads.IWorker, _threads.Team(lock, lambda: None, lambda: None))
            for name in standing_in:
                assert verifyObject(getattr(interfaces, name), reactor), name
            from twisted.internet import abstract, base
            assert verifyClass(interfaces.IPushProducer, abstract.FileDescriptor)
            assert verifyClass(interfaces.IReadWriteDescriptor, abstract.FileDescriptor)
            assert verifyClass(interfaces.IConnector, base.BaseConnector)
            from twisted.internet.protocol import DatagramProtocol
            ports = reactor.listenUDP(0, DatagramProtocol()), reactor.listenMulticast(0, DatagramProtocol())
            for port in ports:
                for name in ("IListeningPort", "IUDPTransport", "ISystemHandle", "IPushProducer"):
                    assert verifyObject(getattr(interfaces, name), port), name
            assert verifyObject(interfaces.IMulticastTransport, port)
            assert type(port).__module__ == "twisted.internet.udp"
            for port in ports:
                port.stopListening()
            reactor.iterate()
            lock.quit()
        """)
    )


@needs_twisted
def test_our_classes_have_what_they_are_declared_to_have(full: Python) -> None:
    full.check("""
        from importlib import import_module
        from twisted.internet import interfaces
        from zope.interface.verify import verifyClass
        from torsion.takeover.table import PROVIDED

        asked_of_what_is_below = {"OverTLS", "_ProcessEndpointTransport"}
        excused = {
            ("INegotiated", "TLSMemoryBIOProtocol"),  # asked of what is below, too
            ("IUDPTransport", "FakeDatagramTransport"),  # lacks as much as Twisted's
        }
        for interface, module, name in PROVIDED:
            kind = getattr(import_module(module), name)
            declared = getattr(interfaces, interface)
            assert declared.implementedBy(kind), (interface, name)
            if name not in asked_of_what_is_below and (interface, name) not in excused:
                assert verifyClass(declared, kind)
        from twisted.internet import process
        assert not interfaces.IPushProducer.implementedBy(process.Process)  # it has no stopProducing
    """)


@needs_twisted
@pytest.mark.parametrize("first", ["interfaces", "protocol"])
def test_protocols_factories_and_addresses_provide_twisteds_interfaces(full: Python, first: str) -> None:
    full.check(
        f"from twisted.internet import {first}\n"
        + textwrap.dedent("""
        from twisted.internet import address, interfaces, protocol
        from zope.interface.verify import verifyObject
        for provider, interface in [
            (protocol.Protocol(), "IProtocol"),
            (protocol.Protocol(), "ILoggingContext"),
            (protocol.ProcessProtocol(), "IProcessProtocol"),
            (protocol.DatagramProtocol(), "ILoggingContext"),
            (protocol.ClientFactory(), "IProtocolFactory"),
            (protocol.ReconnectingClientFactory(), "ILoggingContext"),
            (protocol.FileWrapper(None), "ITransport"),
            (address.IPv4Address("TCP", "127.0.0.1", 80), "IAddress"),
            (address.IPv6Address("TCP", "::1", 80), "IAddress"),
            (address.HostnameAddress(b"example.com", 80), "IAddress"),
            (address.UNIXAddress(None), "IAddress"),
            (address._ProcessAddress(), "IAddress"),
        ]:
            verifyObject(getattr(interfaces, interface), provider)
        theirs = protocol.Protocol()
        consumer = interfaces.IConsumer(theirs)
        assert type(consumer) is protocol.ProtocolToConsumerAdapter and consumer.original is theirs
        verifyObject(interfaces.IConsumer, consumer)
        adapted = protocol.ConsumerToProtocolAdapter(consumer)
        verifyObject(interfaces.IProtocol, adapted)
    """)
    )


@needs_twisted
def test_an_address_pickled_under_takeover_is_one_of_twisteds(full: Python) -> None:
    full.check("""
        import pickle
        from twisted.internet.address import IPv4Address, UNIXAddress
        for each in (IPv4Address("TCP", "127.0.0.1", 80), UNIXAddress("/tmp/socket")):
            data = pickle.dumps(each)
            assert b"twisted.internet.address" in data and pickle.loads(data) == each
    """)


@needs_twisted
def test_nothing_of_twisted_is_loaded_for_the_core_but_its_packages(full: Python) -> None:
    full.check(
        CORE
        + f"""
import sys
found = {{m for m in sys.modules if m.split(".")[0] in ("twisted", "zope", "asyncio", "ssl")}} - set({list(TABLE)!r})
found -= {{"twisted", "twisted._version", "twisted.internet", "twisted.internet.reactor"}}
found -= {{"twisted.python", "twisted.python.deprecate", "twisted.python.versions"}}
assert not found, found
"""
    )


@needs_twisted
def test_what_is_slow_to_load_is_not_loaded_to_start(full: Python) -> None:
    full.check("""
        import sys
        from twisted.internet import defer, endpoints, protocol, reactor, task
        slow = {"incremental", "dataclasses", "inspect", "concurrent.futures", "ssl", "attr", "zope.interface"}
        assert not slow & set(sys.modules), slow & set(sys.modules)
    """)


@needs_twisted
def test_reports_are_events_of_twisteds_log(full: Python) -> None:
    full.check("""
        from twisted.python import log
        events = []
        log.startLoggingWithObserver(events.append, setStdout=False)
        events.clear()
        from twisted.internet import defer
        from torsion import report
        defer.fail(ValueError("nobody listens, {not a format}"))
        first, second = events
        assert first["isError"] and "Unhandled error in Deferred" in log.textFromEventDict(first)
        assert second["isError"] and second["failure"].check(ValueError)
        assert "nobody listens, {not a format}" in log.textFromEventDict(second)
        report.warning("100% {odd}")
        assert not events[2]["isError"] and log.textFromEventDict(events[2]).endswith("100% {odd}")
        report.info("Starting {thing!r}", thing="{it}")
        assert not events[3]["isError"] and log.textFromEventDict(events[3]).endswith("Starting '{it}'")
        assert events[3]["log_level"].name == "info" and events[3]["thing"] == "{it}"
    """)


@needs_twisted
def test_trial_takes_our_reports_away_with_flush_logged_errors(full: Python, tmp_path: Path) -> None:
    (tmp_path / "test_ours.py").write_text(
        textwrap.dedent("""
            import torsion.defer
            from twisted.internet import defer, reactor
            from twisted.trial import unittest

            class Tests(unittest.TestCase):
                def test_flush(self):
                    defer.fail(ValueError())
                    self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

                def test_unflushed(self):
                    defer.fail(KeyError())

                def test_ours(self):
                    assert defer is torsion.defer
                    d = defer.Deferred()
                    reactor.callLater(0.01, d.callback, None)
                    return d
        """)
    )
    done = full.run("-m", "torsion", "run", "-m", "twisted.trial", "test_ours", cwd=tmp_path)
    assert "FAILED (errors=1, successes=2)" in done.stdout, done.stdout + done.stderr
    assert "KeyError" in done.stdout


@needs_twisted
def test_trial_leaves_what_runs_a_test_out_of_its_reports(full: Python, tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(
        textwrap.dedent("""
            from twisted.internet import defer, reactor
            from twisted.trial.unittest import TestCase

            class Failing(TestCase):
                def helped(self, ignored=None):
                    self.fail("expected")

                def test_assertion(self):
                    self.assertEqual(1, 2)

                def test_deeper(self):
                    self.helped()

                def test_error(self):
                    1 / 0

                def test_in_a_callback(self):
                    waited = defer.Deferred()
                    reactor.callLater(0, waited.callback, None)
                    return waited.addCallback(self.helped)

                def test_nothing_called(self):
                    return defer.fail(ValueError("expected"))

                def test_with_an_argument_too_many(self, argument):
                    pass
        """)
    )
    trial = ("-m", "twisted.trial", "--reporter", "text", "test_failing")
    stock, ours = full.run(*trial, cwd=tmp_path), full.run("-m", "torsion", "run", *trial, cwd=tmp_path)

    def reports(printed: str) -> str:
        return printed[printed.index("=" * 20) : printed.index("Ran 6 tests")]

    assert "FAILED (failures=3, errors=3)" in stock.stdout
    assert reports(ours.stdout) == reports(stock.stdout)


@needs_twisted
def test_private_names_that_twisted_asks_for_are_there(full: Python) -> None:
    full.check("""
        from twisted.internet.defer import _DEFERRED_SUBCLASSES, _T, _DeferredListResultListT, Deferred, DeferredList
        from twisted.python.failure import DefaultException, _extraneous
        assert _DEFERRED_SUBCLASSES[:2] == [Deferred, DeferredList]
        class Mine(Deferred): pass
        assert _DEFERRED_SUBCLASSES[-1] is _DEFERRED_SUBCLASSES.pop(-1) is Mine
        assert len(_DEFERRED_SUBCLASSES) >= 3
        assert _extraneous(repr) is repr
    """)
    assert not hasattr(import_module("torsion.defer"), "_DEFERRED_SUBCLASSES")


# Installing


@needs_twisted
def test_several_threads_may_import_at_the_same_time(full: Python) -> None:
    """What interfaces are declared on is loaded meanwhile by others."""
    full.check("""
        import importlib, sys, threading

        names = "interfaces reactor defer task protocol endpoints posixbase error".split()
        start, found = threading.Barrier(len(names)), {}

        def load(name):
            start.wait()
            found[name] = importlib.import_module("twisted.internet." + name)

        sys.setswitchinterval(1e-6)
        threads = [threading.Thread(target=load, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found.keys() == set(names)
        from twisted.internet import interfaces, reactor
        assert interfaces.IReactorCore.providedBy(reactor) and found["reactor"] is reactor
    """)


def test_declaring_interfaces_loads_nothing_of_ours(python: Python) -> None:
    python.check("""
        import sys
        before = set(sys.modules)
        import torsion.takeover.declare
        assert {name for name in set(sys.modules) - before if "torsion" in name} == {"torsion.takeover.declare"}
    """)


@needs_twisted
def test_twisted_may_be_in_an_archive_whose_modules_have_one_loader(full: Python, tmp_path: Path) -> None:
    """Looking for a module, too, leaves that loader as it is."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("__init__", "plugin", "python/__init__", "python/log", "internet/__init__", "internet/interfaces"):
            archive.writestr(f"twisted/{name}.py", "ILogContext = IPlugin = object\n__version__ = '26.10.0'\n")
    full.check(f"""
        import importlib.util, sys
        sys.path.insert(0, {str(tmp_path / "all.zip")!r})
        from torsion.takeover import finder
        told = []
        finder._WHEN_LOADED.update(dict.fromkeys(finder._WHEN_LOADED, told.append))
        for times in range(2):
            spec = importlib.util.find_spec("twisted.python.log")
        assert "ILogContext" in spec.loader.get_source(spec.name)
        from twisted import plugin
        import twisted.python
        assert [each.__name__ for each in told] == ["twisted.plugin"]
        from twisted.python import log
        assert [each.__name__ for each in told] == ["twisted.plugin", "twisted.python.log"]
        assert type(log.__loader__).__name__ == "zipimporter" and log.__spec__.loader is log.__loader__
    """)


def test_installing_twice_changes_nothing(python: Python) -> None:
    python.check("""
        import sys
        before = list(sys.meta_path)
        torsion.takeover.install()
        assert sys.meta_path == before and torsion.takeover.installed()
    """)


def test_nothing_is_taken_over_without_being_asked(python: Python) -> None:
    python.check(
        "import os, sys, torsion.takeover, torsion.defer; from torsion import reactor\n"
        "assert not torsion.takeover.installed() and 'inherit' not in os.environ['PYTHONPATH']",
        install=False,
    )


@needs_twisted
def test_installing_after_twisteds_core_was_imported_is_refused(full: Python) -> None:
    done = full.run("-c", "from twisted.internet import defer\n" + INSTALL)
    assert "RuntimeError" in done.stderr
    assert "twisted.internet.defer" in done.stderr.splitlines()[-1]
    assert "first line" in done.stderr.splitlines()[-1]


@needs_twisted
def test_installing_after_twisteds_package_alone_was_imported_is_fine(full: Python) -> None:
    full.check("import twisted, twisted.python\n" + INSTALL + "from twisted.internet import defer", install=False)


def test_a_reactor_installed_by_the_program_is_the_one_it_imports(python: Python) -> None:
    python.check("""
        import sys
        from twisted.internet.main import installReactor
        from torsion.contract import Reactor
        mine = Reactor()
        installReactor(mine)
        assert sys.modules["twisted.internet.reactor"] is mine
        from twisted.internet import error, reactor
        assert reactor is mine
        try:
            installReactor(Reactor())
        except error.ReactorAlreadyInstalledError:
            pass
        else:
            raise SystemExit("installed twice")
    """)


def test_the_reactor_is_kept_in_sys_modules_where_programs_take_it_out_and_put_it_back(python: Python) -> None:
    python.check("""
        import sys, twisted.internet.main
        from torsion import reactors
        from twisted.internet import reactor as first
        assert reactors.default() is first
        del sys.modules["twisted.internet.reactor"], twisted.internet.reactor
        assert reactors.installed() is None
        twisted.internet.main.installReactor(second := object())
        from twisted.internet import reactor
        assert reactor is second is reactors.default() is twisted.internet.reactor
        sys.modules["twisted.internet.reactor"] = twisted.internet.reactor = first
        assert reactors.default() is first
    """)


def test_a_reactor_made_before_anything_of_twisteds_is_imported_stays_the_one(python: Python) -> None:
    python.check("""
        from torsion import reactor as ours
        from twisted.internet import reactor
        assert reactor is ours
    """)


@needs_twisted
def test_addresses_are_classes_of_attrs(full: Python) -> None:
    full.check("""
        import sys
        from twisted.internet import address, reactor
        assert "attr" not in sys.modules, "imported only when it is asked"
        import attr
        four, six = address.IPv4Address("TCP", "::1", 1), address.IPv6Address("UDP", "::1", 2, scopeID="lo")
        assert attr.evolve(four, port=5) == address.IPv4Address("TCP", "::1", 5)
        assert attr.evolve(six, port=5) == address.IPv6Address("UDP", "::1", 5, scopeID="lo")
        assert attr.asdict(six) == {"type": "UDP", "host": "::1", "port": 2, "flowInfo": 0, "scopeID": "lo"}
        assert attr.astuple(address.HostnameAddress(b"a", 1)) == (b"a", 1)
        assert attr.fields(address.UNIXAddress).name.default is attr.NOTHING
        assert attr.evolve(address.UNIXAddress("/a"), name="/b") == address.UNIXAddress("/b")
        assert attr.fields(address.IPv6Address).flowInfo.default == 0
    """)


# Child processes

ASK = "import sys; print(any(type(f).__module__ == 'torsion.takeover.finder' for f in sys.meta_path))"


def child(python: Python, *options: str, program: str = ASK, environment: str = "os.environ") -> str:
    return python.check(f"""
        import os, subprocess, sys
        done = subprocess.run([sys.executable, *{options!r}, "-c", {program!r}], env={environment}, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        print(done.stdout.decode(), end="")
    """)


def test_a_child_process_is_taken_over_too(python: Python) -> None:
    assert child(python) == "True\n"


def test_a_grandchild_is_taken_over_too(python: Python) -> None:
    again = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ASK!r}])"
    assert child(python, program=again) == "True\n"


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_child_that_wants_no_environment_is_left_alone(python: Python, option: str) -> None:
    assert child(python, option) == "False\n"


def test_a_child_with_an_environment_of_its_own_is_left_alone(python: Python) -> None:
    assert child(python, environment="{}") == "False\n"


MADE_OF_OURS = "{**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}"


@pytest.mark.parametrize(
    ("environment", "printed"), [(MADE_OF_OURS, "True"), ("{'PYTHONPATH': os.pathsep.join(sys.path)}", "False")]
)
def test_a_child_of_spawn_process_whose_environment_is_made_of_ours_but_for_the_path_is_taken_over_too(
    python: Python, environment: str, printed: str
) -> None:
    python.check(f"""
        import os, sys
        from twisted.internet import reactor, task, utils

        async def main(reactor):
            out = await utils.getProcessOutput(sys.executable, ["-c", {ASK!r}], env={environment})
            assert out == b"{printed}\\n", out

        task.react(main)
    """)


def test_a_child_sees_the_same_path_as_without_us(python: Python) -> None:
    show = "import sys; print(sys.path)"
    assert child(python, program=show) == python.run("-c", show).stdout


def test_a_child_runs_the_users_own_sitecustomize(python: Python, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.mine = __file__\n")
    show = "import sys, sitecustomize; print(sys.mine, sitecustomize.__file__)"
    path = f"{{**os.environ, 'PYTHONPATH': os.pathsep.join([os.environ['PYTHONPATH'], {str(tmp_path)!r}])}}"
    mine = tmp_path / "sitecustomize.py"
    assert child(python, program=show, environment=path) == f"{mine} {mine}\n"
    assert child(python, environment=path) == "True\n"


def test_a_child_is_taken_over_where_only_the_parent_could_find_torsion(bare: Python) -> None:
    """As when the parent was started in the folder that holds torsion, and the child is started elsewhere."""
    folder = bare.environment["PYTHONPATH"]
    environment = {key: value for key, value in bare.environment.items() if key != "PYTHONPATH"}
    program = f"{INSTALL}\nimport subprocess, sys\nsubprocess.run([sys.executable, '-c', {ASK!r}], cwd='/')"
    done = bare.run("-c", program, cwd=folder, env=environment)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_child_of_another_interpreter_runs_where_torsion_cannot_be_imported(bare: Python, tmp_path: Path) -> None:
    broken = tmp_path / "torsion" / "takeover" / "inherit"
    broken.mkdir(parents=True)
    (tmp_path / "torsion" / "__init__.py").write_text("raise ImportError('made for another Python')\n")
    source = import_module("torsion.takeover.children").FOLDER
    (broken / "sitecustomize.py").write_text((Path(source) / "sitecustomize.py").read_text())
    done = bare.run("-c", ASK, env={**os.environ, "PYTHONPATH": str(broken)})
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("at_fault", ["the version of Python", "an import before ours"])
def test_where_we_cannot_take_over_the_users_own_sitecustomize_runs_all_the_same(
    full: Python, tmp_path: Path, at_fault: str
) -> None:
    folder = import_module("torsion.takeover.children").FOLDER
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.mine = True\n")
    before = "sys.version_info = (3, 10, 0)" if "version" in at_fault else "sys.modules['twisted.internet.defer'] = sys"
    program = f"""
import sys
{before}
try:
    import sitecustomize
except RuntimeError as error:
    print(error.args[0][:36])
print(sys.mine, any("takeover" in type(finder).__module__ for finder in sys.meta_path), {folder!r} in sys.path)
"""
    path = os.pathsep.join([folder, str(tmp_path), full.environment["PYTHONPATH"]])
    done = full.run("-S", "-c", program, env={**os.environ, "PYTHONPATH": path})
    said = [] if "version" in at_fault else ["torsion.takeover.install() came too late"[:36]]
    assert (done.stdout.splitlines(), done.stderr) == ([*said, "True False False"], "")


# Declarations


@pytest.mark.parametrize(("interface", "module", "name"), [*PROVIDED, *(line[1:] for line in ADAPTED)])
def test_what_is_declared_exists(interface: str, module: str, name: str) -> None:
    assert isinstance(getattr(import_module(module), name), type)


def test_a_reports_sink_never_keeps_a_report_back() -> None:
    """At the end of the process nothing can be imported any more: the report goes where it went before."""
    from torsion import report
    from torsion.takeover.logs import Sink

    heard: list[tuple[str, str]] = []

    def gone() -> bool:
        raise ImportError("sys.meta_path is None, Python is likely shutting down")

    def remember(text: str) -> Callable[..., None]:
        return lambda said, *details, **more: heard.append((text, said))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "failure", remember("failure"))
        patch.setattr(report, "error", remember("error"))
        patch.setattr(report, "warning", remember("warning"))
        patch.setattr(report, "info", remember("info"))
        sink = Sink(gone)
        sink("error", "one", None, {})
        sink("warning", "two", None, {})
        sink("info", "three", None, {})
    assert heard == [("error", "one"), ("warning", "two"), ("info", "three")]
