"""An exception that has been caught, kept as a value.

Failures are made far more often than they are read: most are trapped by type and dropped. So making one stores five
references, and all that costs (frames, the names of the parent classes, text) is worked out when it is asked for. The
traceback stays as Python made it: nothing is elided, and an exception that passed through awaits shows each of them.

A Failure makes no reference cycle by itself. It does hold its traceback, which holds the frames' locals: code that
stores a Failure in a local of a frame of its own traceback makes a cycle, as with any caught exception.

Contract: Twisted's python.failure; semantics 12, 26, 27, 28, 88.
"""

import builtins
import copyreg
import linecache
import sys
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from io import StringIO
from types import TracebackType
from typing import Any, NoReturn, Protocol, TypeAlias

from .twin.steps import next_count

__all__ = ["EXCEPTION_CAUGHT_HERE", "Failure", "NoCurrentExceptionError", "format_frames", "startDebugMode"]

EXCEPTION_CAUGHT_HERE = "--- <exception caught here> ---"

# Whether debug mode enters the debugger. Contract: trial's --nopm clears it while debug mode is on.
DO_POST_MORTEM = True

# function name, file name, line, then the items of the locals and of the globals (empty unless they were captured)
Frame: TypeAlias = Sequence[Any]

_current_exception = sys.exception
_new = BaseException.__new__


class Output(Protocol):
    """Where a traceback is printed: anything that takes text."""

    def write(self, text: str, /) -> object: ...


class NoCurrentExceptionError(Exception):
    """A Failure was asked for the exception being handled, and none is (semantics 12)."""


