"""Programs of connections.

One side of a program is the closer: all that ends a connection is done there, and the other side writes only when
nothing is under way, and never stops reading. Or both are: then nothing is answered while they are connected. Where
both ends close by themselves, or one writes while the other closes, what each of them sees depends on who comes first,
and the order of the events of one wait is not promised.
"""

from typing import Any

from making.generator import Body, Generator, Maker

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

PAUSING: list[tuple[int, Maker]] = [(2, lambda g: ["pause"])]
ENDING: list[tuple[int, Maker]] = [
    (5, lambda g: ["lose"]),
    (1, lambda g: ["write", "d", 70000 if g.chance(0.9) else 5_000_000]),  # the latter is more than the kernel takes
    (3, lambda g: ["lose_write"]),
    (1, lambda g: ["stop"]),
]
CLOSING = PAUSING + ENDING

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


def _script(g: Generator, closer: bool, quiet: bool = False) -> dict[str, Any]:
    """What an end does; if it is to be quiet, it answers nothing while it is connected."""
    table = ALL if closer and not quiet else QUIET
    script: dict[str, Any] = {"half": g.chance(0.4) and not quiet, "closer": closer}
    if g.chance(0.6):
        script["made"] = _acts(g, table, closer)
    if g.chance(0.6):
        marks = [g.one(1, 3, 10, 11, 20, 1000) for _ in range(g.one(1, 2, 3))]
        script["received"] = [[mark, _acts(g, table, closer and not quiet)] for mark in marks]
    for when in ("read lost", "write lost"):
        if g.chance(0.3):
            script[when] = _acts(g, table, closer)
    if g.chance(0.3):
        script["lost"] = _acts(g, WRITING + QUIET + CLOSING)  # Twisted forgets the connector when this raises
    return script


def _client_script(g: Generator, closer: bool, quiet: bool = False) -> dict[str, Any]:
    script = _script(g, closer, quiet)
    if "made" in script:
        script["made"][1] = ["pass"]  # on UNIX sockets Twisted keeps a connection whose connectionMade raised
    if closer:
        for when in ("failed", "client lost"):
            if g.chance(0.15):
                script[when] = ["connect"]
    return script


def _closing_act(g: Generator, both: bool) -> Body:
    if g.chance(0.15):  # what was written before an abort arrives or does not: only when nothing is under way
        return [[["abort"]], ["pass"]]
    # A paused end that shuts its writing side sees that the peer has gone when it is resumed; in Twisted at once.
    return _acts(g, WRITING + QUIET + (ENDING if both else CLOSING) + PRODUCING)


class Sides:
    """Which of the two sides closes; both only when told from outside, one after the other or at once.

    Where one side of a connection stays open when the peer has gone (half-closed, or on a UNIX socket), Twisted's
    poller sees that first when it is closed here, too: not together.
    """

    def __init__(self, g: Generator) -> None:
        self.closer = g.one("client", "server", "client", "server", "both")
        self.kinds = ("tcp",) if self.closer == "both" else ("tcp", "unix", "tcp")

    def server(self, g: Generator) -> dict[str, Any]:
        return _script(g, self.closer != "client", self.closer == "both")

    def client(self, g: Generator) -> dict[str, Any]:
        return _client_script(g, self.closer != "server", self.closer == "both")


def _stream(g: Generator, sides: Sides) -> list[Any]:
    kind = g.random.choices(("act", "connect", "connector", "settle", "stop", "listen", "both"), (8, 2, 1, 1, 1, 1, 1))[
        0
    ]
    if kind == "act":
        return ["act", g.number(), _closing_act(g, sides.closer == "both"), _acts(g, WRITING + QUIET)]
    if kind == "connect":
        return ["connect", g.number(), sides.client(g)]
    if kind == "connector" and sides.closer == "client":
        return ["connector_do", g.number(), g.one("connect", "disconnect", "stopConnecting")]
    if kind == "stop":
        return ["stop_listening", g.number()]
    if kind == "listen":
        return ["listen", g.one(*sides.kinds), sides.server(g)]
    if kind == "both" and sides.closer == "both":
        return ["both_act", g.number(), g.one("lose", "abort")]
    return ["settle"]


def streams(g: Generator) -> list[Any]:
    sides = Sides(g)
    made: list[Any] = [["listen", g.one(*sides.kinds), sides.server(g)], ["connect", 0, sides.client(g)]]
    return made + [_stream(g, sides) for _ in range(g.random.randint(0, 8))] + [["settle"]]


# TLS. Its own: no half-close, and an end may also be aborted while the other one still waits for the handshake.


TLS_CLOSING: list[tuple[int, Maker]] = [
    (4, lambda g: ["lose"]),
    (1, lambda g: ["write", "d", 70000 if g.chance(0.9) else 5_000_000]),
]
TLS_PRODUCING: list[tuple[int, Maker]] = [
    # Twisted's TLS joins small pieces, and those of a producer that unregisters behind loseConnection() are dropped.
    (3, lambda g: ["register", g.chance(0.5), g.one(0, 1, 2, 3), 70000]),
    (1, lambda g: ["unregister"]),
]
TLS_ALL = WRITING + QUIET + TLS_CLOSING


def _tls_script(g: Generator, closes: bool) -> dict[str, Any]:
    table = TLS_ALL if closes else QUIET
    script: dict[str, Any] = {"half": False, "tls": True, "closer": closes, "careless": g.chance(0.4)}
    if g.chance(0.5):
        script["made"] = [_acts(g, table)[0], ["pass"]]
    if closes and g.chance(0.1):
        script["made"] = [[["abort"]], ["pass"]]
    if g.chance(0.6):
        marks = [g.one(1, 3, 10, 11, 20, 1000) for _ in range(g.one(1, 2, 3))]
        script["received"] = [[mark, _acts(g, table)] for mark in marks]  # nothing raises: what came with it counts
    if g.chance(0.3):
        script["lost"] = _acts(g, WRITING + QUIET)
    return script


def _tls_act(g: Generator) -> Body:
    return [[["abort"]], ["pass"]] if g.chance(0.15) else _acts(g, TLS_ALL + TLS_PRODUCING + PAUSING)


def tls(g: Generator) -> list[Any]:
    closer = g.one("client", "server", "client")  # not both: who is first would hang on how many turns an engine takes
    kind = g.one("tls", "tls", "tls", "tls", "tls expired", "tls wrong_name", "tls self_signed")
    made: list[Any] = [["listen", kind, _tls_script(g, closer == "server")]]
    made += [["connect", 0, _tls_script(g, closer == "client")] for _ in range(g.one(1, 1, 2))]
    acts = [["act", g.number(), _tls_act(g), _acts(g, WRITING + QUIET)] for _ in range(g.random.randint(0, 6))]
    return made + acts + [["settle"]]


# Both ends in memory. What is written behind loseConnection(), or when the other side has closed, arrives now and then
# in Twisted: there they say nothing.


def loopbacks(g: Generator) -> list[Any]:
    made: list[Any] = [
        ["loop_back", g.one("as written", "in one"), _script(g, True), _script(g, True)] for _ in range(g.one(1, 1, 2))
    ]
    return made + [["loop_act", g.number(), _acts(g, ALL)] for _ in range(g.random.randint(0, 6))]
