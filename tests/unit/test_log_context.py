"""Twisted's log says whom the loop serves, as it does on Twisted's own reactor: the same programs on both."""

import subprocess
import sys

import pytest
from tests.interpreters import INSTALL, Python, needs_twisted

# What an observer of Twisted's log gets as "system", in the order things are said.
START = """
import os, socket
from twisted.internet import reactor
from twisted.python import context, log

said = []

def observe(event):
    if event["message"] or event["isError"]:  # and not what Twisted's reactor has to say at its end
        said.append((event["message"] or ("error",), event["system"]))

log.startLoggingWithObserver(observe, setStdout=False)
said.clear()
reactor.callLater(20, os._exit, 9)  # a failing test is not to wait

class Source:
    def __init__(self, on_read, name="Source,7"):
        self.ours, self.theirs = socket.socketpair()
        self.theirs.send(b"x")
        self.on_read, self.name = on_read, name
        reactor.addReader(self)

    def fileno(self):
        return self.ours.fileno()

    def logPrefix(self):
        return self.name

    def doRead(self):
        self.ours.recv(1)
        self.on_read()

    def connectionLost(self, reason):
        pass

"""
END = """
    log.err(ValueError("in the event"), "why")
    reactor.callLater(0, log.msg, "timer")
    reactor.callFromThread(log.msg, "call")
    reactor.callLater(0.01, reactor.stop)

Source(on_read)
RUN
for message, system in said:
    print(*message, system)
"""

PROGRAMS = {
    "the event": ("    log.msg('event')", "reactor.run()"),
    "what is pushed inside the event goes before": (
        "    log.callWithContext({'system': 'mine', 'more': 1}, log.msg, 'inside')\n"
        "    log.callWithContext({'more': 1}, log.msg, 'kept')\n"
        "    context.call({'other': 1}, log.msg, 'other')\n"
        "    context.call({log.ILogContext: {'system': 'all new'}}, log.msg, 'new')",
        "reactor.run()",
    ),
    "what is older than the loop comes after": (
        "    log.msg('event')\n    print(context.get(log.ILogContext)['more'], context.get('other'))",
        "context.call({'other': 5}, log.callWithContext, {'system': 'outer', 'more': 3}, reactor.run)",
    ),
    "a loop inside an event": (
        "    Source(lambda: log.msg('inner'), 'Inner')\n"
        "    context.call({'between': 1}, reactor.iterate, 0.01)\n"
        "    log.callWithContext({'system': 'around'}, lambda: Source(lambda: log.msg('third'), 'Third'))\n"
        "    log.callWithContext({'system': 'around'}, reactor.iterate, 0.01)\n"
        "    log.callWithContext({'system': 'around'}, log.msg, 'around')\n"
        "    log.msg('outer')",
        "reactor.run()",
    ),
    "a worker": (
        "    work = lambda what: (log.msg(what), print(what, context.get('outer'), context.get('mine')))\n"
        "    reactor.suggestThreadPoolSize(1)\n"
        "    reactor.callInThread(work, 'from the event')\n"
        "    context.call({'mine': 2}, reactor.callInThread, work, 'from inside a context')\n"
        "    context.call({'mine': 2}, log.callWithContext, {'a': 1}, reactor.callInThread, work, 'a log context')\n"
        "    reactor.callLater(0, reactor.callInThread, work, 'from a timer')",
        "context.call({'outer': 1}, reactor.run)",
    ),
}


def without_order(text: str) -> list[str]:
    return sorted(text.splitlines())


@needs_twisted
@pytest.mark.parametrize("name", PROGRAMS)
def test_s044_s050_the_logs_system_is_what_it_is_on_twisteds_reactor(full: Python, name: str) -> None:
    body, run = PROGRAMS[name]
    program = START + "def on_read():\n" + body + END.replace("RUN", run)
    ours = full.run("-c", INSTALL + program)
    theirs = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (theirs.returncode, theirs.stderr) == (0, ""), theirs.stderr
    assert (ours.returncode, ours.stderr) == (0, ""), ours.stderr
    assert without_order(ours.stdout) == without_order(theirs.stdout)


@needs_twisted
def test_s044_only_the_reactors_own_thread_is_asked_and_only_when_something_is_logged(full: Python) -> None:
    full.check(
        START
        + """
import threading
asked = []

def on_read():
    assert asked == []
    thread = threading.Thread(target=log.msg, args=("elsewhere",))
    thread.start()
    thread.join()
    assert asked == [] and said == [(("elsewhere",), "-")], said
    log.msg("here")
    assert asked == [True] and said[1:] == [(("here",), "Lazy")], said
    reactor.stop()

source = Source(on_read)
source.logPrefix = lambda: asked.append(True) or "Lazy"
reactor.run()
assert said[2:] == []
"""
    )
