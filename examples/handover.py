"""A server that is replaced by a new process, of a new version, say, and no client is refused meanwhile.

The listening socket is handed over the way systemd hands sockets to services: the new process finds it as descriptor 3,
announced by LISTEN_FDS and LISTEN_PID. Both processes listen on one queue until the new one says that it is ready; then
the old one accepts no more, serves the connections it has to their end, and goes.

    handover.py [PORT]        serve; it answers lines with its process id
    kill -HUP <its pid>       start a successor, from this file as it is by then
    kill <its pid>            end gracefully: connections have ten seconds

Under systemd, with a socket unit, it serves the socket that the unit has opened."""

import os
import signal
import socket
import sys

from torsion import protocol, reactor

GRACE = 10  # seconds
FIRST = 3  # where handed-over descriptors begin


class Lines(protocol.Protocol):
    """Answers each line with the process id and the line."""

    def connectionMade(self):
        self.rest = b""

    def dataReceived(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.transport.write(b"%d %s\n" % (os.getpid(), line))


def listen(factory):
    """Listen on the socket that was handed over, or else on one of our own."""
    handed = os.environ.pop("LISTEN_PID", "") == str(os.getpid()) and int(os.environ.pop("LISTEN_FDS", "0"))
    if not handed:
        return reactor.listenTCP(int(sys.argv[1]) if len(sys.argv) > 1 else 0, factory, interface="127.0.0.1")
    port = reactor.adoptStreamPort(FIRST, socket.AF_INET, factory)
    os.close(FIRST)  # adopting has made a copy
    return port


def start_successor():
    """A new process, with our listening socket. The shell is there because LISTEN_PID has to be the new process's."""
    words = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"', sys.executable, *sys.argv]
    environment = {**os.environ, "LISTEN_FDS": "1", "PREDECESSOR": str(os.getpid())}
    os.posix_spawn("/bin/sh", words, environment, file_actions=[(os.POSIX_SPAWN_DUP2, port.fileno(), FIRST)])


def ready():
    """Tell whom we succeed that it may go: it ends as it does for anybody who asks it to."""
    print(f"process {os.getpid()} serves 127.0.0.1:{port.getHost().port}", flush=True)
    predecessor = int(os.environ.pop("PREDECESSOR", "0"))
    if predecessor:
        os.kill(predecessor, signal.SIGTERM)


def drain():
    """The first phase of the shutdown, which waits for what this returns."""
    done = port.drain(GRACE)
    return done.addCallback(lambda cut: print(f"process {os.getpid()} is done, {cut} cut", flush=True))


port = listen(protocol.Factory.forProtocol(Lines))
reactor.addSystemEventTrigger("before", "shutdown", drain)
reactor.callWhenRunning(ready)
signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(start_successor))
reactor.run()