class Failure(BaseException):
    """A caught exception with its traceback, to be passed on, tested by type, printed, pickled or raised again.

    `Failure()` inside an `except` block takes the exception being handled. `Failure(exception)` takes that exception
    and its own traceback, if it has one; `exc_type` and `exc_tb` replace type and traceback. `Failure(failure)` copies.
    With `captureVars` the frames carry the variables of each function.

    Any object is accepted for `exc_value` (semantics 12): its class is then the type, and raising it fails with
    AttributeError. Any thread may make and use one. Raises NoCurrentExceptionError if there is nothing to take.

    type, value, tb: as sys.exc_info() gives them. tb is None when there was none, and after cleaning or pickling.
    count: the number of this Failure in this process, from 1.
    pickled: 1 once cleaned, copied or unpickled: the frames are then a snapshot.
    """

    pickled = 0

    count: int
    type: Any
    value: Any
    captureVars: bool
    tb: TracebackType | None

    def __init__(
        self,
        exc_value: object = None,
        exc_type: object = None,
        exc_tb: TracebackType | None = None,
        captureVars: bool = False,
    ) -> None:
        if exc_value is None:
            exc_value = _current_exception()
            if exc_value is None:
                raise NoCurrentExceptionError("Failure() needs an exception that is being handled, or one as argument")
            exc_type = exc_value.__class__
            exc_tb = exc_value.__traceback__
        elif exc_type is None:
            exc_type = exc_value.__class__
        # Filling the dict is a fifth cheaper than five attribute assignments on an exception.
        state = self.__dict__
        if isinstance(exc_value, Failure):
            state.update(exc_value.__dict__)
            return
        state["count"] = next_count()
        state["type"] = exc_type
        state["value"] = exc_value
        state["captureVars"] = captureVars
        state["tb"] = exc_tb if exc_tb is not None else getattr(exc_value, "__traceback__", None)

    @classmethod
    def _withoutTraceback(cls, value: BaseException) -> "Failure":
        """`Failure(value)` for an exception that was never raised, cheaper. Contract: Twisted's web client uses it."""
        failure = _new(cls)
        failure.__dict__ = {
            "count": next_count(),
            "type": value.__class__,
            "value": value,
            "captureVars": False,
            "tb": None,
        }
        return failure

    # What is worked out on demand. Both may be set, before and after pickling. A program that is given the state may
    # make it the `__dict__`, as Twisted's logs and its `spread` have done: then both are there under their own names.

    @property
    def frames(self) -> list[Frame]:
        """The frames of the traceback, outermost first, each (function, file, line, locals, globals).

        The variables are lists of (name, value) pairs, `()` unless captured. The list is made once and may be changed.
        """
        state = self.__dict__
        if "_frames" not in state:
            state["_frames"] = state["frames"] if "frames" in state else _frames_of(self.tb, self.captureVars)
        frames: list[Frame] = state["_frames"]
        return frames

    @frames.setter
    def frames(self, frames: list[Frame]) -> None:
        self.__dict__["_frames"] = frames

    @property
    def parents(self) -> list[Any]:
        """What check() compares with: the qualified names of an Exception's classes, else just the type itself."""
        state = self.__dict__
        if "_parents" not in state and "parents" in state:
            state["_parents"] = state["parents"]
        elif "_parents" not in state:
            kind = self.type
            names = _is_exception(kind)
            state["_parents"] = [f"{each.__module__}.{each.__name__}" for each in kind.__mro__] if names else [kind]
        parents: list[Any] = state["_parents"]
        return parents

    @parents.setter
    def parents(self, parents: list[Any]) -> None:
        self.__dict__["_parents"] = parents

    @property
    def stack(self) -> list[Frame]:
        """Always empty, and setting it does nothing. Deprecated, as in the contract."""
        _warn_stack(self.__class__)
        return []

    @stack.setter
    def stack(self, frames: list[Frame]) -> None:
        _warn_stack(self.__class__)

    # Asking about it, and raising it.

    def check(self, *errorTypes: Any) -> Any:
        """The first of `errorTypes` (classes, or qualified names as strings) that the exception is one of, or None.

        Subclasses of Exception match by qualified name, so that a Failure from another process, or from a module that
        was loaded twice, still matches; all else by identity with the type (semantics 27): BaseException matches
        nothing but itself.
        """
        # Asking for error classes is the common case: it does not need the list of names, unless somebody has set it.
        state = self.__dict__
        given = "_parents" in state or "parents" in state
        ancestors = None if given else getattr(self.type, "__mro__", None)
        for error in errorTypes:
            if not _is_exception(error):
                found = error in self.parents
            elif ancestors is None:
                found = _qualified(error) in self.parents
            else:
                name = error.__name__
                found = error in ancestors or any(
                    each.__name__ == name and each.__module__ == error.__module__ for each in ancestors
                )
            if found:
                return error
        return None

    def trap(self, *errorTypes: Any) -> Any:
        """As check(), but raises the exception, with its traceback, when none matches (semantics 28)."""
        error = self.check(*errorTypes)
        if not error:
            self.raiseException()
        return error

    def raiseException(self) -> NoReturn:
        """Raise the exception with the traceback it was caught with."""
        error = self.value.with_traceback(self.tb)
        del self  # this frame joins the traceback: it must not hold the failure, nor the exception (semantics 25)
        try:
            raise error
        finally:
            del error

    def throwExceptionIntoGenerator(self, g: Generator[Any, Any, Any]) -> Any:
        """Throw the exception, with its traceback, into the generator or coroutine `g`; what that yields next."""
        error = self.value.with_traceback(self.tb)
        del self  # as in raiseException
        try:
            return g.throw(error)
        finally:
            del error

    def cleanFailure(self) -> None:
        """Let go of the traceback and so of every frame's locals; the frames stay as text (semantics 26)."""
        self.__setstate__(self.__getstate__())
        if getattr(self.value, "__traceback__", None) is not None:
            self.value.__traceback__ = None

    def getTracebackObject(self) -> Any:
        """The traceback; after cleaning, an object that the traceback module reads alike; None without frames."""
        if self.tb is not None:
            return self.tb
        return _Traceback(self.frames) if self.frames else None

    # Copying and pickling: what can travel. The traceback cannot.

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "parents": self.parents, "frames": self.frames, "stack": [], "tb": None, "pickled": 1}
        state.pop("_parents", None)
        state.pop("_frames", None)
        if self.captureVars and not self.pickled:
            state["frames"] = [[*frame[:3], _reprs(frame[3]), _reprs(frame[4])] for frame in self.frames]
        return state

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        fresh = dict(state or {})
        fresh.pop("stack", None)
        for name in ("parents", "frames"):
            if name in fresh:
                fresh["_" + name] = fresh.pop(name)
        self.__dict__.update(fresh)

    def __reduce__(self) -> tuple[Any, ...]:
        # Through __new__: __init__ would count a new Failure and look for an exception. The class goes by its name, so
        # a pickle made where we stand in for Twisted is one of Twisted's, and the other way round.
        return copyreg.__newobj__, (self.__class__,), self.__getstate__()  # type: ignore[attr-defined]

    # As text.

    def __repr__(self) -> str:
        return f"<{_qualified(self.__class__)} {_qualified(self.type)}: {self.getErrorMessage()}>"

    def __str__(self) -> str:
        return f"[Failure instance: {self.getBriefTraceback()}]"

    def getErrorMessage(self) -> str:
        """The exception's own text; a description of what went wrong if it cannot be had."""
        if isinstance(self.value, Failure):
            return self.value.getErrorMessage()
        return _text(self.value, str)

    def getBriefTraceback(self) -> str:
        """One line for the exception, and file:line:function for each frame."""
        return self.getTraceback(detail="brief")

    def getTraceback(self, elideFrameworkCode: int = 0, detail: str = "default") -> str:
        """The traceback as text. `detail` is "default", "brief" or "verbose" (with variables, if captured).

        `elideFrameworkCode` does nothing: the real frames are kept. Raises ValueError for another detail.
        """
        out = StringIO()
        self.printTraceback(out, elideFrameworkCode, detail)
        return out.getvalue()

    def printTraceback(self, file: Output | None = None, elideFrameworkCode: int = 0, detail: str = "default") -> None:
        """Write getTraceback() to `file`, by default to stderr."""
        write = (sys.stderr if file is None else file).write
        name, message = _text(self.type, _qualified), self.getErrorMessage()
        frames = self.frames
        if detail == "verbose":
            write(f"*--- Failure #{self.count}{' (pickled)' if self.pickled else ''} ---\n")
            _print_frames(frames, write, "verbose" if self.captureVars else "verbose-vars-not-captured")
        elif detail == "brief":
            header = "Traceback" if frames else "Traceback (failure with no frames)"
            write(f"{header}: {_text(self.type, str)}: {message}\n")
            _print_frames(frames, write, detail)
        else:
            write("Traceback (most recent call last):\n")
            _print_frames(frames, write, detail)
        if detail != "brief":
            write(f"{'' if frames else 'Failure: '}{name}: {message}\n")
        if detail == "verbose":
            write(f"*--- End of Failure #{self.count} ---\n")

    def printBriefTraceback(self, file: Output | None = None, elideFrameworkCode: int = 0) -> None:
        """Write getBriefTraceback() to `file`, by default to stderr."""
        self.printTraceback(file, elideFrameworkCode, "brief")

    def printDetailedTraceback(self, file: Output | None = None, elideFrameworkCode: int = 0) -> None:
        """Write the verbose traceback to `file`, by default to stderr."""
        self.printTraceback(file, elideFrameworkCode, "verbose")


