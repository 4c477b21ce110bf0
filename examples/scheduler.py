"""A scheduler: a LoopingCall samples on a steady grid, coroutines wait beside it, and one is given up in time."""

from torsion import defer, reactor, task


def sleep(seconds):
    return task.deferLater(reactor, seconds)


class Sampler:
    """Counts its ticks; withCount says how many intervals went by, so a late tick is never lost."""

    def __init__(self, interval):
        self.ticks = 0
        self.loop = task.LoopingCall.withCount(self.sample)
        self.finished = self.loop.start(interval)

    def sample(self, elapsed):
        self.ticks += elapsed
        if self.ticks >= 10:
            self.loop.stop()


async def steps(name, count, seconds):
    for step in range(count):
        await sleep(seconds)
        print(f"{name}: step {step + 1} of {count}")
    return name


async def main():
    sampler = Sampler(0.05)
    quick = defer.ensureDeferred(steps("quick", 3, 0.1))
    endless = defer.ensureDeferred(steps("endless", 10_000, 0.2)).addTimeout(0.5, reactor)
    await sampler.finished
    print(f"sampler: {sampler.ticks} ticks")
    print(f"{await quick}: done")
    try:
        await endless
    except defer.TimeoutError as error:
        print(f"endless: given up after {error.args[0]} s")


task.react(lambda _: defer.ensureDeferred(main()))
