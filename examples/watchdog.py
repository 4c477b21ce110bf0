"""A server that looks after itself: which request blocks the event loop, where in its code, and what all of it cost.

    python examples/watchdog.py [port] [limit in seconds]

`stats` answers with what the reactor has done; `wait N` answers after N seconds and disturbs nobody; `block N` does the
same with a function that blocks, as a slow query or a large file would, and every other client waits meanwhile. The
watchdog says so, with the stack, while it happens. Try it with `nc localhost PORT`."""

import sys
import time

from torsion import protocol, reactor
from torsion.protocols import basic


class Requests(basic.LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        name, _, argument = line.decode().strip().partition(" ")
        if name == "stats":
            self.sendLine(str(reactor.stats()).encode())
        elif name == "wait":
            reactor.callLater(float(argument), self.sendLine, b"waited")
        elif name == "block":
            slow_query(float(argument))
            self.sendLine(b"blocked")
        else:
            self.sendLine(b"stats, wait N or block N")


def slow_query(seconds):
    time.sleep(seconds)  # what should have been threads.deferToThread(time.sleep, seconds)


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    reactor.watch_blocking(float(sys.argv[2]) if len(sys.argv) > 2 else 0.1)
    port = reactor.listenTCP(number, protocol.Factory.forProtocol(Requests), interface="127.0.0.1")
    print(f"listening on {port.getHost().host}:{port.getHost().port}", flush=True)
    reactor.run()
