"""The operations that asyncio and uvloop have too, written as their users would. See operations.py."""

from __future__ import annotations

import asyncio
import threading
import time
from time import process_time as cpu
from typing import Any

from delays import DELAYS, LEAD


def _ignore(*ignored: Any) -> None:
    return None


async def await_fired(count: int) -> float:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    began = cpu()
    for _ in range(count):
        await future
    return cpu() - began


_crowd: list[asyncio.TimerHandle] = []


async def _in_a_crowd() -> asyncio.AbstractEventLoop:
    """The loop, with many timers that are far from due."""
    loop = asyncio.get_running_loop()
    if not _crowd:
        _crowd.extend(loop.call_later(10_000 + delay, _ignore) for delay in DELAYS)
    await asyncio.sleep(0)
    return loop


async def timer_schedule(count: int) -> float:
    call_later = (await _in_a_crowd()).call_later
    began = cpu()
    calls = [call_later(1000 + delay, _ignore) for delay in DELAYS[:count]]
    await asyncio.sleep(0)
    took = cpu() - began
    for call in calls:
        call.cancel()
    return took


async def timer_cancel(count: int) -> float:
    call_later = (await _in_a_crowd()).call_later
    calls = [call_later(1000 + delay, _ignore) for delay in DELAYS[:count]]
    await asyncio.sleep(0)
    began = cpu()
    for call in calls:
        call.cancel()
    await asyncio.sleep(0)
    return cpu() - began


async def timer_fire(count: int, lead: float = LEAD) -> float:
    loop = await _in_a_crowd()
    due = loop.time() + lead + 0.1
    for delay in DELAYS[:count]:
        loop.call_later(lead + delay / 1000, _ignore)
    done: asyncio.Future[None] = loop.create_future()
    loop.call_later(lead + 0.15, done.set_result, None)
    await asyncio.sleep(0)
    if loop.time() > due - 0.1:  # scheduling took so long that some have fired already
        time.sleep(0.2)
        await done
        return await timer_fire(count, 2 * lead)
    time.sleep(due + 0.1 - loop.time())
    began = cpu()
    await done
    return cpu() - began


async def timer_schedule_and_fire(count: int) -> float:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    began = cpu()
    for delay in DELAYS[:count]:
        loop.call_later(delay / 50, _ignore)
    loop.call_later(2.05, done.set_result, None)
    time.sleep(2.1)
    await done
    return cpu() - began


async def call_later_chain(count: int) -> float:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    began = cpu()

    def step(left: int) -> None:
        if left:
            loop.call_soon(step, left - 1)
        else:
            done.set_result(None)

    step(count)
    await done
    return cpu() - began


async def call_from_thread(count: int) -> float:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def post() -> None:
        for _ in range(count):
            loop.call_soon_threadsafe(_ignore)
        loop.call_soon_threadsafe(done.set_result, None)

    began = cpu()
    poster = threading.Thread(target=post)
    poster.start()
    await done
    took = cpu() - began
    poster.join()
    return took


async def defer_to_thread(count: int) -> float:
    loop = asyncio.get_running_loop()
    began = cpu()
    for _ in range(count):
        await loop.run_in_executor(None, _ignore)
    return cpu() - began


async def gather_item(count: int) -> float:
    loop = asyncio.get_running_loop()
    began = cpu()
    for _ in range(count // 100):
        futures: list[asyncio.Future[None]] = [loop.create_future() for _ in range(100)]
        together = asyncio.gather(*futures)
        for future in futures:
            future.set_result(None)
        await together
    return cpu() - began
