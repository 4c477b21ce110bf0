"""Under takeover: the package `twisted` itself, which is executed when it is first asked for something."""

import textwrap

import pytest
from tests.interpreters import Python, needs_twisted


@needs_twisted
@pytest.mark.parametrize(
    "ask",
    [
        "twisted.__version__",
        "twisted.version.short()",
        "dir(twisted)",
        "from twisted import __version__",
        "from twisted import plugin",
        "from twisted import *; assert version is twisted.version",
        "assert '__version__' in vars(twisted)",
        "twisted.__version__ = twisted.__version__",
        "assert twisted.__doc__.strip()",
        "assert not hasattr(twisted, 'no_such_name')",
    ],
)
def test_the_package_is_executed_when_it_is_asked_for_something(full: Python, ask: str) -> None:
    full.check(f"""
        import importlib.metadata, sys, types, twisted.internet.defer, twisted
        assert "twisted._version" not in sys.modules
        {ask}
        assert "twisted._version" in sys.modules and type(twisted) is types.ModuleType
        assert twisted.__version__ == importlib.metadata.version("twisted")
        assert {{"__version__", "version", "internet"}} <= set(dir(twisted))
    """)


@needs_twisted
def test_the_package_is_known_before_it_is_executed(full: Python) -> None:
    full.check("""
        import importlib.resources, inspect, pkgutil, sys, types, twisted
        file = importlib.resources.files("twisted") / "__init__.py"
        assert file.is_file() and str(file) == twisted.__file__ == twisted.__spec__.origin
        assert isinstance(twisted, types.ModuleType) and repr(twisted) == f"<module 'twisted' from {str(file)!r}>"
        assert pkgutil.get_data("twisted", "__init__.py") == file.read_bytes()
        assert {"web", "plugins"} <= {info.name for info in pkgutil.iter_modules(twisted.__path__)}
        assert twisted.__loader__ is twisted.__spec__.loader and type(twisted.__loader__).__module__ != "torsion"
        assert not hasattr(twisted, "__warningregistry__") and not hasattr(twisted, "__wrapped__")
        assert "twisted._version" not in sys.modules
    """)


@needs_twisted
def test_the_package_can_be_loaded_again(full: Python) -> None:
    full.check("""
        import importlib, twisted
        version = twisted.__version__
        twisted.__version__ = "0"
        assert importlib.reload(twisted) is twisted and twisted.__version__ == version
    """)


@needs_twisted
def test_the_package_can_be_run(full: Python) -> None:
    """It has no main module below, and Python says so."""
    done = full.run("-m", "torsion", "run", "-m", "twisted")
    assert done.returncode == full.run("-m", "twisted").returncode
    assert done.stderr == full.run("-m", "twisted").stderr


@needs_twisted
def test_several_threads_may_ask_the_package_at_the_same_time(full: Python) -> None:
    full.check("""
        import sys, threading, twisted
        sys.setswitchinterval(1e-6)
        start, found = threading.Barrier(8), []

        def ask():
            start.wait()
            found.append(twisted.__version__)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len(found) == 8 and set(found) == {twisted.__version__}, found
    """)


@needs_twisted
@pytest.mark.parametrize(
    "change",
    [
        "twisted.__version__ = 'mine'; assert twisted.version.short() and twisted.__version__ == 'mine'",
        "twisted.version = 'mine'; assert twisted.__version__ and twisted.version == 'mine'",
        "del twisted.version; assert twisted.__version__ and not hasattr(twisted, 'version')",
        """
        class Mine(types.ModuleType):
            mine = property(lambda module: module.__version__)

        twisted.__class__ = Mine
        assert twisted.mine == twisted.__version__ and type(twisted) is Mine
        """,
        """
        with unittest.mock.patch("twisted.__version__", "mine"):
            assert twisted.__version__ == "mine"
        assert twisted.__version__ == twisted.version.short()
        """,
    ],
)
def test_what_is_changed_in_the_package_stays_changed(full: Python, change: str) -> None:
    full.check("import twisted, types, unittest.mock\n" + textwrap.dedent(change))


@needs_twisted
def test_what_the_package_does_while_it_is_executed_sees_it_as_it_is(full: Python) -> None:
    full.check("""
        import importlib.util, types
        from torsion.takeover.later import Later

        class Loader:
            def exec_module(self, module):
                assert not hasattr(module, "later") and "later" not in dir(module)
                module.early = module.__doc__
                vars(module)["later"] = 1

        spec = importlib.machinery.ModuleSpec("half", Later(Loader()))
        half = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(half)
        assert half.later == 1 and half.early is None and type(half) is types.ModuleType
    """)


@needs_twisted
def test_a_package_whose_execution_failed_is_executed_again(full: Python) -> None:
    full.check("""
        import twisted
        from unittest import mock

        with mock.patch.object(type(twisted.__loader__), "get_code", side_effect=OSError):
            try:
                twisted.version
            except OSError:
                pass
            else:
                raise AssertionError("it was not executed")
        assert twisted.version.short() == twisted.__version__
    """)


@needs_twisted
def test_a_function_that_names_the_package_can_be_sent_by_cloudpickle(full: Python) -> None:
    pytest.importorskip("cloudpickle")
    full.check("""
        import cloudpickle, twisted
        assert cloudpickle.loads(cloudpickle.dumps(lambda: twisted))() is twisted
    """)


@needs_twisted
def test_the_package_can_be_found_and_read_before_it_is_imported(full: Python) -> None:
    full.check("""
        import importlib.util, pkgutil, sys
        spec = importlib.util.find_spec("twisted")
        assert spec.loader.get_filename("twisted") == spec.origin and spec.loader.is_package("twisted")
        assert b"version" in pkgutil.get_data("twisted", "__init__.py")
        assert not hasattr(spec.loader, "no_such_name")
    """)
