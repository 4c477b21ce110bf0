"""A crowd of real clients at an echo server, none of them Torsion's.

Some are ncat and socat processes where these are installed, the others sockets of the standard library. Each says its
lines one after the other and checks that every one comes back as it was. Usage: crowd.py PORT [CLIENTS [LINES]]"""

import json
import os
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import time

HOST = "127.0.0.1"
PROGRAMS = {"ncat": ["ncat", HOST, "{port}"], "socat": ["socat", "-", f"TCP:{HOST}:{{port}}"]}
OF_EACH_PROGRAM = 20
LINE = 64  # bytes


class Client:
    """Writes to one descriptor, reads from another; with a socket they are the same."""

    def __init__(self, name, read, write):
        self.name = name
        self.read, self.write = read, write
        self.said = 0
        self.heard = b""

    def say(self):
        self.said += 1
        self.line = b"%s says line %d " % (self.name.encode(), self.said)
        self.line = self.line.ljust(LINE - 1, b".") + b"\n"
        if os.write(self.write, self.line) != LINE:
            raise RuntimeError(f"{self.name} could not say its line")

    def hear(self):
        """Whether the whole answer has come."""
        data = os.read(self.read, 65536)
        if not data:
            raise RuntimeError(f"{self.name}: the server has hung up")
        self.heard += data
        if len(self.heard) < LINE:
            return False
        if self.heard != self.line:
            raise RuntimeError(f"{self.name} said {self.line!r} and heard {self.heard!r}")
        self.heard = b""
        return True


class Crowd:
    """`count` clients of the server at `port`, connected. `kinds` says how many of which."""

    def __init__(self, port, count):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.processes, self.sockets, self.clients, self.kinds = [], [], [], {}
        for program, command in PROGRAMS.items():
            if shutil.which(program):
                self.kinds[program] = min(OF_EACH_PROGRAM, count // 4)
                for number in range(self.kinds[program]):
                    self.start(f"{program} {number}", [argument.format(port=port) for argument in command])
        self.kinds["sockets"] = count - len(self.clients)
        for number in range(self.kinds["sockets"]):
            connection = socket.create_connection((HOST, port), timeout=30)
            self.sockets.append(connection)
            self.clients.append(Client(f"socket {number}", connection.fileno(), connection.fileno()))

    def start(self, name, command):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.processes.append(process)
        self.clients.append(Client(name, process.stdout.fileno(), process.stdin.fileno()))

    def talk(self, lines):
        """Every client says so many lines, and hears them. Returns how many came back."""
        with selectors.DefaultSelector() as selector:
            for client in self.clients:
                selector.register(client.read, selectors.EVENT_READ, client)
                client.said = 0
                client.say()
            echoed, expected = 0, lines * len(self.clients)
            while echoed < expected:
                ready = selector.select(timeout=30)
                if not ready:
                    raise RuntimeError(f"nothing came for 30 seconds, after {echoed} of {expected} lines")
                for key, _ in ready:
                    client = key.data
                    if client.hear():
                        echoed += 1
                        if client.said < lines:
                            client.say()
        return echoed

    def leave(self):
        for connection in self.sockets:
            connection.close()
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            with process:
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


def visit(port, count=500, lines=20, clock=time.process_time):
    """A crowd comes, talks and leaves; what it did, and the seconds of `clock` that talking took."""
    crowd = Crowd(port, count)
    try:
        crowd.talk(1)  # everybody is in
        began, clock_began = time.monotonic(), clock()
        echoed = crowd.talk(lines)
        took = {"seconds": time.monotonic() - began, "cpu": clock() - clock_began}
    finally:
        crowd.leave()
    return {"clients": crowd.kinds, "connections": count, "messages": echoed, "bytes": echoed * LINE, **took}


if __name__ == "__main__":
    print(json.dumps(visit(*map(int, sys.argv[1:]))))
