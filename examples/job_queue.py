"""A job queue over the thread pool: two jobs at a time, results in the loop's thread, and jobs that are taken back.

A job that has not begun is taken out of the queue by cancelling its Deferred. One that runs cannot be stopped from
outside, so it looks at an Event; its Deferred ends with CancelledError at once and the late result is dropped."""

import threading

from torsion import defer, reactor, task, threads


class JobQueue:
    """Runs functions in the reactor's thread pool, at most `at_once` of them, in order."""

    def __init__(self, at_once):
        self.slots = defer.DeferredSemaphore(at_once)

    def submit(self, function, *args):
        return self.slots.run(threads.deferToThread, function, *args)


def digits(number, given_up):
    total = 0
    for _ in range(200_000):
        if given_up.is_set():
            return None
        total = (total + number) % 9973
    return f"job {number}: {total} in {threading.current_thread().name.partition('-')[0]}"


def wait_until(given_up):
    given_up.wait(10)
    return "too late: nobody waits for this"


async def main():
    queue = JobQueue(at_once=2)
    given_up = threading.Event()
    never = threading.Event()
    stuck = queue.submit(wait_until, given_up)
    jobs = [queue.submit(digits, number, never) for number in range(1, 7)]
    jobs[-1].cancel()  # still in the queue: it never runs
    for number, job in enumerate(jobs, 1):
        try:
            print(await job)
        except defer.CancelledError:
            print(f"job {number}: cancelled in the queue")
    stuck.cancel()
    given_up.set()
    try:
        await stuck
    except defer.CancelledError:
        print("stuck job: cancelled while running")


reactor.suggestThreadPoolSize(4)
task.react(lambda _: defer.ensureDeferred(main()))
