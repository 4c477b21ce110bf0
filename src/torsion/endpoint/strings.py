"""How an endpoint is written: `kind:argument:name=argument`. A backslash takes the meaning from what follows it.

Only the first `=` of an argument ends a name: `tcp:80:interface=\\:\\:1` has the arguments `80` and `interface`, `::1`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


class ArgumentError(ValueError, TypeError):
    """The arguments of an endpoint's description are not those that its kind takes."""


def parse(description: str | bytes) -> tuple[list[str], dict[str, str]]:
    """The arguments in order, the kind first, and those by name. Of one name, the last counts.

    Bytes are UTF-8. Raises ValueError for a backslash at the end, TypeError for what is no text.
    """
    if isinstance(description, bytes):
        description = description.decode()
    elif not isinstance(description, str):
        raise TypeError(f"an endpoint's description is a str, not {description!r}")
    in_order: list[str] = []
    by_name: dict[str, str] = {}
    name: str | None = None
    text: list[str] = []
    characters = iter(description + ":")
    for character in characters:
        if character == "\\":
            text.append(next(characters))
        elif character == "=" and name is None:
            name, text = "".join(text), []
        elif character != ":":
            text.append(character)
        else:
            if name is None:
                in_order.append("".join(text))
            else:
                by_name[name] = "".join(text)
            name, text = None, []
    if text or name is not None:  # the colon that was added is what the last backslash stands before
        raise ValueError(f"there is nothing behind the backslash at the end of {description!r}")
    return in_order, by_name


def quoteStringArgument(argument: str) -> str:
    r"""An argument as it is to stand in a description: with a backslash before each ``:`` and ``\``.

    Give it by name if it may have an ``=``: ``f"unix:address={quoteStringArgument(path)}"``.
    Contract: twisted.internet.endpoints.quoteStringArgument.
    """
    return argument.replace("\\", "\\\\").replace(":", "\\:")


def unparse(in_order: Iterable[str], by_name: Mapping[str, str]) -> str:
    """The reverse of parse."""
    pieces = [_quoted(argument) for argument in in_order]
    pieces += [f"{_quoted(name)}={quoteStringArgument(argument)}" for name, argument in by_name.items()]
    return ":".join(pieces)


def _quoted(argument: str) -> str:
    return quoteStringArgument(argument).replace("=", "\\=")


def call(kind: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call it with what a description holds; ArgumentError if it does not take that."""
    from inspect import signature  # a fifth of a start: only for a program that has such a description

    try:
        signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise ArgumentError(f"the description of a {kind!r} endpoint: {error}") from None
    return function(*args, **kwargs)


def number(name: str, text: Any, base: int = 10) -> int:
    """An argument that is a number. Raises ValueError, with what int() says: programs show that, or look for it."""
    try:
        return int(text, base)
    except ValueError as error:
        raise ValueError(f"{name} is a number{' in octal' * (base == 8)}, not {text!r}: {error}") from None