def format_frames(frames: Iterable[Frame], write: Callable[[str], object], detail: str = "default") -> None:
    """Write `frames`, as Failure.frames has them, in the wanted detail.

    "default" shows the source, as Python does; "brief" one line each; "verbose" the captured variables;
    "verbose-vars-not-captured" says that there are none. Raises ValueError for any other detail.
    """
    if detail == "default":
        for function, file, line, *_ in frames:
            linecache.checkcache(file)
            write(f'  File "{file}", line {line}, in {function}\n    {linecache.getline(file, line).strip()}\n')
    elif detail == "brief":
        for function, file, line, *_ in frames:
            write(f"{file}:{line}:{function}\n")
    elif detail == "verbose":
        for function, file, line, local_items, global_items in frames:
            write(f"{file}:{line}: {function}(...)\n [ Locals ]\n")
            write("".join(f"  {name} : {_text(value, repr)}\n" for name, value in local_items))
            write(" ( Globals )\n")
            write("".join(f"  {name} : {_text(value, repr)}\n" for name, value in global_items))
    elif detail == "verbose-vars-not-captured":
        for function, file, line, *_ in frames:
            write(f"{file}:{line}: {function}(...)\n")
        write(" [Capture of Locals and Globals disabled (use captureVars=True)]\n")
    else:
        raise ValueError(f"detail is {detail!r}; it must be default, brief, verbose or verbose-vars-not-captured")


def _print_frames(frames: Sequence[Frame], write: Callable[[str], object], detail: str) -> None:
    # An unknown detail is an error even where there is nothing to print; known ones print nothing for no frames.
    if frames or detail not in ("verbose", "verbose-vars-not-captured"):
        format_frames(frames, write, detail)


