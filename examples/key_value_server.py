"""A key-value server that redis-cli can talk to: the protocol is lines, and raw bytes between them.

A request is a line of words, or an array: a line `*2` says that two strings follow, each a line `$5` with its length,
so many bytes, and an end of line. A client that asks and does not read the answers is not listened to meanwhile.
Usage: key_value_server.py [PORT]; ends with SIGTERM or Ctrl-C. A client: redis-cli -p PORT set name Ada"""

import sys

from torsion import protocol, reactor
from torsion.protocols.basic import LineReceiver

LONGEST_STRING = 1_000_000
MOST_STRINGS = 1_000


class Mistake(Exception):
    """What the client is told."""


class Client(LineReceiver):
    def connectionMade(self):
        self.missing = 0  # strings of an array that are still to come
        self.strings = []
        self.size = 0  # of the string that comes now, with its end of line
        self.pieces = []
        self.transport.registerProducer(self, True)  # while too many answers wait, this is paused

    def connectionLost(self, reason):
        self.transport.unregisterProducer()

    # What comes

    def lineReceived(self, line):
        try:
            if self.missing:
                self.begin_string(number(line, b"$", LONGEST_STRING))
            elif line.startswith(b"*"):
                self.missing = number(line, b"*", MOST_STRINGS)
                self.strings = []
            elif line.split():
                self.run(line.split())
        except Mistake as mistake:  # what follows could be anything
            self.transport.write(b"-ERR Protocol error: %b\r\n" % str(mistake).encode())
            self.leave()

    def begin_string(self, size):
        self.size = size + 2
        self.pieces = []
        self.setRawMode()

    def rawDataReceived(self, data):
        self.pieces.append(data[: self.size])
        rest = data[self.size :]
        self.size -= len(data) - len(rest)
        if self.size:
            return
        self.strings.append(b"".join(self.pieces)[:-2])
        self.missing -= 1
        if not self.missing:
            self.run(self.strings)
        self.setLineMode(rest)

    def lineLengthExceeded(self, line):
        self.transport.write(b"-ERR Protocol error: too big inline request\r\n")
        self.leave()

    def leave(self):
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # What is answered

    def run(self, words):
        name, *arguments = words
        command = COMMANDS.get(name.upper())
        try:
            if command is None:
                raise Mistake(f"unknown command '{name.decode(errors='replace')}'")
            answer = command(self.factory.values, arguments)
        except Mistake as mistake:
            self.transport.write(b"-ERR %b\r\n" % str(mistake).encode())
        else:
            self.transport.write(answer if isinstance(answer, Plain) else encoded(answer))
        if name.upper() == b"QUIT":
            self.leave()


class Plain(bytes):
    """An answer as it goes over the wire."""


OK, PONG = Plain(b"+OK\r\n"), Plain(b"+PONG\r\n")


def number(line, mark, most):
    digits = line[1:]
    if not line.startswith(mark) or not digits.isdigit():
        raise Mistake(f"expected '{mark.decode()}' and a number")
    if len(digits) > 10 or int(digits) > most:
        raise Mistake(f"more than {most}")
    return int(digits)


def encoded(answer):
    if answer is None:
        return b"$-1\r\n"
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    if isinstance(answer, list):
        return b"*%d\r\n%b" % (len(answer), b"".join(map(encoded, answer)))
    return b"$%d\r\n%b\r\n" % (len(answer), answer)


def takes(least, most=None):
    """Checks how many arguments there are."""

    def decorate(command):
        def checked(values, arguments):
            if len(arguments) < least or (most is not None and len(arguments) > most):
                raise Mistake("wrong number of arguments")
            return command(values, *arguments)

        return checked

    return decorate


@takes(2, 2)
def set_value(values, key, value):
    values[key] = value
    return OK


@takes(1, 1)
def increment(values, key):
    try:
        value = int(values.get(key, b"0")) + 1
    except ValueError:
        raise Mistake("value is not an integer or out of range") from None
    values[key] = b"%d" % value
    return value


COMMANDS = {
    b"PING": takes(0, 1)(lambda values, text=PONG: text),
    b"ECHO": takes(1, 1)(lambda values, text: text),
    b"GET": takes(1, 1)(lambda values, key: values.get(key)),
    b"SET": set_value,
    b"DEL": takes(1)(lambda values, *keys: sum(values.pop(key, None) is not None for key in keys)),
    b"EXISTS": takes(1)(lambda values, *keys: sum(key in values for key in keys)),
    b"INCR": increment,
    b"KEYS": takes(1, 1)(lambda values, pattern: sorted(values) if pattern == b"*" else []),
    b"DBSIZE": takes(0, 0)(lambda values: len(values)),
    b"FLUSHALL": takes(0)(lambda values, *ignored: values.clear() or OK),
    b"COMMAND": takes(0)(lambda values, *ignored: []),
    b"QUIT": takes(0)(lambda values, *ignored: OK),
}


class Store(protocol.Factory):
    protocol = Client

    def __init__(self):
        self.values = {}


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
listening = reactor.listenTCP(port, Store(), interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
