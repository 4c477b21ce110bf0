"""A client of any server that answers a line with a line: asks one after the other, and prints the answers.

Usage: echo_client.py PORT LINE ..."""

import sys

from torsion import defer, protocol, reactor, task


class Asker(protocol.Protocol):
    """One question at a time: ask() gives a Deferred for the answer."""

    def connectionMade(self):
        self.received = b""
        self.answer = None
        self.closed = defer.Deferred()

    def ask(self, line):
        self.answer = defer.Deferred()
        self.transport.write(line.encode() + b"\n")
        return self.answer

    def dataReceived(self, data):
        self.received += data
        line, end, rest = self.received.partition(b"\n")
        if end and self.answer is not None:
            self.received = rest
            answer, self.answer = self.answer, None
            answer.callback(line.decode())

    def connectionLost(self, reason):
        if self.answer is not None:
            self.answer.errback(reason)
        self.closed.callback(reason.getErrorMessage())


async def main(port, *lines):
    asker = await protocol.ClientCreator(reactor, Asker).connectTCP("127.0.0.1", int(port), timeout=10)
    for line in lines:
        print(await asker.ask(line))
    asker.transport.loseConnection()
    print(await asker.closed)


task.react(lambda _, *arguments: defer.ensureDeferred(main(*arguments)), sys.argv[1:])