def startDebugMode() -> None:
    """From now on `Failure()` first enters the debugger on the exception being handled. Contract: trial's --debug."""
    plain_init = Failure.__init__

    def debug_init(
        self: Failure,
        exc_value: object = None,
        exc_type: object = None,
        exc_tb: TracebackType | None = None,
        captureVars: bool = False,
    ) -> None:
        current = sys.exception()
        if exc_value is None and current is not None and DO_POST_MORTEM:
            import pdb  # a debugger is loaded only where one is asked for

            print(f"Entering the debugger on {_qualified(current.__class__)}: {_text(current, str)}")
            pdb.post_mortem(current.__traceback__)
        plain_init(self, exc_value, exc_type, exc_tb, captureVars)

    Failure.__init__ = debug_init  # type: ignore[method-assign]


def _warn_stack(kind: "type[Failure]") -> None:
    warnings.warn(f"{_qualified(kind)}.stack was deprecated in Twisted 24.10.0", DeprecationWarning, stacklevel=3)


def _is_exception(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)


def _qualified(kind: Any) -> str:
    """`module.Name`. A remote Failure's type may be a name already."""
    return f"{kind.__module__}.{kind.__name__}" if isinstance(kind, type) else str(kind)


def _text(value: object, convert: Callable[[Any], str]) -> str:
    """`convert(value)`, or a description where that fails: a report must not fail because an exception is broken."""
    try:
        if isinstance(value, bytes) and convert is str:
            return value.decode("utf-8", "backslashreplace")
        return convert(value)
    except Exception:
        reason = "".join(traceback.format_exception_only(sys.exception())).strip()
        return f"<{type(value).__name__} at 0x{id(value):x}, {convert.__name__}() of which raised {reason}>"


def _reprs(items: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    return [(name, _text(value, repr)) for name, value in items]


def _frames_of(tb: TracebackType | None, variables: bool) -> list[Frame]:
    frames: list[Frame] = []
    while tb is not None:
        frame, code = tb.tb_frame, tb.tb_frame.f_code
        local_items: Sequence[tuple[str, object]] = ()
        global_items: Sequence[tuple[str, object]] = ()
        if variables:
            local_items, global_items = list(frame.f_locals.items()), list(frame.f_globals.items())
        frames.append((code.co_name, code.co_filename, tb.tb_lineno, local_items, global_items))
        tb = tb.tb_next
    return frames


# A cleaned Failure has no traceback any more. These stand in for one: enough of the attributes that the traceback
# module and post-mortem debuggers read. Contract: t/test_failure names all four.


class _Code:
    def __init__(self, name: str, filename: str) -> None:
        self.co_name = self.co_qualname = name
        self.co_filename = filename
        self.co_firstlineno = self.co_flags = self.co_nlocals = self.co_stacksize = 0
        self.co_argcount = self.co_posonlyargcount = self.co_kwonlyargcount = 0
        self.co_code = self.co_lnotab = self.co_linetable = b""
        self.co_cellvars: tuple[str, ...] = ()
        self.co_consts: tuple[object, ...] = ()
        self.co_freevars: tuple[str, ...] = ()
        self.co_names: tuple[str, ...] = ()
        self.co_varnames: list[str] = []

    def co_positions(self) -> tuple[tuple[None, None, None, None], ...]:
        return ((None, None, None, None),)


class _Frame:
    def __init__(self, frameinfo: Frame, back: "_Frame | None") -> None:
        name, filename, lineno, local_items, global_items = frameinfo
        self.f_code = _Code(name, filename)
        self.f_lineno = lineno
        self.f_locals = dict(local_items or ())
        self.f_globals = dict(global_items or ())
        self.f_builtins = vars(builtins)
        self.f_back = back
        self.f_lasti = 0
        self.f_trace = None


class _TracebackFrame:
    def __init__(self, frame: _Frame) -> None:
        self.tb_frame = frame
        self.tb_lineno = frame.f_lineno
        self.tb_lasti = 0
        self.tb_next: _TracebackFrame | None = None


def _Traceback(tbFrames: Sequence[Frame]) -> _TracebackFrame:
    if not tbFrames:
        raise AssertionError("a traceback needs at least one frame")
    first = last = _TracebackFrame(_Frame(tbFrames[0], None))
    for info in tbFrames[1:]:
        last.tb_next = _TracebackFrame(_Frame(info, last.tb_frame))
        last = last.tb_next
    return first
