"""A job for any engine: timers, threads, Deferreds by the thousand. Prints what was done, and CPU seconds, as JSON."""

import json
import random
from time import process_time

from twisted.internet import defer, reactor, task, threads


def timers(count):
    """Every timer fires, in the order of its time."""
    rng = random.Random(1)
    fired = []
    done = defer.Deferred()

    def fire(number):
        fired.append(due[number])
        if len(fired) == count:
            done.callback(count if fired == sorted(fired) else 0)

    due = [reactor.callLater(rng.random(), fire, number).getTime() for number in range(count)]
    return done


@defer.inlineCallbacks
def thread_calls(count):
    """A call into a thread and the answer back, one after the other."""
    total = 0
    for number in range(count):
        total += yield threads.deferToThread(int, number)
    return count if total == sum(range(count)) else 0


def deferreds(count):
    """Deferreds with a callback, an error and an errback, collected in lists."""
    handled = []

    def fail(value):
        raise ValueError(value)

    def one(number):
        deferred = defer.Deferred()
        deferred.addCallback(fail)
        deferred.addErrback(lambda failure: failure.trap(ValueError) and handled.append(number))
        deferred.callback(number)
        return deferred

    def count_handled(_):
        return len(handled)

    return defer.gatherResults([one(number) for number in range(count)]).addCallback(count_handled)


@defer.inlineCallbacks
def main(reactor):
    steps = {}
    for name, step, count in (
        ("timers, fired in order", timers, 10_000),
        ("calls into threads and back", thread_calls, 1_000),
        ("Deferreds that failed and recovered", deferreds, 100_000),
    ):
        began = process_time()
        done = yield step(count)
        steps[name] = {"done": done, "cpu": process_time() - began}
    print(json.dumps(steps))


task.react(main)
