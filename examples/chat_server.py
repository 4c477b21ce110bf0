"""A chat server: the first line of a client is its name, every other line is told to all the others.

Who never reads does not make the server keep everything for him: beyond a megabyte unsent, he is dropped.
Usage: chat_server.py [PORT]; ends with SIGTERM or Ctrl-C. A client: ncat 127.0.0.1 PORT"""

import sys

from torsion import protocol, reactor

LONGEST_LINE = 10_000
MOST_UNSENT = 1_000_000


class Guest(protocol.Protocol):
    name = None
    rest = b""  # the beginning of a line

    def connectionMade(self):
        self.transport.set_write_limit(MOST_UNSENT, abort=True)
        self.transport.write(b"Who are you?\n")

    def dataReceived(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.line_received(line.rstrip(b"\r"))
        if len(self.rest) > LONGEST_LINE:
            self.transport.abortConnection()

    def line_received(self, line):
        if self.name is not None:
            self.factory.tell(self.name + b": " + line, but=self)
        elif line and line not in self.factory.guests:
            self.name = line
            names = b", ".join(self.factory.guests) or b"nobody"
            self.transport.write(b"Here: " + names + b"\n")
            self.factory.tell(line + b" comes in")
            self.factory.guests[line] = self
        else:
            self.transport.write(b"Another name, please\n")

    def connectionLost(self, reason):
        if self.name is not None:
            del self.factory.guests[self.name]
            self.factory.tell(self.name + b" is gone")


class Room(protocol.Factory):
    protocol = Guest

    def __init__(self):
        self.guests = {}  # name: Guest

    def tell(self, text, but=None):
        line = text + b"\n"
        for guest in self.guests.values():
            if guest is not but:
                guest.transport.write(line)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
listening = reactor.listenTCP(port, Room(), interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
