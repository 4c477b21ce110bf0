"""A web server that answers with the same line. Usage: web_hello.py [PORT]; ends with SIGTERM or Ctrl-C."""

import sys

from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site


class Hello(Resource):
    isLeaf = True

    def render_GET(self, request):
        request.setHeader("Content-Type", "text/plain")
        return b"Hello, world!\n"


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
listening = reactor.listenTCP(port, Site(Hello()), backlog=1024, interface="127.0.0.1")
print(f"listening on 127.0.0.1:{listening.getHost().port}", flush=True)
reactor.run()
