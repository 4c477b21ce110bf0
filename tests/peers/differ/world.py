"""What a program runs in: its things, by kind and number, and the log of what happened.

A program is data. `[name, argument, ...]` is an operation; a *body* is what the program does in a callback,
`[operations, ending]`, and the ending is `["return", value]`, `["pass"]`, `["raise", "name"]` and so on. Whatever is
referred to is a number, taken modulo the things there are: a program stays a program when operations are dropped.

An event goes to a channel. Events of one channel are in order; those of a channel that is in SORTED are not, for their
order is not part of the contract. Nothing here is imported but Twisted's public modules: which engine that is, whoever
starts the process decides.
"""

import gc
import os
import re
import warnings
from collections.abc import Callable
from threading import current_thread, main_thread
from typing import Any

from twisted.internet import defer
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.failure import Failure

#: Operations that a program may make, those of its callbacks included: none runs for ever.
BUDGET = 400

#: When an unhandled error is reported depends on when the Deferred is freed, and on reference cycles; when one is in a
#: thread, on the threads.
SORTED = ("unhandled", "reported in threads")

Operation = Callable[..., Any]
OPERATIONS: dict[str, Operation] = {}


def operation(function: Operation) -> Operation:
    """Make this function an operation of programs, under its name."""
    OPERATIONS[function.__name__.rstrip("_")] = function
    return function


class Missing(Exception):
    """The program refers to a thing of a kind of which it has none."""


class Trouble(Exception):
    """What programs raise."""


class OtherTrouble(Trouble):
    pass


class Fatal(BaseException):
    """What programs raise, and `except Exception` does not see."""


ERRORS: dict[str, Callable[[], BaseException]] = {
    "trouble": lambda: Trouble("trouble"),
    "other": lambda: OtherTrouble("other", 2),
    "value": lambda: ValueError("value"),
    "fatal": lambda: Fatal("fatal"),
    "exit": lambda: SystemExit(3),
    "interrupt": lambda: KeyboardInterrupt(),
    "cancelled": lambda: defer.CancelledError("mine"),
    "timeout": lambda: defer.TimeoutError("mine"),
    "called": lambda: defer.AlreadyCalledError(),
    "stop": lambda: StopIteration(5),
    "generator exit": lambda: GeneratorExit(),
}

#: A line of a Failure's text that names a frame outside of these files.
ENGINES_FRAME = re.compile(rf"(?!{re.escape(os.path.dirname(os.path.abspath(__file__)))})\S*:\d+:\S+$")

#: Errors whose texts are compared: the program's own. What an engine says is for people.
MISUSE = (AssertionError, AttributeError)
WITH_TEXTS = (Trouble, Fatal, SystemExit, defer.TimeoutError)


def plain(text: object) -> str:
    """A text without what differs from run to run: addresses, ports, and where a class was defined."""
    text = re.sub(r"0x[0-9a-f]+", "0x", str(text))
    text = re.sub(r"differ-\w+", "differ", text)
    text = re.sub(r"(127\.0\.0\.1['\"]?[:,] ?(?:port=)?)\d+", r"\g<1>PORT", text)
    text = re.sub(r"(torsion|twisted)(\.\w+)+\.(?=[A-Z])", "", text)
    return "\n".join(line for line in text.splitlines() if not ENGINES_FRAME.match(line))


def in_a_circle(d: Any) -> bool:
    """Whether what it waits for waits for it, or for itself. To cancel one of them is a RecursionError in Twisted."""
    passed: list[Any] = []
    while isinstance(d, defer.Deferred):
        if any(d is each for each in passed):
            return True
        passed.append(d)
        d = getattr(d, "result", None)
    return False


