"""Operations on a reactor's events and what they trigger, and on its end."""

from typing import Any

from streams import reactor_of
from world import World, operation


@operation
def trigger(world: World, phase: str, event: str, body: list[Any]) -> None:
    """Add one."""
    number = len(world.things.get("trigger", ()))
    called = world.callback(f"{phase} {event} {number}", body)
    world.keep("trigger", reactor_of(world).addSystemEventTrigger(phase, event, called))


@operation
def trigger_remove(world: World, number: int) -> None:
    reactor_of(world).removeSystemEventTrigger(world.pick("trigger", number))


@operation
def fire_event(world: World, event: str) -> None:
    reactor_of(world).fireSystemEvent(event)


@operation
def when_running(world: World, body: list[Any]) -> None:
    """Its reactor runs, so that this is now."""
    world.log("when running", reactor_of(world).callWhenRunning(world.callback("running", body), 1) is not None)


@operation
def stop_reactor(world: World) -> None:
    reactor_of(world).stop()


@operation
def turn(world: World, times: int) -> Any:
    reactor = reactor_of(world)
    for _ in range(times):
        reactor.advance(0)
    return bool(reactor.running)
