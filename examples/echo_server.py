"""An echo server: what a client sends comes back. Usage: echo_server.py [PORT]; ends with SIGTERM or Ctrl-C."""

import sys

from torsion import protocol, reactor


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
listening = reactor.listenTCP(port, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
