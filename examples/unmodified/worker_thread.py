"""Threads: a worker loads something while the loop goes on, and fires a Deferred with it in the loop's thread."""

import threading

from twisted.internet import defer, reactor


def loadRemoteData(callback, errback, url):
    print("Worker:", threading.current_thread().name)
    try:
        data = f"the contents of {url}".upper()
    except Exception as error:
        reactor.callFromThread(errback, error)
    else:
        reactor.callFromThread(callback, data)


def show(data):
    print("Loaded:", data)
    reactor.stop()


def show_error(failure):
    failure.printTraceback()
    reactor.stop()


print("Main:", threading.current_thread().name)
d = defer.Deferred()
d.addCallbacks(show, show_error)
reactor.callInThread(loadRemoteData, d.callback, d.errback, "http://example.test/")
reactor.run()
