"""The takeover of what runs child processes: Twisted's names for it, with Twisted installed and without.

Each test runs a program of its own in a fresh process; the program asserts, and must end with status 0.
"""

from tests.interpreters import Python


def test_a_program_gets_our_modules(python: Python) -> None:
    python.check("""
        import sys
        from twisted.internet import _posixstdio, fdesc, inotify, process, stdio, utils
        import torsion, torsion.child.process, torsion.child.pipes, torsion.child.pty

        assert (fdesc, inotify, stdio, utils) == (torsion.fdesc, torsion.inotify, torsion.stdio, torsion.utils)
        assert _posixstdio is stdio
        assert process.Process is torsion.child.process.Process
        assert process.PTYProcess is torsion.child.pty.PTYProcess
        assert process.ProcessReader is torsion.child.pipes.ProcessReader
        names = {cls.__module__ for cls in (process.Process, process.PTYProcess, process.ProcessWriter)}
        assert names == {"twisted.internet.process"}, names
        assert stdio.StandardIO.__module__ == "twisted.internet.stdio"
    """)


def test_a_program_runs_others(python: Python) -> None:
    printed = python.check("""
        from twisted.internet import reactor, utils

        def show(result):
            print(result)
            reactor.stop()

        utils.getProcessOutputAndValue("/bin/sh", ["-c", "cat; exit 3"], stdinBytes=b"in").addCallback(show)
        reactor.run()
    """)
    assert printed == "(b'in', b'', 3)\n"


def test_the_children_of_all_reactors_are_one_mapping(python: Python) -> None:
    python.check("""
        from twisted.internet import process, protocol, reactor
        from torsion.contract import Reactor

        other = Reactor()
        ended = []

        class Told(protocol.ProcessProtocol):
            def processEnded(self, reason):
                ended.append(reason.value.signal)
                assert self.transport not in process.reapProcessHandlers.values()

        children = [
            each.spawnProcess(Told(), "/bin/sh", ["sh", "-c", "sleep 100"], childFDs={}) for each in (reactor, other)
        ]
        handlers = process.reapProcessHandlers
        assert {child.pid: child for child in children} == dict(handlers)
        assert len(handlers) == 2 and children[0].pid in handlers and "pid=" in repr(handlers)
        try:
            process.registerReapProcessHandler(children[0].pid, children[0])
        except RuntimeError as error:
            assert "already" in str(error)
        else:
            assert False
        for child in children:
            child.signalProcess("KILL")
        while handlers:
            process.reapAllProcesses()
        assert ended == [9, 9], ended
        other.close()
    """)


def test_a_child_that_a_program_has_forked_itself_is_reaped_for_it(python: Python) -> None:
    python.check("""
        import os
        from twisted.internet import process, reactor

        class Own:
            def processEnded(self, status):
                self.status = status
                reactor.stop()

        wait, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(wait, 1)
            os._exit(5)
        own, other = Own(), Own()
        process.registerReapProcessHandler(pid, other)
        process.unregisterReapProcessHandler(pid, other)
        try:
            process.unregisterReapProcessHandler(pid, other)
        except RuntimeError:
            pass
        else:
            assert False
        reactor.callWhenRunning(process.registerReapProcessHandler, pid, own)
        reactor.callWhenRunning(os.write, go, b"x")
        reactor.run()
        assert os.waitstatus_to_exitcode(own.status) == 5
    """)


def test_our_children_provide_twisteds_interfaces(full: Python) -> None:
    full.check("""
        from twisted.internet import inotify, interfaces, process, protocol, reactor, stdio

        assert interfaces.IReactorProcess.providedBy(reactor)
        for cls in (process.Process, process.PTYProcess):
            assert interfaces.IProcessTransport.implementedBy(cls), cls
        for interface in (interfaces.IReadDescriptor, interfaces.IWriteDescriptor):
            assert interface.implementedBy(process.ProcessReader)
            assert interface.implementedBy(inotify.INotify)
        for interface in (interfaces.ITransport, interfaces.IConsumer, interfaces.IPushProducer):
            assert interface.implementedBy(stdio.StandardIO)
        assert interfaces.IAddress.implementedBy(stdio.PipeAddress)
        child = reactor.spawnProcess(protocol.ProcessProtocol(), "/bin/sh", ["sh", "-c", "exit"])
        assert interfaces.IProcessTransport.providedBy(child)
    """)


