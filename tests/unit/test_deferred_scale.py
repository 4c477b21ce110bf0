"""Chains of 1,000,000 Deferreds: the time per link does not grow, and nothing recurses, in whichever thread.

A recursion that is too deep ends the interpreter without a word, so each test runs a program of its own.
"""

import subprocess
import sys

import pytest

PRELUDE = """
import gc, sys, threading, time
from torsion.defer import Deferred, succeed

gc.disable()  # what is measured is the chain, and what must free it is the reference count

def chain(links, innermost):
    waiting = innermost
    for _ in range(links):
        outer = succeed(None)
        outer.addCallback(lambda _, inner=waiting: inner)
        waiting = outer
    return waiting

def in_a_thread(function):
    # CPython 3.13 drops objects 10,000 deep, and so needs more stack, for a list in a list in a list too.
    threading.stack_size((256 if sys.version_info < (3, 13) else 2048) * 1024)
    failed = []
    threading.excepthook = lambda args: failed.append(args.exc_value)
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
    assert not failed, failed
"""


def run(program):
    """Run it with the prelude in an interpreter of its own, whose last words must be "done"."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + program + "\nprint('done')"], capture_output=True, text=True, timeout=120
    )
    assert (done.stdout.strip().splitlines()[-1:], done.returncode) == (["done"], 0), done.stderr


def test_a_link_costs_the_same_in_a_chain_of_ten_thousand_and_of_a_million():
    run("""
def per_link(links):
    innermost = Deferred()
    start = time.process_time()
    outermost = chain(links, innermost)
    got = []
    outermost.addCallback(got.append)
    innermost.callback("value")
    spent = time.process_time() - start
    assert got == ["value"]
    return spent / links

per_link(1_000)
small = sorted(per_link(10_000) for _ in range(5))[2]
large = per_link(1_000_000)
assert large < 5 * small, (small, large)
""")


def test_a_million_callbacks_of_one_deferred_run_in_time():
    run("""
deferred = Deferred()
for _ in range(1_000_000):
    deferred.addCallback(lambda value: value + 1)
deferred.callback(0)
assert deferred.result == 1_000_000
""")


def test_a_callback_that_adds_the_next_for_ever_does_not_make_the_list_of_those_that_wait_grow():
    run("""
import tracemalloc
waiting = []

def again(_):
    deferred.addCallback(again)
    waiting.append(Deferred())
    return waiting[0]

deferred = succeed(None)
deferred.addCallback(again)

def go_on(times):
    for _ in range(times):
        waiting.pop().callback(None)
    return tracemalloc.get_traced_memory()[0]

tracemalloc.start()
before = go_on(1_000)
after = go_on(20_000)
assert after < before + 20_000, (before, after)
""")


def test_cancelling_the_outermost_of_a_million_reaches_the_innermost():
    run("""
asked = []
innermost = Deferred(asked.append)
outermost = chain(1_000_000, innermost)
outermost.addErrback(lambda failure: None)
outermost.cancel()
assert asked == [innermost]
assert outermost.result is None
""")


def test_cancelling_one_that_waits_for_a_circle_of_deferreds_ends():
    run("""
for length in (1, 2, 3, 7, 100):
    circle = [Deferred() for _ in range(length)]
    for at, each in enumerate(circle):
        each.callback(circle[at - 1])
    outer = succeed(circle[0])
    outer.cancel()
    circle[0].cancel()
""")


@pytest.mark.parametrize("where", ["here", "in_a_thread"])
def test_dropping_a_million_unfired_links_does_not_recurse(where):
    run(f"""
def drop():
    outermost = chain(1_000_000, Deferred())
    del outermost

here = lambda function: function()
{where}(drop)
""")


@pytest.mark.parametrize("where", ["here", "in_a_thread"])
def test_dropping_a_million_deferreds_each_holding_the_next_does_not_recurse(where):
    run(f"""
def drop_fired():
    holder = Deferred()
    for _ in range(1_000_000):
        outer = Deferred()
        outer.callback(holder)  # a plain value: nothing waits
        holder = outer
    del holder, outer

def drop_unfired():
    holder = Deferred()
    for _ in range(1_000_000):
        outer = Deferred()
        outer.addCallback(holder.callback)
        holder = outer
    del holder, outer

here = lambda function: function()
{where}(drop_fired)
{where}(drop_unfired)
""")


def test_a_million_links_fire_and_are_dropped_in_a_thread():
    run("""
def fire_and_drop():
    innermost = Deferred()
    outermost = chain(1_000_000, innermost)
    innermost.callback("value")
    assert outermost.result == "value"

in_a_thread(fire_and_drop)
""")
