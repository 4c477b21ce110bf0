"""Private names of `twisted.internet.unix` that Twisted's tests use."""

import socket
from array import array
from typing import Any

from torsion.net.passing import Passing

__all__ = ["_SendmsgMixin"]


class _SendmsgMixin:
    """Receives through Twisted's own recvmsg, for a transport with `socket`, `protocol` and `_dataReceived`."""

    socket: Any
    protocol: Any
    bufferSize: int
    _life = 0

    def doRead(self: Any) -> Any:
        from twisted.python import log, sendmsg

        try:
            data, parts, _ = sendmsg.recvmsg(self.socket, self.bufferSize)
        except BlockingIOError:
            return None
        passing = Passing()
        for level, kind, passed in parts:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                passing.received.extend(array("i", passed))
            else:
                log.msg(format="%(protocolName)s received unsupported ancillary data", protocolName=self.protocol)
        passing.deliver(self)
        return self._dataReceived(data)
