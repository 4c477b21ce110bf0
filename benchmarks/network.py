"""Measure echo servers beside each other and print ratios of CPU time. `make bench` runs it after run.py.

One program serves on Torsion, on Twisted's epoll reactor and on Twisted over asyncio: examples/unmodified/
echo_server.py, as it is. Beside it: asyncio, uvloop and rloop (echo_asyncio.py), and the least there can be, an epoll
server in C (echo_server.c). The servers are pinned to one core; the load (load.c) comes from the other and reads the
server's process CPU clock itself, before the work and after it. A round gives each server the same work in turn, each
round beginning with another one. Servers are started anew after some rounds, because one process may be a tenth slower
than the next with the same program. Figures and bars are as in run.py.

The rows of UDP do the same with datagrams: examples/unmodified/udp_echo_server.py. The row of the web is Twisted's own
web server, on our core and on its own: examples/unmodified/web_hello.py.

Memory is asked of a fresh server each time: resident bytes before and after many idle connections.

The rows over TLS have servers of their own (echo_tls.py), each as its users would write it: Torsion, asyncio and uvloop
with the standard library's ssl, Twisted with its own on pyOpenSSL. In the rows "by pyOpenSSL" Torsion runs Twisted's
program, contexts and all. They speak TLS 1.3 with a certificate that is made for the run. The rows over TLS need
OpenSSL's headers for the load, and `openssl`; without them they are left out.

Usage: network.py [--rounds N] [--scale X] [--only ROW ...] [--peers NAME ...] [--ours NAME] [--pure]
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from run import available, print_head, row

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "benchmarks"
PROGRAMS = HERE.parent / "examples" / "unmodified"
ON_ASYNCIO = (
    "import runpy, sys; from twisted.internet import asyncioreactor; asyncioreactor.install(); "
    "runpy.run_path(sys.argv.pop(1))"
)
PYTHON = [sys.executable, "-W", "ignore"]
# Left to itself, rloop 0.5 maps and unmaps its buffer for every message: three times the CPU.
RLOOP_MALLOC = ["env", f"MALLOC_MMAP_THRESHOLD_={1 << 25}", f"MALLOC_TRIM_THRESHOLD_={1 << 27}"]

# name: (the module that must be there, command). PROGRAM stands for the one that is written for Twisted.
PROGRAM = "PROGRAM"
SERVERS: dict[str, tuple[str, list[str]]] = {
    "torsion": ("torsion", [*PYTHON, "-m", "torsion", "run", PROGRAM]),
    "twisted": ("twisted", [*PYTHON, PROGRAM]),
    "twisted on asyncio": ("twisted", [*PYTHON, "-c", ON_ASYNCIO, PROGRAM]),
    "asyncio": ("asyncio", [*PYTHON, str(HERE / "echo_asyncio.py"), "asyncio"]),
    "uvloop": ("uvloop", [*PYTHON, str(HERE / "echo_asyncio.py"), "uvloop"]),
    "rloop": ("rloop", [*RLOOP_MALLOC, *PYTHON, str(HERE / "echo_asyncio.py"), "rloop"]),
    "C": ("asyncio", [str(BUILD / "echo_server")]),
}

CERTIFICATE = BUILD / "certificate.pem"
TLS_SERVERS = {
    name: (module, [*PYTHON, str(HERE / "echo_tls.py"), name, str(CERTIFICATE)])
    for name, module in (("torsion", "torsion"), ("twisted", "OpenSSL"), ("asyncio", "asyncio"), ("uvloop", "uvloop"))
}

BY_PYOPENSSL = {
    "torsion": ("OpenSSL", [*PYTHON, "-m", "torsion", "run", *TLS_SERVERS["twisted"][1][len(PYTHON) :]]),
    "twisted": TLS_SERVERS["twisted"],
}

# Theirs is one program, which is told what to serve.
ON_LOOPS = ("asyncio", "uvloop", "rloop")

# What a row's servers speak: the program that is written for Twisted, or a server for each peer.
SPOKEN: dict[str, str | dict[str, tuple[str, list[str]]]] = {
    "tcp": "echo_server.py",
    "udp": "udp_echo_server.py",
    "http": "web_hello.py",
    "tls": TLS_SERVERS,
    "tls by pyOpenSSL": BY_PYOPENSSL,
}


@dataclass
class Row:
    """What is asked of every server, how much of it a round, and the bars for the ratios."""

    measure: Callable[[Server, int], float]
    count: int
    bars: dict[str, float] = field(default_factory=dict)
    unit: str = "ns"
    without: tuple[str, ...] = ()
    speaks: str = "tcp"  # or another of SPOKEN


def cores() -> tuple[set[int], set[int]]:
    """One core for the load and one for the servers; the same where there is only one."""
    mine = os.sched_getaffinity(0)
    return {min(mine)}, {max(mine)}


def prepare_child(core: set[int]) -> Callable[[], None]:
    """In the child: its core, many descriptors, and an end when we end, however that comes."""
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        os.sched_setaffinity(0, core)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    return prepare


def command_of(name: str, speaks: str) -> list[str]:
    spoken = SPOKEN[speaks]
    if isinstance(spoken, dict):
        return spoken[name][1]
    command = [str(PROGRAMS / spoken) if word == PROGRAM else word for word in SERVERS[name][1]]
    return [*command, "udp"] if speaks == "udp" and name in ON_LOOPS else command


class Server:
    """A server process, from its first line (where it listens) until close()."""

    def __init__(self, name: str, pure: bool, speaks: str = "tcp") -> None:
        environment = dict(os.environ)
        environment.pop("TORSION_PURE", None)
        if pure:
            environment["TORSION_PURE"] = "1"
        self.name = name
        self.tls = speaks.startswith("tls")
        self.process = subprocess.Popen(
            command_of(name, speaks),
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=HERE,
            preexec_fn=prepare_child(cores()[1]),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.close()
            raise RuntimeError(f"{name}: the server does not come up: {line!r}")
        self.port = int(line.rpartition(":")[2])

    def load(self, kind: str, **numbers: int) -> dict[str, float]:
        """Run the load generator against this server; what it prints."""
        numbers |= {"port": self.port, "pid": self.process.pid}
        command = [
            str(BUILD / ("load_tls" if self.tls else "load")),
            kind,
            *(f"{name}={value}" for name, value in numbers.items()),
        ]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, check=True, timeout=120, preexec_fn=prepare_child(cores()[0])
        )
        printed: dict[str, float] = json.loads(done.stdout)
        return printed

    def resident(self) -> int:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def echo(connections: int, size: int, flight: int = 1) -> Callable[[Server, int], float]:
    """Nanoseconds of the server's CPU per message.

    Several in flight go out in one send: one by one, each would wake the server, and every server would cost the same.
    """

    def measure(server: Server, count: int) -> float:
        work = {"connections": connections, "size": size, "flight": flight, "together": 1, "messages": count}
        figures = server.load("echo", warm=max(count // 10, connections * flight), **work)
        return figures["cpu"] / figures["messages"] * 1e9

    return measure


def echo_datagrams(clients: int, size: int, flight: int = 1) -> Callable[[Server, int], float]:
    """Nanoseconds of the server's CPU per datagram."""

    def measure(server: Server, count: int) -> float:
        work = {"connections": clients, "size": size, "flight": flight, "messages": count}
        figures = server.load("udp", warm=max(count // 10, clients * flight), **work)
        return figures["cpu"] / figures["messages"] * 1e9

    return measure


def ask_web(connections: int) -> Callable[[Server, int], float]:
    """Nanoseconds of the server's CPU per request for a small page, on connections that are kept."""

    def measure(server: Server, count: int) -> float:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = connection.recv(65536)
        work = {"connections": connections, "reply": len(answer), "messages": count}
        figures = server.load("http", warm=max(count // 10, connections), **work)
        return figures["cpu"] / figures["messages"] * 1e9

    return measure


def storm(part: str) -> Callable[[Server, int], float]:
    """Nanoseconds of the server's CPU per connection that is opened, or closed by the client."""

    def measure(server: Server, count: int) -> float:
        figures = server.load("storm", connections=count, burst=100)
        return figures[part] / figures["connections"] * 1e9

    return measure


def believing() -> ssl.SSLContext:
    """A client's context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def open_idle(server: Server, count: int) -> list[socket.socket]:
    """Connections that the server has accepted; a byte echoed by the last of each hundred says so."""
    opened: list[socket.socket] = []
    context = believing() if server.tls else None
    for number in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        if context is not None:
            connection = context.wrap_socket(connection)
        opened.append(connection)
        if number % 100 == 99 or number == count - 1:
            connection.sendall(b"x")
            connection.recv(1)
    return opened


def memory(server: Server, count: int) -> float:
    """Resident bytes per idle connection. A few connections go first: what only the first needs is not counted."""
    for _ in range(2):  # twice: who is answered then has seen the first ones closed, and what that needs is there
        for connection in open_idle(server, 50):
            connection.close()
    before = server.resident()
    idle = open_idle(server, count)
    grown = server.resident() - before
    for connection in idle:
        connection.close()
    return max(grown, 1) / count


# rloop 0.5 never closes its end of a connection, and turns for ever over those that its clients have closed
NEVER_CLOSES = ("rloop",)
NOT_TWISTED = ("asyncio", "uvloop", "rloop", "C")
NO_DATAGRAMS = ("rloop", "C")  # rloop 0.5 has none; echo_server.c is for connections

ROWS: dict[str, Row] = {
    "echo_100_x_64_B": Row(echo(100, 64), 30_000, {"twisted": 0.33, "uvloop": 0.95, "rloop": 1, "C": 1.15}),
    "echo_100_x_16_KiB": Row(echo(100, 16384), 10_000, {"uvloop": 1}),
    "echo_100_x_64_KiB": Row(echo(100, 65536), 4_000, {"uvloop": 1}),
    "echo_1_x_64_B_16_in_flight": Row(echo(1, 64, 16), 30_000, {"uvloop": 1}),
    "accept": Row(storm("accept"), 2_000, {"uvloop": 0.95}, without=NEVER_CLOSES),
    "close": Row(storm("close"), 2_000, {"uvloop": 1}, without=NEVER_CLOSES),
    "udp_echo_100_x_64_B": Row(echo_datagrams(100, 64), 30_000, {"twisted": 0.5}, without=NO_DATAGRAMS, speaks="udp"),
    "udp_echo_1_x_64_B": Row(echo_datagrams(1, 64), 30_000, without=NO_DATAGRAMS, speaks="udp"),
    # in C a few bytes, next to nothing in pages
    "memory_of_an_idle_connection": Row(memory, 4_000, {"twisted": 0.7, "uvloop": 0.5}, unit="bytes", without=("C",)),
    "tls_echo_100_x_64_B": Row(echo(100, 64), 20_000, {"twisted": 0.3, "uvloop": 1}, speaks="tls"),
    "tls_echo_100_x_16_KiB": Row(echo(100, 16384), 5_000, {"uvloop": 1}, speaks="tls"),
    "tls_echo_100_x_64_B_by_pyOpenSSL": Row(echo(100, 64), 20_000, {"twisted": 0.5}, speaks="tls by pyOpenSSL"),
    "tls_echo_100_x_16_KiB_by_pyOpenSSL": Row(echo(100, 16384), 5_000, {"twisted": 0.6}, speaks="tls by pyOpenSSL"),
    "web_hello_50_connections": Row(ask_web(50), 10_000, {"twisted": 0.79}, without=NOT_TWISTED, speaks="http"),
    "memory_of_an_idle_tls_connection": Row(memory, 1_000, {"uvloop": 1}, unit="bytes", speaks="tls"),
}
PURE_BARS = {name: {"twisted": 1.0} for name in ROWS} | {"echo_100_x_64_B": {"twisted": 0.6}}
MEMORY_ROUNDS = 5  # pages repeat nearly exactly
ROUNDS_OF_A_PROCESS = 5


def measure_row(name: str, servers: list[str], rounds: int, scale: float, pure: bool) -> dict[str, list[float]]:
    """A figure a round for each server. The first round of its process warms up and is not counted."""
    asked = ROWS[name]
    count = max(1_000, int(asked.count * scale))
    of_memory = asked.measure is memory
    spoken = SPOKEN[asked.speaks]
    servers = [
        server for server in servers if server not in asked.without and (isinstance(spoken, str) or server in spoken)
    ]
    figures: dict[str, list[float]] = {server: [] for server in servers}
    standing: dict[str, Server] = {}

    def measure_once(server: str, keep: bool) -> float:
        running = standing.pop(server, None) or Server(server, pure, asked.speaks)
        figure = asked.measure(running, count)
        if keep:
            standing[server] = running
        else:
            running.close()
        return figure

    for number in range(min(rounds, MEMORY_ROUNDS) if of_memory else rounds):
        first = number % len(servers)
        for server in servers[first:] + servers[:first]:
            if of_memory:
                figures[server].append(measure_once(server, keep=False))
                continue
            again = server in NEVER_CLOSES
            if not again and server not in standing:
                measure_once(server, keep=True)
            last = again or number == rounds - 1 or (number + 1) % ROUNDS_OF_A_PROCESS == 0
            figures[server].append(measure_once(server, keep=not last))
    return figures


# What is in C: its source, and the compiler's flags.
IN_C: dict[str, tuple[str, list[str]]] = {
    "load": ("load", []),
    "echo_server": ("echo_server", []),
    "load_tls": ("load", ["-DTLS", "-lssl", "-lcrypto"]),
}


def build() -> bool:
    """Compile the C programs where they are missing or older than their sources. Whether there is one for TLS."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    BUILD.mkdir(parents=True, exist_ok=True)
    for name, (file, flags) in IN_C.items():
        source, program = HERE / f"{file}.c", BUILD / name
        if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
            continue
        if compiler is None:
            sys.exit("The load generator is a C program, and there is no C compiler here (cc, gcc, clang or CC=...).")
        command = [*compiler.split(), "-O2", "-o", str(program), str(source), *flags]
        if name != "load_tls":
            subprocess.run(command, check=True)
        elif subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
            return False
    return make_certificate()


def make_certificate() -> bool:
    """One for localhost, with its key, by `openssl`. Whether that was possible."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return False
    key = BUILD / "key.pem"
    made = BUILD / "bare.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [openssl, "req", "-x509", *kind, *names, "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    CERTIFICATE.write_text(key.read_text() + made.read_text())
    return True


def start(names: list[str], pure: bool) -> list[str]:
    """Those that come up, saying which do not."""
    serving = []
    for name in names:
        try:
            Server(name, pure).close()
            serving.append(name)
        except RuntimeError as error:
            print(f"left out: {error}", file=sys.stderr)
    return serving


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU of echo servers on Torsion and on its peers.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the work of every row")
    parser.add_argument("--only", nargs="*", choices=list(ROWS), metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--peers", nargs="*", choices=list(SERVERS), metavar="NAME", help=", ".join(SERVERS))
    parser.add_argument("--ours", choices=list(SERVERS), default="torsion", help="whose figures are divided by others'")
    parser.add_argument("--pure", action="store_true", help="Torsion's interpreted lane")
    parser.add_argument("--json", type=Path, help="write every figure there")
    options = parser.parse_args()
    with_tls = build()
    if not with_tls:
        print("left out: the rows over TLS, which need `openssl` and OpenSSL's headers", file=sys.stderr)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    wanted = {options.ours, *(options.peers or SERVERS)}
    there = set(available([module for module, _ in SERVERS.values()]))
    servers = start([name for name in SERVERS if name in wanted and SERVERS[name][0] in there], options.pure)
    others = [server for server in servers if server != options.ours]
    if len(others) == len(servers):
        print(f"{options.ours} does not serve: nothing to compare.", file=sys.stderr)
        return 1
    print_head("echo server", others, options.rounds, options.pure, options.ours)
    everything: dict[str, dict[str, list[float]]] = {}
    all_kept = True
    for name in options.only or ROWS:
        asked = ROWS[name]
        if asked.speaks.startswith("tls") and not with_tls:
            continue
        bars = PURE_BARS.get(name, {}) if options.pure else asked.bars
        figures = everything[name] = measure_row(name, servers, options.rounds, options.scale, options.pure)
        line, kept = row(name, figures, others, bars, options.ours, asked.unit)
        all_kept = all_kept and kept
        print(line, flush=True)
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))
    print("\nEvery bar is kept." if all_kept else "\nA bar is missed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
