"""Two worlds, one loop and one thread: the reactor runs inside asyncio's loop.

A server of asyncio's streams answers a Torsion protocol; a coroutine of asyncio awaits a Deferred, and one of ours
awaits a Future."""

import asyncio
import threading

from torsion import asyncioreactor

loop = asyncio.new_event_loop()
asyncioreactor.install(loop)

from torsion import defer, protocol, reactor, task


async def answer(reader, writer):
    """The server, in asyncio."""
    async for line in reader:
        print("asyncio was asked:", line.decode().strip())
        writer.write(b"%d\n" % int(line) ** 2)
    writer.close()


class Question(protocol.Protocol):
    """The client, in Torsion."""

    def __init__(self, number):
        self.number = number
        self.answered = defer.Deferred()

    def connectionMade(self):
        self.transport.write(b"%d\n" % self.number)

    def dataReceived(self, data):
        self.answered.callback(int(data))
        self.transport.loseConnection()


async def in_asyncio():
    """A coroutine that asyncio drives: a Deferred is awaited as a Future."""
    deferred = task.deferLater(reactor, 0.01, lambda: "a Deferred")
    print("asyncio waited for", await deferred.asFuture(loop))
    return threading.get_ident()


async def in_torsion():
    """A coroutine that a Deferred drives: a Future is awaited as a Deferred."""
    server = await defer.Deferred.fromFuture(loop.create_task(asyncio.start_server(answer, "127.0.0.1", 0)))
    port = server.sockets[0].getsockname()[1]
    question = await protocol.ClientCreator(reactor, Question, 12).connectTCP("127.0.0.1", port)
    print("Torsion was answered:", await question.answered)
    thread = await defer.Deferred.fromFuture(loop.create_task(in_asyncio()))
    print("all in one thread:", thread == threading.get_ident())
    server.close()


def run():
    done = defer.ensureDeferred(in_torsion())
    done.addErrback(lambda failure: failure.printTraceback())
    done.addBoth(lambda _: reactor.stop())


reactor.callWhenRunning(run)
reactor.run()
loop.close()