def test_half_close_is_asked_by_twisteds_interface(full: Python) -> None:
    """A protocol that has the methods by accident is not one; one that declares the interface is."""
    full.check("""
        import os
        from twisted.internet import interfaces, protocol, reactor, stdio
        from zope.interface import implementer

        told = []

        class ByAccident(protocol.Protocol):
            def readConnectionLost(self): told.append("read")
            def writeConnectionLost(self): told.append("write")
            def connectionLost(self, reason):
                told.append("lost")
                if self.last: reactor.stop()
            last = False

        @implementer(interfaces.IHalfCloseableProtocol)
        class Declared(ByAccident):
            last = True
            def readConnectionLost(self):
                super().readConnectionLost()
                self.transport.loseConnection()

        for cls in (ByAccident, Declared):
            (stdin, into), (out, stdout) = os.pipe(), os.pipe()
            stdio.StandardIO(cls(), stdin, stdout)
            os.close(into)
        reactor.run()
        assert sorted(told) == ["lost", "lost", "read"], told
    """)


def test_twisteds_serial_port_would_find_what_it_needs(full: Python) -> None:
    full.check("""
        from twisted.internet import abstract, fdesc

        for name in ("readFromFD", "writeToFD", "setNonBlocking", "setBlocking"):
            assert callable(getattr(fdesc, name))
        import twisted.internet._signals
        assert twisted.internet._signals.isDefaultHandler()
    """)


def test_a_subclass_has_its_children_do_more_before_they_become_the_program(python: Python) -> None:
    """A server that ends a job with all that the job has started makes each child the leader of a group so."""
    printed = python.check("""
        import os
        from twisted.internet import process, protocol, reactor

        class Leader(process.Process):
            def _setupChild(self, *arguments, **keywords):
                process.Process._setupChild(self, *arguments, **keywords)
                os.setpgid(0, 0)

        class Marked(process.PTYProcess):
            def _setupChild(self, masterfd, slavefd):
                process.PTYProcess._setupChild(self, masterfd, slavefd)
                os.write(1, b"marked ")

        class Plain(process.Process):
            pass

        class Broken(process.Process):
            def _setupChild(self, fdmap):
                super()._setupChild(fdmap)
                raise ValueError("not this one")

        class Told(protocol.ProcessProtocol):
            got = b""
            def childDataReceived(self, number, data):
                self.got += data
            def processEnded(self, reason):
                next_one()

        def start(kind, script):
            told.append(Told())
            arguments = (reactor, "/bin/sh", ["sh", "-c", script], {}, None, told[-1])
            return kind(*arguments)

        told = []
        orders = [
            (Leader, 'echo $$ $(cut -d" " -f5 /proc/$$/stat)'),
            (Plain, 'echo $(cut -d" " -f5 /proc/$$/stat)'),
            (Marked, "tty >/dev/null && echo on a terminal"),
            (Broken, "echo never"),
        ]

        def next_one():
            if orders:
                start(*orders.pop(0))
            else:
                reactor.stop()

        reactor.callWhenRunning(next_one)
        reactor.run()
        leader, plain, marked, broken = (each.got.decode() for each in told)
        own, group = leader.split()
        assert own == group, leader
        assert int(plain) == os.getpgrp(), plain
        assert marked.split() == ["marked", "on", "a", "terminal"], marked
        print(broken.splitlines()[-1])
    """)
    assert printed == "ValueError: not this one\n"
