"""A pool of worker processes: jobs go to whichever is free, results come back as Deferreds, and a worker that dies is
replaced. For work that keeps a processor busy, which threads of one Python cannot share.

A worker is this program again, with the argument `worker`: it reads a job a line, and writes the answer as a line."""

import collections
import json
import os
import sys

from torsion import defer, error, protocol, reactor, task


class WorkerDied(Exception):
    """The process ended in the middle of the job."""


class Worker(protocol.ProcessProtocol):
    """One process, and the job that it has."""

    def __init__(self, pool):
        self.pool = pool
        self.answer = None  # the Deferred of the job, while it has one
        self.received = b""

    def give(self, job, answer):
        self.answer = answer
        self.transport.write(json.dumps(job).encode() + b"\n")

    def outReceived(self, data):
        self.received += data
        while b"\n" in self.received:
            line, self.received = self.received.split(b"\n", 1)
            answer, self.answer = self.answer, None
            self.pool.is_free(self)
            answer.callback(json.loads(line))

    def errReceived(self, data):
        sys.stderr.write(data.decode())

    def processEnded(self, reason):
        self.pool.has_ended(self)
        if self.answer is not None:
            how = f"by signal {reason.value.signal}" if reason.check(error.ProcessTerminated) else "too early"
            self.answer.errback(WorkerDied(f"the worker ended {how}"))


class ProcessPool:
    """Runs jobs in `size` processes, started when they are first needed."""

    def __init__(self, reactor, size, command):
        self.reactor = reactor
        self.size = size
        self.command = command
        self.workers = set()
        self.free = []
        self.waiting = collections.deque()  # (job, the Deferred of its answer)
        self.closed = None

    def submit(self, job):
        """A Deferred of what the worker makes of `job`: anything that JSON can carry."""
        answer = defer.Deferred()
        self.waiting.append((job, answer))
        self.go_on()
        return answer

    def go_on(self):
        while self.waiting and (self.free or len(self.workers) < self.size):
            worker = self.free.pop() if self.free else self.start()
            worker.give(*self.waiting.popleft())

    def start(self):
        worker = Worker(self)
        self.workers.add(worker)
        self.reactor.spawnProcess(worker, self.command[0], self.command, env=None)
        return worker

    def is_free(self, worker):
        self.free.append(worker)
        self.reactor.callLater(0, self.go_on)

    def has_ended(self, worker):
        self.workers.discard(worker)
        if worker in self.free:
            self.free.remove(worker)
        self.go_on()
        if self.closed is not None and not self.workers:
            self.closed.callback(None)

    def close(self):
        """A Deferred that fires when the processes have ended; those that have a job finish it first."""
        self.closed = defer.Deferred()
        for worker in self.workers:
            worker.transport.closeStdin()
        if not self.workers:
            self.closed.callback(None)
        return self.closed


def work():
    """What a worker does until nobody has jobs for it any more."""
    for line in sys.stdin:
        limit = json.loads(line)
        if limit < 0:
            os.kill(os.getpid(), 9)  # as if there were no memory left
        primes = sum(all(number % divisor for divisor in range(2, int(number**0.5) + 1)) for number in range(2, limit))
        print(json.dumps({"limit": limit, "primes": primes}), flush=True)


async def main(reactor):
    pool = ProcessPool(reactor, 2, [sys.executable, __file__, "worker"])
    jobs = [pool.submit(limit) for limit in (10_000, 20_000, -1, 30_000, 40_000)]
    for job in jobs:
        try:
            answer = await job
        except WorkerDied as died:
            print(died)
        else:
            print(f"{answer['primes']} primes below {answer['limit']}")
    await pool.close()
    print(f"workers left: {len(pool.workers)}")


if sys.argv[1:] == ["worker"]:
    work()
else:
    task.react(lambda _: defer.ensureDeferred(main(reactor)))
