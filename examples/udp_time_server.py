"""A time service over UDP: whoever sends a datagram is told the time. Usage: udp_time_server.py [PORT].

The answer is the time of RFC 868, seconds since 1900 in four bytes, to an empty datagram; to any other it is a line of
text, with the zone in hours that the datagram names ("+2", "-5.5"; UTC if it names none). What cannot be understood is
not answered: a service that answers everything can be made to flood others, by requests that bear their address. For
the same reason nobody is answered more than RATE times a second. Ends with SIGTERM or Ctrl-C.
"""

import struct
import sys
import time
from datetime import datetime, timedelta, timezone

from torsion import protocol, reactor, task

SINCE_1900 = 2_208_988_800  # seconds from 1900 to 1970
RATE = 20  # answers a second to one host


def zone(name):
    """The time zone of "+2"; raises ValueError for what is none."""
    return timezone(timedelta(hours=float(name or 0)))


class TimeServer(protocol.DatagramProtocol):
    def startProtocol(self):
        self.answered = {}  # how often each host was, in this second
        self.seconds = task.LoopingCall(self.answered.clear)
        self.seconds.clock = reactor
        self.seconds.start(1, now=False)

    def stopProtocol(self):
        self.seconds.stop()

    def datagramReceived(self, datagram, addr):
        host = addr[0]
        count = self.answered[host] = self.answered.get(host, 0) + 1
        if count > RATE:
            return
        try:
            self.transport.write(self.answer(datagram), addr)
        except ValueError:
            pass  # not understood
        except OSError as error:
            print(f"{addr}: {error}", file=sys.stderr)

    def answer(self, datagram):
        if not datagram:
            return struct.pack("!I", (int(time.time()) + SINCE_1900) & 0xFFFFFFFF)
        now = datetime.now(zone(datagram.decode("ascii").strip()))
        return f"{now:%Y-%m-%d %H:%M:%S%z}\n".encode()


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
listening = reactor.listenUDP(port, TimeServer(), interface="127.0.0.1", maxPacketSize=64)
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
