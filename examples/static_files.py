"""An HTTP/1.1 server of the files in a folder. h11 reads and writes the protocol; Torsion carries the bytes.

h11 does no input and output: it is given what was received and says what that was, and gives the bytes to be sent. The
bodies go past it: FileSender sends a file as fast as the client reads, by the kernel, and nothing else is read from the
client meanwhile. Needs h11 (pip install h11). Usage: static_files.py FOLDER [PORT]; ends with SIGTERM or Ctrl-C."""

import mimetypes
import os
import re
import sys
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote_to_bytes

import h11

from torsion import protocol, reactor
from torsion.protocols.basic import FileSender
from torsion.protocols.policies import TimeoutMixin

PATIENCE = 60  # seconds that a client may take for a request


class Refused(Exception):
    """The request is answered with this status."""


class Client(protocol.Protocol, TimeoutMixin):
    def connectionMade(self):
        self.http = h11.Connection(h11.SERVER)
        self.busy = False  # answering: the next request waits
        self.setTimeout(PATIENCE)

    def connectionLost(self, reason):
        self.setTimeout(None)

    def dataReceived(self, data):
        self.http.receive_data(data)
        self.look()

    def look(self):
        """Answer what requests are there, up to one whose answer takes time."""
        try:
            while not self.busy and not self.transport.disconnecting:
                if self.http.our_state is h11.DONE and self.http.their_state is h11.DONE:
                    self.http.start_next_cycle()
                event = self.http.next_event()
                if isinstance(event, h11.Request):
                    self.request = event
                elif isinstance(event, h11.EndOfMessage):
                    self.answer()
                elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    return
        except h11.RemoteProtocolError as error:
            self.refuse(HTTPStatus(error.error_status_hint))

    def answer(self):
        try:
            file, kind, size = self.factory.found(self.request)
        except Refused as refused:
            self.refuse(refused.args[0])
            return
        start, end = asked_part(self.request, size)
        headers = [("Content-Type", kind), ("Accept-Ranges", "bytes"), ("Content-Length", str(end - start))]
        status = HTTPStatus.OK
        if end - start < size:
            headers.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
            status = HTTPStatus.PARTIAL_CONTENT
        self.say(status, headers)
        if self.request.method == b"HEAD" or start == end:
            file.close()
            self.done()
            return
        self.busy = True
        self.setTimeout(None)  # a large file may take its time
        self.transport.pauseProducing()  # the next requests wait in the system's buffers
        file.seek(start)
        whole = end == size
        sending = FileSender().beginFileTransfer(file if whole else Part(file, end - start), self.transport)
        sending.addBoth(self.sent, file, end - start)

    def sent(self, result, file, size):
        file.close()
        if not self.transport.connected:  # the client has gone
            return
        # h11 counts what was sent past it, as it would have been given it.
        self.http.send_with_data_passthrough(h11.Data(data=Counted(size)))
        self.busy = False
        self.done()
        self.transport.resumeProducing()
        self.look()

    def done(self):
        self.transport.write(self.http.send(h11.EndOfMessage()) or b"")
        if self.http.our_state is h11.MUST_CLOSE:
            self.transport.loseConnection()
        else:
            self.setTimeout(PATIENCE)

    def say(self, status, headers):
        headers = [("Date", formatdate(usegmt=True)), ("Server", "torsion-example"), *headers]
        self.transport.write(self.http.send(h11.Response(status_code=status, headers=headers, reason=status.phrase)))

    def refuse(self, status):
        body = f"{status.value} {status.phrase}\n".encode()
        if self.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.loseConnection()  # in the middle of an answer, nothing can be said
            return
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD"))
        if self.http.their_state is h11.ERROR:
            headers.append(("Connection", "close"))
        self.say(status, headers)
        if self.http.their_state is h11.ERROR or self.request.method != b"HEAD":
            self.transport.write(self.http.send(h11.Data(data=body)))
        self.done()


class Counted:
    """Bytes that h11 need not see, only count."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size


class Part:
    """The next bytes of a file, as a file."""

    def __init__(self, file, size):
        self.file, self.left = file, size

    def read(self, size):
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        return data


def asked_part(request, size):
    """What of a file is asked for: from where to where. What is not understood means all of it, as HTTP has it."""
    header = dict(request.headers).get(b"range", b"")
    match = re.fullmatch(rb"bytes=([0-9]{1,18})-([0-9]{0,18})", header)
    if match is None or request.method != b"GET":
        return 0, size
    start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    return (start, end) if start < end else (0, size)


class Site(protocol.Factory):
    protocol = Client

    def __init__(self, folder):
        self.folder = Path(folder).resolve()

    def found(self, request):
        """The file that is asked for, open, its type and size; or Refused."""
        if request.method not in (b"GET", b"HEAD"):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED)
        target = unquote_to_bytes(request.target.partition(b"?")[0])
        if not target.startswith(b"/") or b"\0" in target:
            raise Refused(HTTPStatus.BAD_REQUEST)
        path = self.folder.joinpath(os.fsdecode(target.lstrip(b"/"))).resolve()
        if path.is_dir():
            path = path / "index.html"
        # Links and dots are resolved by now: what lies outside is not there.
        if not path.is_relative_to(self.folder) or not path.is_file():
            raise Refused(HTTPStatus.NOT_FOUND)
        try:
            file = open(path, "rb")  # noqa: SIM115 - closed when it has been sent
        except PermissionError:
            raise Refused(HTTPStatus.FORBIDDEN) from None
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return file, kind, os.fstat(file.fileno()).st_size


port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
listening = reactor.listenTCP(port, Site(sys.argv[1]), interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
