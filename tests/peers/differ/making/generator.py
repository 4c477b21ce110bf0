"""What makes the parts that all programs have: numbers of things, values, bodies, steps."""

import random
from collections.abc import Callable
from typing import Any

Body = list[Any]
Maker = Callable[["Generator"], list[Any]]

ERRORS = ["trouble", "other", "value", "fatal", "cancelled", "timeout", "called", "exit", "interrupt"]
COMMON = ["trouble", "other", "value"]


class Generator:
    """Makes the operations of one program."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(seed)
        self.depth = 0
        self.cancellers_raise = self.chance(0.5)
        self.tables: list[list[tuple[int, Maker]]] = []

    def number(self) -> int:
        """A thing's: mostly one of the first ones, so that operations meet."""
        return min(int(self.random.expovariate(0.35)), 9)

    def numbers(self) -> list[int]:
        return [self.number() for _ in range(self.random.choice((0, 1, 2, 2, 3, 4)))]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def error(self) -> str:
        return self.random.choice(COMMON if self.chance(0.7) else ERRORS)

    def value(self) -> Any:
        return self.random.choice(
            (1, 2, "text", None, True, [], ["deferred", self.number()], ["failure", self.error()], ["error", "value"])
        )

    def ending(self) -> list[Any]:
        kind = self.random.choices(("pass", "return", "raise", "deferred", "new"), (4, 4, 3, 3, 1))[0]
        if kind == "pass":
            return ["pass"]
        if kind == "raise":
            return ["raise", self.error()]
        return ["return", self.value() if kind == "return" else [kind, self.number()]]

    def body(self) -> Body:
        operations = []
        if self.depth < 3 and self.chance(0.55):
            self.depth += 1
            operations = self.operations(self.random.choice((1, 1, 2, 3)))
            self.depth -= 1
        return [operations, self.ending()]

    def steps(self) -> Body:
        """What a generator or coroutine does."""
        steps: list[Any] = []
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            how = self.random.choices(("value", "do", "inline", "ensured", "coroutine"), (8, 3, 1, 1, 1))[0]
            what: Any
            if how == "value":
                what = self.random.choice((["deferred", self.number()], ["deferred", self.number()], ["new"], 7))
            elif self.depth >= 3:
                continue
            else:
                self.depth += 1
                what = self.operations(self.random.choice((1, 2))) if how == "do" else self.steps()
                self.depth -= 1
            steps.append([how, what, self.chance(0.4)])
        return [steps, self.ending()]

    def operations(self, count: int) -> list[Any]:
        made = []
        for _ in range(count):
            table = self.random.choice(self.tables)
            maker = self.random.choices([each for _, each in table], [weight for weight, _ in table])[0]
            made.append(maker(self))
        return made
