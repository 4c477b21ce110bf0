"""Operations on two ends in memory, of loopbackAsync. It is turned by the process's reactor, which does not run."""

from typing import Any

from streams import HalfCloseableEnd, own_reactor
from twisted.protocols import loopback
from world import World, operation

POLICIES = {"as written": loopback.identityPumpPolicy, "in one": loopback.collapsingPumpPolicy}


def _turn() -> None:
    for _ in range(20):
        own_reactor().iterate(0)


@operation
def loop_back(world: World, policy: str, server: dict[str, Any], client: dict[str, Any]) -> None:
    number = len(world.things.get("end", ())) // 2
    ends = [HalfCloseableEnd(world, f"s {number}", server), HalfCloseableEnd(world, f"c {number}", client)]
    for end in ends:
        end.silenced_by += ends
        world.keep("end", end)
    done = loopback.loopbackAsync(*ends, POLICIES[policy])
    done.addBoth(lambda result: world.log("loopback", result, channel=f"over {number}"))
    _turn()


@operation
def loop_act(world: World, number: int, body: list[Any]) -> None:
    end = world.pick("end", number)
    try:
        end.act(body)
    except Exception as error:
        end.log("raised", error)
    _turn()
