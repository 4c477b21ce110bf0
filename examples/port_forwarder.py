"""A port forwarder: each connection to our port is joined to a new one to the target, both ways.

Back-pressure: each of the two is registered as the producer of the other. When the slower has more to send than its
buffer should hold, the faster is not read from until that has gone out; so the forwarder holds some kilobytes of a
connection, however much flows through it. An end of one direction is passed on, and the other direction stays open.

Usage: port_forwarder.py TARGET_PORT [PORT]; ends with SIGTERM or Ctrl-C."""

import sys

from torsion import protocol, reactor


class Side(protocol.Protocol):
    """One of two joined connections. What it receives, the other sends."""

    other = None
    ended = False  # its peer has sent all

    def join(self, other):
        self.other, other.other = other, self
        self.transport.registerProducer(other.transport, True)
        other.transport.registerProducer(self.transport, True)

    def dataReceived(self, data):
        self.other.transport.write(data)

    def readConnectionLost(self):
        self.ended = True
        self.other.transport.unregisterProducer()  # nothing more comes from here
        if self.other.ended:
            self.transport.loseConnection()
            self.other.transport.loseConnection()
        else:
            self.other.transport.loseWriteConnection()

    def writeConnectionLost(self):
        """Having this and readConnectionLost is what makes an end of one direction not the end of both."""

    def connectionLost(self, reason):
        if self.other is not None:
            self.other.transport.unregisterProducer()
            self.other.transport.loseConnection()


class Accepted(Side):
    def connectionMade(self):
        self.transport.pauseProducing()  # nothing is read before there is somewhere to send it
        target = protocol.ClientCreator(reactor, Side).connectTCP("127.0.0.1", target_port, timeout=10)
        target.addCallbacks(self.target_reached, self.target_missed)

    def target_reached(self, target):
        self.join(target)
        self.transport.resumeProducing()

    def target_missed(self, failure):
        print(f"no way to 127.0.0.1:{target_port}: {failure.getErrorMessage()}", flush=True)
        self.transport.abortConnection()


target_port = int(sys.argv[1])
port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
listening = reactor.listenTCP(port, protocol.Factory.forProtocol(Accepted), interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
