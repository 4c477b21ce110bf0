"""Counts words on a Dask cluster: a TCP server that takes lines of text and, when they end, gives the commonest words.

Lines go to the cluster in batches, and no more of these at a time than it needs to have work (BoundedExecutor). A
connection whose batch finds no room is not read from until there is some, so who sends faster than the cluster counts
is slowed down by the network. A client that hangs up takes its batches back.

Usage: dask_word_count.py [PORT]; ends with SIGTERM or Ctrl-C. Needs torsion[dask]. Try:
cat *.txt | nc -N 127.0.0.1 PORT"""

import sys
from collections import Counter

from distributed import Client, LocalCluster

from torsion import defer, protocol, reactor, threads

BATCH = 200  # lines
COMMONEST = 10


def count_words(lines):
    """On the cluster: how often each word is in these lines."""
    return Counter(word for line in lines for word in line.decode(errors="replace").lower().split())


class WordCount(protocol.Protocol):
    """One client: lines until it closes its side, then an answer."""

    def connectionMade(self):
        self.rest, self.lines = b"", []
        self.batches = defer.DeferredQueue()
        self.serving = defer.Deferred.fromCoroutine(self.serve())
        self.serving.addErrback(self.failed)

    def dataReceived(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.lines += lines
        while len(self.lines) >= BATCH:
            self.batches.put(self.lines[:BATCH])
            del self.lines[:BATCH]
        if self.batches.pending:  # there was no room for all of them
            self.transport.pauseProducing()

    def readConnectionLost(self):
        """The client has sent all. That we go on to answer is what having this and writeConnectionLost says."""
        self.batches.put([*self.lines, self.rest])
        self.batches.put(None)

    def writeConnectionLost(self):
        pass

    def connectionLost(self, reason):
        self.serving.cancel()

    async def serve(self):
        counts, counting = Counter(), []
        try:
            while (batch := await self.batches.get()) is not None:
                await cluster.when_room()
                counting.append(cluster.defer(count_words, batch).addCallback(counts.update))
                if not self.batches.pending:
                    self.transport.resumeProducing()
            await defer.gatherResults(counting, consumeErrors=True)
        finally:
            for batch in counting:
                batch.addErrback(lambda failure: None)  # it has been told, or is not wanted any more
                batch.cancel()
        for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST]:
            self.transport.write(f"{count} {word}\n".encode())
        self.transport.loseConnection()

    def failed(self, failure):
        if not failure.check(defer.CancelledError):
            print(f"not counted: {failure.getErrorMessage()}", flush=True)
            self.transport.abortConnection()


if __name__ == "__main__":
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=60) as machines,
        Client(machines) as client,
    ):
        cluster = threads.BoundedExecutor(client.get_executor(pure=False), at_most=4)
        factory = protocol.Factory.forProtocol(WordCount)
        factory.noisy = False
        port = reactor.listenTCP(int(sys.argv[1]) if sys.argv[1:] else 0, factory, interface="127.0.0.1")
        print(f"listening on 127.0.0.1:{port.getHost().port}", flush=True)
        reactor.run()
