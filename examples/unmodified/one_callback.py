"""One callback: a result that arrives two seconds from now."""

from twisted.internet import defer, reactor


def later_square(number):
    deferred = defer.Deferred()
    reactor.callLater(2, deferred.callback, number * number)
    return deferred


def show(result):
    print("Result received:", result)


later_square(3).addCallback(show)
reactor.callLater(4, reactor.stop)
reactor.run()
