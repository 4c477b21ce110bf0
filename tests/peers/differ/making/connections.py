"""Programs of connections."""

from typing import Any

from making.generator import Body, Generator, Maker

# Connections. One side of a program is the closer: all that ends a connection is done there, and the other side writes
# only when nothing is under way, and never stops reading. Where both ends close, or one writes while the other closes,
# what each of them sees depends on who comes first, and the order of the events of one wait is not promised.

WRITING: list[tuple[int, Maker]] = [
    (8, lambda g: ["write", g.one("a", "b", "c"), g.one(0, 1, 3, 10, 10, 1000)]),
    (1, lambda g: ["write_bad", g.one("text", None, 7)]),
    (1, lambda g: ["write_sequence", [g.one("d", "e") for _ in range(g.one(0, 1, 2, 3))]]),
]

PRODUCING: list[tuple[int, Maker]] = [
    (3, lambda g: ["register", g.chance(0.5), g.one(0, 1, 2, 3), g.one(1, 10, 70000)]),
    (1, lambda g: ["unregister"]),
]

QUIET: list[tuple[int, Maker]] = [
    (3, lambda g: ["resume"]),
    (2, lambda g: ["state"]),
    (1, lambda g: [g.one("peer", "host")]),
]

CLOSING: list[tuple[int, Maker]] = [
    (2, lambda g: ["pause"]),
    (5, lambda g: ["lose"]),
    (1, lambda g: ["write", "d", 70000]),
    (3, lambda g: ["lose_write"]),
    (1, lambda g: ["stop"]),
]

ALL = WRITING + QUIET + CLOSING


def _acts(g: Generator, table: list[tuple[int, Maker]], raising: bool = False) -> Body:
    operations = []
    if g.depth < 2:
        g.depth += 1
        makers = g.random.choices([each for _, each in table], [weight for weight, _ in table], k=g.one(1, 1, 2, 3))
        operations = [maker(g) for maker in makers]
        g.depth -= 1
    closes = any(name in ("lose", "abort", "lose_write", "stop") for name, *_ in operations)
    return [operations, ["raise", g.error()] if raising and not closes and g.chance(0.15) else ["pass"]]


def _script(g: Generator, closer: bool) -> dict[str, Any]:
    table = ALL if closer else QUIET
    script: dict[str, Any] = {"half": g.chance(0.4), "closer": closer}
    if g.chance(0.6):
        script["made"] = _acts(g, table, closer)
    if g.chance(0.6):
        marks = [g.one(1, 3, 10, 11, 20, 1000) for _ in range(g.one(1, 2, 3))]
        script["received"] = [[mark, _acts(g, table, closer)] for mark in marks]
    for when in ("read lost", "write lost"):
        if g.chance(0.3):
            script[when] = _acts(g, table, closer)
    if g.chance(0.3):
        script["lost"] = _acts(g, table)  # Twisted forgets the connector when this raises
    return script


def _client_script(g: Generator, closer: bool) -> dict[str, Any]:
    script = _script(g, closer)
    if "made" in script:
        script["made"][1] = ["pass"]  # on UNIX sockets Twisted keeps a connection whose connectionMade raised
    if closer:
        for when in ("failed", "client lost"):
            if g.chance(0.15):
                script[when] = ["connect"]
    return script


def _closing_act(g: Generator) -> Body:
    # What was written before an abort arrives or does not: abort only when nothing is under way.
    return [[["abort"]], ["pass"]] if g.chance(0.15) else _acts(g, ALL + PRODUCING)


def _stream(g: Generator, clients_close: bool) -> list[Any]:
    kind = g.random.choices(("act", "connect", "connector", "settle", "stop", "listen"), (8, 2, 1, 1, 1, 1))[0]
    if kind == "act":
        return ["act", g.number(), _closing_act(g), _acts(g, WRITING + QUIET)]
    if kind == "connect":
        return ["connect", g.number(), _client_script(g, clients_close)]
    if kind == "connector" and clients_close:
        return ["connector_do", g.number(), g.one("connect", "disconnect", "stopConnecting")]
    if kind == "stop":
        return ["stop_listening", g.number()]
    if kind == "listen":
        return ["listen", g.one("tcp", "unix"), _script(g, not clients_close)]
    return ["settle"]


def streams(g: Generator) -> list[Any]:
    clients_close = g.chance(0.5)
    made: list[Any] = [
        ["listen", g.one("tcp", "tcp", "unix"), _script(g, not clients_close)],
        ["connect", 0, _client_script(g, clients_close)],
    ]
    return made + [_stream(g, clients_close) for _ in range(g.random.randint(0, 8))] + [["settle"]]
