"""Under takeover: the package `twisted` itself, which is executed when it is first asked for something."""

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
