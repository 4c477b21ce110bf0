"""An echo server for datagrams: what a client sends comes back. Usage: udp_echo_server.py [PORT]."""

import sys

from twisted.internet import protocol, reactor


class Echo(protocol.DatagramProtocol):
    def datagramReceived(self, datagram, addr):
        self.transport.write(datagram, addr)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
listening = reactor.listenUDP(port, Echo(), interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