class World:
    """One program's run."""

    def __init__(self) -> None:
        self.events: dict[str, list[Any]] = {}
        self.things: dict[str, list[Any]] = {}
        self.left = BUDGET
        self.happened = 0
        self._over = False
        #: Whether Deferreds may be cancelled by what is not an operation. Then it ends where some wait for each other.
        self.cancels = False
        self._unhandled = False
        self._own: set[int] = set()
        self.cleanups: list[Callable[[], None]] = []

    def log(self, *what: Any, channel: str = "main") -> None:
        if self._over and channel not in SORTED:
            return
        self.happened += 1
        self.events.setdefault(channel, []).append([self.shown(item) for item in what])

    # Things.

    def keep(self, kind: str, thing: Any) -> Any:
        self.things.setdefault(kind, []).append(thing)
        return thing

    def pick(self, kind: str, number: int) -> Any:
        things = self.things.get(kind)
        if not things or things[number % len(things)] is None:
            raise Missing(kind)
        return things[number % len(things)]

    def own(self, d: defer.Deferred[Any]) -> defer.Deferred[Any]:
        """Keep a Deferred that is the program's to fire."""
        self.keep("deferred", d)
        self._own.add(len(self.things["deferred"]) - 1)
        return d

    def pick_own(self, number: int) -> Any:
        number %= len(self.things.get("deferred", ())) or 1
        if number not in self._own:
            raise Missing("deferred")
        return self.pick("deferred", number)

    def value(self, value: Any) -> Any:
        """What this value of a program stands for."""
        if isinstance(value, list) and value:
            if value[0] == "deferred":
                return self.pick("deferred", value[1])
            if value[0] == "new":
                return self.own(defer.Deferred())
            if value[0] == "failure":
                return Failure(ERRORS[value[1]]())
            if value[0] == "error":
                return ERRORS[value[1]]()
            if value[0] == "bytes":
                return value[1].encode() * value[2]
        return value

    # Running.

    def run(self, operations: list[Any]) -> None:
        for each in operations:
            self.do(each)

    def do(self, each: list[Any]) -> None:
        self.left -= 1
        if self.left == -1:
            self.log("out of operations")
        if self.left < 0:
            return
        try:
            result = OPERATIONS[each[0]](self, *each[1:])
        except Missing:
            return
        except BaseException as raised:
            self.log(each[0], "raised", raised)
        else:
            if result is not None:
                self.log(each[0], result)
        if self.cancels and any(map(in_a_circle, self.things.get("deferred", ()))):
            self.log("a circle")
            self.left, self._over = -1, True

    def body(self, body: list[Any], given: Any = None) -> Any:
        operations, ending = body
        self.run(operations)
        if self.left < 0 or ending[0] == "pass":
            return given
        if ending[0] == "raise":
            raise ERRORS[ending[1]]()
        try:
            return self.value(ending[1])
        except Missing:
            return given

    def callback(self, name: str, body: list[Any]) -> Callable[..., Any]:
        """A function that tells what it was given and does what the body says."""

        def called(*given: Any) -> Any:
            self.log(name, *given)
            return self.body(body, given[0] if given else None)

        return called

    # What is seen.

    def shown(self, value: Any) -> Any:
        """The value as JSON that does not differ from run to run."""
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return round(value, 4)
        if isinstance(value, bytes):
            return value.decode("latin-1")
        if isinstance(value, list | tuple):
            return [type(value).__name__, *(self.shown(item) for item in value)]
        if isinstance(value, Failure):
            return ["Failure", self.shown(value.value)]
        if isinstance(value, defer.Deferred):
            return self._number("deferred", value)
        if isinstance(value, defer.FirstError):
            return ["FirstError", value.index, self.shown(value.subFailure)]
        if isinstance(value, defer.FailureGroup):
            return ["FailureGroup", *(self.shown(item) for item in value.failures)]
        if isinstance(value, MISUSE):
            return ["misuse", ""]  # which of them, is not part of the contract
        if isinstance(value, BaseException):
            told = isinstance(value, WITH_TEXTS) or str(value) == "value"
            return [type(value).__name__, plain(value) if told else ""]
        return plain(repr(value))

    def _number(self, kind: str, thing: Any) -> str:
        for number, each in enumerate(self.things.get(kind, ())):
            if each is thing:
                return f"{kind} {number}"
        return f"some {type(thing).__name__}"

    def observe(self, event: dict[str, Any]) -> None:
        """An observer of Twisted's log."""
        failure = event.get("log_failure") or event.get("failure")
        text = formatEvent(event)
        if text == "Unhandled error in Deferred:":
            self._unhandled = True  # the failure is the next event
        elif failure is not None:
            if self._unhandled and "reactor" in self.things:
                pass  # Twisted's may keep what a failed call referred to: it is told never, or too late
            elif self._unhandled:
                self.log("unhandled", failure, channel="unhandled")
            elif current_thread() is not main_thread():
                self.log("reported", failure, channel="reported in threads")
            else:
                self.log("reported", failure)
            self._unhandled = False

    def warned(self, message: Warning | str, category: type[Warning], *where: Any) -> None:
        if category is not ResourceWarning:  # Twisted leaves some sockets to the collector
            self.log("warned", category.__name__, plain(message), channel="warnings")

    def ended(self) -> dict[str, list[Any]]:
        """Let go of everything, and return the log."""
        self.left = -1
        self._over = True
        for cleanup in self.cleanups:
            cleanup()
        self.cleanups.clear()
        self.things = {"reactor": []} if "reactor" in self.things else {}
        while gc.collect():
            pass
        for channel in SORTED:
            if channel in self.events:
                self.events[channel].sort(key=repr)
        return self.events


def run(program: list[Any]) -> dict[str, list[Any]]:
    """Run a program, and return its events, by channel."""
    world = World()
    globalLogPublisher.addObserver(world.observe)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = world.warned
            world.run(program)
            return world.ended()
    finally:
        globalLogPublisher.removeObserver(world.observe)
