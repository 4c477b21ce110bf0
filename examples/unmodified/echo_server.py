"""An echo server: what a client sends comes back. Usage: echo_server.py [PORT]; ends with SIGTERM or Ctrl-C."""

import sys

from twisted.internet import protocol, reactor


class Echo(protocol.Protocol):
    def connectionMade(self):
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data):
        self.transport.write(data)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
listening = reactor.listenTCP(port, protocol.Factory.forProtocol(Echo), backlog=1024, interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
